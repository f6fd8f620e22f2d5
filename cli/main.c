#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "cli/interrupt.h"
#include "cli/report.h"
#include "cli/verbs.h"

typedef struct Verb {
    const char *name;
    const char *summary;
    int (*run)(int argc, char **argv);
} Verb;

static const Verb verbs[] = {
    {"render", "make a texture from noise", verb_render},
    {"continue", "carry a melody on", verb_continue},
    {"transform", "make a texture of a sound, as far as you like", verb_transform},
    {"train", "train a model on a folder of sounds or tunes", verb_train},
    {"score", "measure a model on held-out files", verb_score},
    {"compare", "measure how far one texture is from another", verb_compare},
    {"info", "print a model's card", verb_info},
    {"models", "list the models that are installed", verb_models},
    {"plot", "draw spectrograms, one under another, as a PNG", verb_plot},
};

enum { VERBS = sizeof verbs / sizeof verbs[0], LONGEST_VERB = 32 };

static void print_help(FILE *out)
{
    fprintf(out,
            "usage: brume VERB [options] ...\n\n"
            "Generative audio: textures from noise, melodies carried on, sounds on the way from "
            "one to the other.\n\n");
    for (size_t i = 0; i < VERBS; i++)
        fprintf(out, "  %-10s %s\n", verbs[i].name, verbs[i].summary);
    fprintf(out, "\nbrume VERB --help tells more; brume --version prints the version.\n");
}

/* Letters to add, drop or replace to make `a` of `b` (Levenshtein 1966); both below LONGEST_VERB.
 */
static size_t edit_distance(const char *a, const char *b)
{
    size_t row[LONGEST_VERB + 1];
    size_t length = strlen(b);
    for (size_t j = 0; j <= length; j++)
        row[j] = j;
    for (size_t i = 0; a[i] != '\0'; i++) {
        size_t diagonal = row[0];
        row[0] = i + 1;
        for (size_t j = 0; j < length; j++) {
            size_t replace = diagonal + (a[i] != b[j]);
            size_t either = row[j] < row[j + 1] ? row[j] + 1 : row[j + 1] + 1;
            diagonal = row[j + 1];
            row[j + 1] = replace < either ? replace : either;
        }
    }
    return row[length];
}

/* Whether `name` looks like a slip of the finger for `verb`. */
static bool is_near(const char *name, const char *verb)
{
    return strlen(name) < LONGEST_VERB &&
           (strncmp(name, verb, strlen(name)) == 0 || edit_distance(name, verb) <= 2);
}

static int unknown_verb(const char *name)
{
    char names[256] = "";
    bool near = false;
    for (size_t i = 0; i < VERBS; i++)
        near = near || is_near(name, verbs[i].name);
    for (size_t i = 0; i < VERBS; i++) {
        if (near && !is_near(name, verbs[i].name))
            continue;
        size_t used = strlen(names);
        snprintf(names + used, sizeof names - used, "%s%s", used > 0 ? ", " : "", verbs[i].name);
    }
    return report_usage(NULL, "no verb is called \"%.64s\": %s %s", name,
                        near ? "did you mean" : "there are", names);
}

static int run(int argc, char **argv)
{
    if (argc < 2) {
        print_help(stderr);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        print_help(stdout);
        return EXIT_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("brume %s\n", BRUME_VERSION);
        return EXIT_DONE;
    }
    for (size_t i = 0; i < VERBS; i++)
        if (strcmp(argv[1], verbs[i].name) == 0)
            return verbs[i].run(argc - 1, argv + 1);
    return unknown_verb(argv[1]);
}

int main(int argc, char **argv)
{
    interrupt_install();
    int code = run(argc, argv);
    if (fflush(stdout) != 0 && code == EXIT_DONE) {
        Error err;
        error_set(&err, "standard output cannot be written: make room, or send it elsewhere");
        return report_failure(argc > 1 ? argv[1] : "", &err);
    }
    return code;
}
