#include "cli/options.h"
#include "cli/report.h"
#include "cli/verbs.h"
#include "models/catalogue.h"
#include "models/safetensors.h"

#include <stdbool.h>
#include <stdio.h>

typedef struct Listing {
    bool json;
    size_t count;
} Listing;

static void print_model(void *user, const char *name, const char *path)
{
    Listing *listing = user;
    Error err = {""};
    Safetensors *file = safetensors_open(path, &err);
    const char *kind = file ? safetensors_metadata(file, "kind") : NULL;
    const char *text = file ? kind ? kind : "of no kind" : "unreadable";
    if (listing->json) {
        printf("%s{\"name\": ", listing->count ? ", " : "");
        report_json_string(stdout, name);
        printf(", \"kind\": ");
        report_json_string(stdout, text);
        printf(", \"path\": ");
        report_json_string(stdout, path);
        printf("}");
    } else {
        report_text(stdout, name, 16);
        putchar(' ');
        report_text(stdout, text, 16);
        putchar(' ');
        report_text(stdout, path, 0);
        putchar('\n');
    }
    listing->count++;
    safetensors_destroy(file);
}

int verb_models(int argc, char **argv)
{
    CommonOptions common;
    const Usage usage = {.verb = "models",
                         .synopsis = "",
                         .summary = "Lists the models that are installed, by name."};
    char **operands;
    size_t count;
    const int code = options_parse(&usage, argc, argv, &common, &operands, &count);
    if (code != OPTIONS_GO_ON)
        return code;
    Listing listing = {.json = common.json};
    Error err = {""};
    if (common.json)
        printf("{\"models\": [");
    if (catalogue_each(NULL, print_model, &listing, &err))
        return report_failure("models", &err);
    if (common.json)
        printf("]}\n");
    else if (!listing.count)
        printf("no models: put .safetensors files into ~/.local/share/brume/models\n");
    return EXIT_DONE;
}
