#include "cli/options.h"
#include "cli/report.h"
#include "cli/verbs.h"
#include "models/catalogue.h"
#include "models/safetensors.h"

#include <stdio.h>

static size_t parameters_of(const Safetensors *file)
{
    size_t sum = 0;
    for (size_t i = 0; i < safetensors_count(file); i++) {
        SafetensorsInfo info;
        if (!safetensors_find(file, safetensors_name(file, i), &info, NULL))
            sum += info.elements;
    }
    return sum;
}

static void print_card(const char *path, const Safetensors *file)
{
    printf("%-20s ", "file");
    report_text(stdout, path, 0);
    printf("\n%-20s %zu in %zu tensors\n", "values", parameters_of(file), safetensors_count(file));
    for (size_t i = 0; i < safetensors_metadata_count(file); i++) {
        const char *key = safetensors_metadata_key(file, i);
        report_text(stdout, key, 20);
        putchar(' ');
        report_text(stdout, safetensors_metadata(file, key), 0);
        putchar('\n');
    }
}

static void print_json(const char *path, const Safetensors *file)
{
    printf("{\"file\": ");
    report_json_string(stdout, path);
    printf(", \"values\": %zu, \"tensors\": %zu", parameters_of(file), safetensors_count(file));
    for (size_t i = 0; i < safetensors_metadata_count(file); i++) {
        const char *key = safetensors_metadata_key(file, i);
        printf(", ");
        report_json_string(stdout, key);
        printf(": ");
        report_json_string(stdout, safetensors_metadata(file, key));
    }
    printf("}\n");
}

int verb_info(int argc, char **argv)
{
    CommonOptions common;
    const Usage usage = {.verb = "info",
                         .synopsis = "MODEL",
                         .summary = "Prints a model's card: what it is, what it learnt from, its "
                                    "licence and figures.",
                         .operands_least = 1,
                         .operands_most = 1};
    char **operands;
    size_t count;
    const int code = options_parse(&usage, argc, argv, &common, &operands, &count);
    if (code != OPTIONS_GO_ON)
        return code;
    Error err = {""};
    char path[4096];
    if (catalogue_locate(operands[0], NULL, path, sizeof path, &err))
        return report_failure("info", &err);
    Safetensors *file = safetensors_open(path, &err);
    if (!file)
        return report_failure("info", &err);
    if (common.json)
        print_json(path, file);
    else
        print_card(path, file);
    safetensors_destroy(file);
    return EXIT_DONE;
}
