/* Options of a verb, declared as a table. Wrong ones are told in one line, on standard error. */
#ifndef BRUME_CLI_OPTIONS_H
#define BRUME_CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { OPTION_LIST_MAX = 64 };

/* What an option that may be given again and again gathers, in the order given. */
typedef struct StringList {
    const char *values[OPTION_LIST_MAX];
    size_t count;
} StringList;

typedef struct NumberList {
    double values[OPTION_LIST_MAX];
    size_t count;
} NumberList;

typedef enum OptionKind {
    OPTION_KIND_FLAG,
    OPTION_KIND_STRING,
    OPTION_KIND_INTEGER,
    OPTION_KIND_NUMBER,
    OPTION_KIND_STRINGS,
    OPTION_KIND_NUMBERS
} OptionKind;

/* One option. Write it with the macros below, which check the destination's type. The destination
 * holds the default before options_parse and is left alone when the option is not given. */
typedef struct Option {
    const char *name; /* without the dashes */
    OptionKind kind;
    bool required;
    union {
        bool *flag;
        const char **string;
        int64_t *integer;
        double *number;
        StringList *strings;
        NumberList *numbers;
    } to;
    union {
        struct {
            int64_t least, most;
        } integers;
        struct {
            double least, most;
        } numbers;
    } range;           /* both ends allowed */
    const char *value; /* what the help calls the value: "N", "HZ" */
    const char *help;  /* one line; the help adds the range */
} Option;

#define OPTION_FLAG(NAME, TO, HELP)                                                                \
    {                                                                                              \
        .name = (NAME), .kind = OPTION_KIND_FLAG, .to.flag = (TO), .help = (HELP)                  \
    }
#define OPTION_STRING(NAME, TO, VALUE, HELP)                                                       \
    {                                                                                              \
        .name = (NAME), .kind = OPTION_KIND_STRING, .to.string = (TO), .value = (VALUE),           \
        .help = (HELP)                                                                             \
    }
#define OPTION_INTEGER(NAME, TO, LEAST, MOST, VALUE, HELP)                                         \
    {                                                                                              \
        .name = (NAME), .kind = OPTION_KIND_INTEGER, .to.integer = (TO),                           \
        .range.integers = {(LEAST), (MOST)}, .value = (VALUE), .help = (HELP)                      \
    }
#define OPTION_NUMBER(NAME, TO, LEAST, MOST, VALUE, HELP)                                          \
    {                                                                                              \
        .name = (NAME), .kind = OPTION_KIND_NUMBER, .to.number = (TO),                             \
        .range.numbers = {(LEAST), (MOST)}, .value = (VALUE), .help = (HELP)                       \
    }
#define OPTION_STRINGS(NAME, TO, VALUE, HELP)                                                      \
    {                                                                                              \
        .name = (NAME), .kind = OPTION_KIND_STRINGS, .to.strings = (TO), .value = (VALUE),         \
        .help = (HELP)                                                                             \
    }
#define OPTION_NUMBERS(NAME, TO, LEAST, MOST, VALUE, HELP)                                         \
    {                                                                                              \
        .name = (NAME), .kind = OPTION_KIND_NUMBERS, .to.numbers = (TO),                           \
        .range.numbers = {(LEAST), (MOST)}, .value = (VALUE), .help = (HELP)                       \
    }
/* -o, --output: must be given. */
#define OPTION_OUTPUT(TO, VALUE, HELP)                                                             \
    {                                                                                              \
        .name = "output", .kind = OPTION_KIND_STRING, .required = true, .to.string = (TO),         \
        .value = (VALUE), .help = (HELP)                                                           \
    }

/* What a verb takes. */
typedef struct Usage {
    const char *verb;
    const char *synopsis; /* what follows "brume VERB" in the usage line */
    const char *summary;  /* one sentence for the help */
    const Option *options;
    size_t option_count;
    size_t operands_least, operands_most; /* how many words that are no option */
} Usage;

/* The options that every verb takes. */
typedef struct CommonOptions {
    bool quiet; /* no progress line */
    bool json;  /* the result on standard output, as JSON */
} CommonOptions;

enum { OPTIONS_GO_ON = -1 };

/* Reads argv (argv[0] is the verb) into the table's destinations, `common`, and `operands`: the
 * other words, `*operand_count` of them, in order, which stay argv's. Options may stand among them;
 * "--" ends the options; numbers are decimal and finite.
 * Returns OPTIONS_GO_ON, or the exit code to leave with: EXIT_DONE after --help, EXIT_USAGE after
 * one line on standard error. Main thread (getopt_long). */
int options_parse(const Usage *usage, int argc, char **argv, CommonOptions *common,
                  char ***operands, size_t *operand_count);

#endif
