#include "cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/report.h"

/* getopt_long's values: the table's options start at FIRST_OPTION, above every letter. */
enum { VALUE_HELP = 256, VALUE_QUIET, VALUE_JSON, COMMON_COUNT = 3, FIRST_OPTION = 300 };

static const Option *find_output(const Usage *usage)
{
    for (size_t i = 0; i < usage->option_count; i++)
        if (strcmp(usage->options[i].name, "output") == 0)
            return &usage->options[i];
    return NULL;
}

static void print_range(const Option *option)
{
    bool whole = option->kind == OPTION_KIND_INTEGER;
    bool real = option->kind == OPTION_KIND_NUMBER || option->kind == OPTION_KIND_NUMBERS;
    const double endless = 1e9;
    if (whole && (double)option->range.integers.most < endless)
        printf(" (%lld to %lld)", (long long)option->range.integers.least,
               (long long)option->range.integers.most);
    if (real && option->range.numbers.most < endless)
        printf(" (%.15g to %.15g)", option->range.numbers.least, option->range.numbers.most);
}

static void print_help(const Usage *usage)
{
    printf("usage: brume %s %s\n\n%s\n\n", usage->verb, usage->synopsis, usage->summary);
    for (size_t i = 0; i < usage->option_count; i++) {
        const Option *option = &usage->options[i];
        char words[64];
        snprintf(words, sizeof words, "%s--%s%s%s", option == find_output(usage) ? "-o, " : "    ",
                 option->name, option->value ? " " : "", option->value ? option->value : "");
        printf("  %-26s %s", words, option->help);
        print_range(option);
        putchar('\n');
    }
    printf("  %-26s %s\n", "    --json", "print the result as JSON");
    printf("  %-26s %s\n", "    --quiet", "show no progress");
    printf("  %-26s %s\n", "-h, --help", "print this");
}

/* Only what a decimal number is made of: strtod alone would take "nan", "inf", "0x1p3" and " 1". */
static bool parse_number(const char *text, double *number)
{
    char *end;
    *number = strtod(text, &end);
    return text[0] != '\0' && *end == '\0' && text[strspn(text, "+-.0123456789eE")] == '\0';
}

static int read_number(const Usage *usage, const Option *option, const char *text, double *to)
{
    double number, least = option->range.numbers.least, most = option->range.numbers.most;
    if (!parse_number(text, &number))
        return report_usage(usage->verb, "--%s %.100s is not a number: give %.15g to %.15g",
                            option->name, text, least, most);
    if (!(number >= least && number <= most))
        return report_usage(usage->verb, "--%s %.100s is out of range: give %.15g to %.15g",
                            option->name, text, least, most);
    *to = number;
    return OPTIONS_GO_ON;
}

static int read_integer(const Usage *usage, const Option *option, const char *text)
{
    long long least = option->range.integers.least, most = option->range.integers.most;
    char *end;
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (text[0] == '\0' || *end != '\0' || text[strspn(text, "+-0123456789")] != '\0')
        return report_usage(usage->verb, "--%s %.100s is not a whole number: give %lld to %lld",
                            option->name, text, least, most);
    if (errno == ERANGE || number < least || number > most)
        return report_usage(usage->verb, "--%s %.100s is out of range: give %lld to %lld",
                            option->name, text, least, most);
    *option->to.integer = number;
    return OPTIONS_GO_ON;
}

static int too_often(const Usage *usage, const Option *option)
{
    return report_usage(usage->verb, "--%s is given too often: give it at most %d times",
                        option->name, OPTION_LIST_MAX);
}

/* OPTIONS_GO_ON or EXIT_USAGE. */
static int read_value(const Usage *usage, const Option *option, const char *text)
{
    switch (option->kind) {
    case OPTION_KIND_FLAG:
        *option->to.flag = true;
        return OPTIONS_GO_ON;
    case OPTION_KIND_STRING:
        *option->to.string = text;
        return OPTIONS_GO_ON;
    case OPTION_KIND_INTEGER:
        return read_integer(usage, option, text);
    case OPTION_KIND_NUMBER:
        return read_number(usage, option, text, option->to.number);
    case OPTION_KIND_STRINGS:
        if (option->to.strings->count == OPTION_LIST_MAX)
            return too_often(usage, option);
        option->to.strings->values[option->to.strings->count++] = text;
        return OPTIONS_GO_ON;
    case OPTION_KIND_NUMBERS:
        break;
    }
    NumberList *list = option->to.numbers;
    if (list->count == OPTION_LIST_MAX)
        return too_often(usage, option);
    int code = read_number(usage, option, text, &list->values[list->count]);
    if (code == OPTIONS_GO_ON)
        list->count++;
    return code;
}

