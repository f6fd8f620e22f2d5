#include "cli/options.h"
#include "cli/report.h"
#include "cli/verbs.h"
#include "models/catalogue.h"
#include "models/melody_model.h"
#include "models/safetensors.h"
#include "models/texture_model.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { MARGIN = 4, COLUMNS = 96, NAME_COLUMNS = 20, KIND_COLUMNS = 14, FOLDERS_ROOM = 8192 };

typedef struct Listing {
    bool json;
    size_t count;
} Listing;

/* What is told of a model. */
typedef struct Facts {
    const char *name, *path, *kind;
    double bytes;
    char date[16];        /* when its file was written */
    TextureConfig config; /* its classes; 0 of them where it has none, or they cannot be read */
    const char *training; /* from its card, or NULL */
    const char *held_out;
    char problem[sizeof((Error *)0)->message]; /* why it cannot be played; empty if it can */
} Facts;

static void find_file(const char *path, Facts *facts)
{
    struct stat status;
    struct tm day;
    if (stat(path, &status) < 0)
        return;
    facts->bytes = (double)status.st_size;
    if (localtime_r(&status.st_mtime, &day))
        strftime(facts->date, sizeof facts->date, "%Y-%m-%d", &day);
}

/* Without the path, which is told anyhow. */
static void set_problem(Facts *facts, const Error *err)
{
    const size_t n = strlen(facts->path);
    const bool named = !strncmp(err->message, facts->path, n) && err->message[n] == ':';
    const char *text = err->message + (named ? n + 1 : 0);
    snprintf(facts->problem, sizeof facts->problem, "%s", text + strspn(text, " "));
}

/* Opened as who plays it opens it: what that says is what is wrong with it. */
static void find_problem(Facts *facts)
{
    Error err = {""};
    if (!strcmp(facts->kind, TEXTURE_KIND)) {
        TextureModel *model = texture_model_open(facts->path, &err);
        if (model)
            facts->config = *texture_model_config(model);
        texture_model_destroy(model);
    } else if (!strcmp(facts->kind, MELODY_KIND)) {
        melody_model_destroy(melody_model_open(facts->path, &err));
    } else {
        error_set(&err, "it is neither a texture model nor a melody model");
    }
    set_problem(facts, &err);
}

static void print_json(const Facts *facts, bool first)
{
    const struct {
        const char *key, *value;
    } texts[] = {{"kind", facts->kind},         {"path", facts->path},
                 {"written", facts->date},      {"training", facts->training},
                 {"held_out", facts->held_out}, {"problem", facts->problem}};
    printf("%s{\"name\": ", first ? "" : ", ");
    report_json_string(stdout, facts->name);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i].value && texts[i].value[0]) {
            printf(", \"%s\": ", texts[i].key);
            report_json_string(stdout, texts[i].value);
        }
    printf(", \"bytes\": %.0f, \"classes\": [", facts->bytes);
    for (size_t c = 0; c < facts->config.denoiser.classes; c++) {
        fputs(c ? ", " : "", stdout);
        report_json_string(stdout, facts->config.classes[c]);
    }
    printf("]}");
}

/* A line of its own, under the model's. */
static void print_more(const char *label, const char *text)
{
    if (!text || !text[0])
        return;
    printf("%*s%s", MARGIN, "", label);
    report_text(stdout, text, 0);
    putchar('\n');
}

/* Names, as many in a line as there is room for. */
static void print_classes(const TextureConfig *config)
{
    size_t column = 0;
    for (size_t c = 0; c < config->denoiser.classes; c++) {
        const bool last = c + 1 == config->denoiser.classes;
        const size_t n = strlen(config->classes[c]) + 2;
        if (column > 0 && column + n > COLUMNS) {
            putchar('\n');
            column = 0;
        }
        printf("%*s", column ? 1 : MARGIN, "");
        report_text(stdout, config->classes[c], 0);
        fputs(last ? "\n" : ",", stdout);
        column += column ? n : MARGIN + n;
    }
}

static void print_lines(const Facts *facts)
{
    report_text(stdout, facts->name, NAME_COLUMNS);
    putchar(' ');
    report_text(stdout, facts->kind, KIND_COLUMNS);
    printf(" %6.1f MB  %s\n", 1e-6 * facts->bytes, facts->date);
    print_more("cannot be played: ", facts->problem);
    print_classes(&facts->config);
    print_more("trained: ", facts->training);
    print_more(strcmp(facts->kind, MELODY_KIND) ? "held-out loss: " : "bits a note: ",
               facts->held_out);
    print_more("", facts->path);
}

static void list_model(void *user, const char *name, const char *path)
{
    Listing *listing = user;
    Error err = {""};
    Facts facts = {.name = name, .path = path, .kind = "unreadable"};
    Safetensors *file = safetensors_open(path, &err);
    find_file(path, &facts);
    if (file) {
        const char *kind = safetensors_metadata(file, "kind");
        const char *notes = safetensors_metadata(file, "bits_per_note");
        facts.kind = kind ? kind : "of no kind";
        facts.training = safetensors_metadata(file, "training");
        facts.held_out = notes ? notes : safetensors_metadata(file, "held_out_loss");
        find_problem(&facts);
    } else {
        set_problem(&facts, &err);
    }
    if (listing->json)
        print_json(&facts, listing->count == 0);
    else
        print_lines(&facts);
    listing->count++;
    safetensors_destroy(file);
}

static void add_folder(void *user, const char *folder)
{
    char *text = user;
    const size_t used = strlen(text);
    snprintf(text + used, FOLDERS_ROOM - used, "\n  %s", folder);
}

int verb_models(int argc, char **argv)
{
    CommonOptions common;
    char folders[FOLDERS_ROOM] =
        "Lists the models that are installed, by name: where two have the "
        "same, the one that is found first.\nThey are looked for in, first "
        "to last ($BRUME_MODELS, separated by colons, comes first):";
    catalogue_folders(NULL, add_folder, folders);
    const Usage usage = {.verb = "models", .synopsis = "", .summary = folders};
    char **operands;
    size_t count;
    const int code = options_parse(&usage, argc, argv, &common, &operands, &count);
    if (code != OPTIONS_GO_ON)
        return code;
    Listing listing = {.json = common.json};
    Error err = {""};
    if (common.json)
        printf("{\"models\": [");
    if (catalogue_each(NULL, list_model, &listing, &err))
        return report_failure("models", &err);
    if (common.json)
        printf("]}\n");
    else if (!listing.count)
        printf("no models: put .safetensors files into ~/.local/share/brume/models\n");
    return EXIT_DONE;
}