/* getopt's table: the common options, the verb's, and a row of zeros. NULL when out of memory. */
static struct option *make_table(const Usage *usage)
{
    struct option *table = calloc(usage->option_count + COMMON_COUNT + 1, sizeof *table);
    if (table == NULL)
        return NULL;
    table[0] = (struct option){"help", no_argument, NULL, VALUE_HELP};
    table[1] = (struct option){"quiet", no_argument, NULL, VALUE_QUIET};
    table[2] = (struct option){"json", no_argument, NULL, VALUE_JSON};
    for (size_t i = 0; i < usage->option_count; i++) {
        bool flag = usage->options[i].kind == OPTION_KIND_FLAG;
        table[COMMON_COUNT + i] =
            (struct option){usage->options[i].name, flag ? no_argument : required_argument, NULL,
                            FIRST_OPTION + (int)i};
    }
    return table;
}

/* What getopt could not make sense of: `found` is its '?' or ':', `word` the word it was at. */
static int refuse_word(const Usage *usage, int found, const char *word)
{
    char letter[3] = {'-', (char)optopt, '\0'};
    if (found == ':')
        return report_usage(usage->verb, "%.100s needs a value: give one after it", word);
    if (optopt >= VALUE_HELP)
        return report_usage(usage->verb, "%.100s takes no value: give the option alone", word);
    return report_usage(usage->verb, "%.100s is no option: see brume %s --help",
                        optopt != 0 ? letter : word, usage->verb);
}

static int read_options(const Usage *usage, int argc, char **argv, CommonOptions *common,
                        const struct option *table, bool *given)
{
    const Option *output = find_output(usage);
    optind = 0; /* glibc: forget an earlier run */
    opterr = 0;
    for (;;) {
        int found = getopt_long(argc, argv, output != NULL ? ":ho:" : ":h", table, NULL);
        if (found == -1)
            return OPTIONS_GO_ON;
        if (found == '?' || found == ':')
            return refuse_word(usage, found, argv[optind - 1]);
        if (found == 'h' || found == VALUE_HELP) {
            print_help(usage);
            return EXIT_DONE;
        }
        if (found == VALUE_QUIET || found == VALUE_JSON) {
            *(found == VALUE_QUIET ? &common->quiet : &common->json) = true;
            continue;
        }
        const Option *option = found == 'o' ? output : &usage->options[found - FIRST_OPTION];
        given[option - usage->options] = true;
        int code = read_value(usage, option, optarg);
        if (code != OPTIONS_GO_ON)
            return code;
    }
}

static int check_complete(const Usage *usage, const bool *given, char *const *operands,
                          size_t count)
{
    for (size_t i = 0; i < usage->option_count; i++) {
        const Option *option = &usage->options[i];
        if (option->required && !given[i])
            return report_usage(usage->verb, "--%s is missing: give %s %s", option->name,
                                option == find_output(usage) ? "-o" : "it", option->value);
    }
    if (count < usage->operands_least)
        return report_usage(usage->verb, "too few names: the use is brume %s %s", usage->verb,
                            usage->synopsis);
    if (count > usage->operands_most)
        return report_usage(usage->verb, "%.100s is one too many: the use is brume %s %s",
                            operands[usage->operands_most], usage->verb, usage->synopsis);
    return OPTIONS_GO_ON;
}

int options_parse(const Usage *usage, int argc, char **argv, CommonOptions *common,
                  char ***operands, size_t *operand_count)
{
    *common = (CommonOptions){0};
    struct option *table = make_table(usage);
    bool *given = calloc(usage->option_count + 1, sizeof *given);
    int code = EXIT_FAILED;
    if (table == NULL || given == NULL) {
        Error err;
        error_set(&err, "out of memory");
        report_failure(usage->verb, &err);
    } else {
        code = read_options(usage, argc, argv, common, table, given);
    }
    if (code == OPTIONS_GO_ON) {
        *operands = argv + optind;
        *operand_count = (size_t)(argc - optind);
        code = check_complete(usage, given, *operands, *operand_count);
    }
    free(given);
    free(table);
    return code;
}
