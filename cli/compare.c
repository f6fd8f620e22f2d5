#include "cli/compare_sounds.h"
#include "cli/grade.h"
#include "cli/options.h"
#include "cli/progress.h"
#include "cli/report.h"
#include "cli/verbs.h"
#include "dsp/texture_copies.h"
#include "dsp/texture_distance.h"

#include <stdio.h>

typedef struct CompareRequest {
    const char *real, *other, *learnt; /* paths; learnt may be NULL */
    CommonOptions common;
    Progress progress;
} CompareRequest;

/* All that was measured. */
typedef struct Comparison {
    TextureDistance distance;
    TextureCopies copies;
    bool has_copies;
    Error no_copies; /* why not */
    double real_seconds, other_seconds;
} Comparison;

typedef struct GroupName {
    const char *json, *shown, *means;
} GroupName;

static const GroupName groups[TEXTURE_GROUPS] = {
    [TEXTURE_MEAN] = {"mean", "spectrum", "how loud each band is"},
    [TEXTURE_VARIATION] = {"variation", "depth", "how much each band's loudness moves"},
    [TEXTURE_SKEWNESS] = {"skewness", "skewness", "whether it moves in peaks or in dips"},
    [TEXTURE_KURTOSIS] = {"kurtosis", "rarity", "how far its rarest moments stand out"},
    [TEXTURE_CORRELATION] = {"correlation", "together", "which bands move at the same time"},
    [TEXTURE_MODULATION] = {"modulation", "speed", "how fast each band moves"},
    [TEXTURE_MODULATION_TOGETHER] = {"modulation_correlation", "rhythm",
                                     "which bands move together at each speed"},
};

static int measure(const CompareSounds *real, const CompareSounds *other,
                   const CompareSounds *learnt, Comparison *out, Error *err)
{
    if (texture_distance(compare_sounds_view(real), real->count, compare_sounds_view(other),
                         other->count, &out->distance, err))
        return -1;
    const CompareSounds *in = learnt->count ? learnt : real;
    out->has_copies = !texture_copies(
        compare_sounds_view(other), other->count, compare_sounds_view(in), in->count,
        compare_sounds_view(real), learnt->count ? real->count : 0, &out->copies, &out->no_copies);
    out->real_seconds = real->seconds;
    out->other_seconds = other->seconds;
    return 0;
}

static void print_json_figures(const TextureDistance *distance, size_t figure, const char *ratio)
{
    report_json_number(stdout, ratio, distance->ratio[figure], ", ");
    report_json_number(stdout, "bias", distance->bias[figure], ", ");
    report_json_number(stdout, "bias_floor", distance->bias_floor[figure], ", ");
    report_json_number(stdout, "spread", distance->spread[figure], "");
}

static void print_json(const Comparison *found)
{
    const TextureDistance *distance = &found->distance;
    printf("{");
    print_json_figures(distance, TEXTURE_TOTAL, "total");
    printf(",\n \"groups\": {");
    for (size_t g = 0; g < TEXTURE_GROUPS; g++) {
        printf("%s\"%s\": {", g ? ",\n  " : "", groups[g].json);
        print_json_figures(distance, g, "ratio");
        printf("}");
    }
    printf("},\n \"memorisation\": ");
    if (found->has_copies) {
        printf("{");
        report_json_number(stdout, "ratio", found->copies.ratio, ", ");
        report_json_number(stdout, "copied", found->copies.copied, ", ");
        report_json_number(stdout, "nearest_db", found->copies.nearest, ", ");
        report_json_number(stdout, "unheard_db", found->copies.unheard, "}");
    } else {
        printf("null");
    }
    printf(",\n ");
    report_json_number(stdout, "level_difference_db", distance->level, ", ");
    report_json_number(stdout, "window_s", distance->window, ", ");
    report_json_number(stdout, "reference_s", found->real_seconds, ", ");
    report_json_number(stdout, "compared_s", found->other_seconds, "}\n");
}

static const char *verdict(double total)
{
    static const char *const words[] = {
        [GRADE_AS_REAL] = "as near as the reference is to itself",
        [GRADE_NEAR] = "near",
        [GRADE_LIKENESS] = "a likeness",
        [GRADE_FAR] = "another texture",
    };
    return words[grade_of(total)];
}

static void print_row(const char *name, const TextureDistance *distance, size_t figure,
                      const char *means)
{
    printf("%-12s  %6.2f  %6.2f (%.2f)  %6.2f  %s\n", name, distance->ratio[figure],
           distance->bias[figure], distance->bias_floor[figure], distance->spread[figure], means);
}

/* What makes the figures worth less than they look. */
static void print_notes(const Comparison *found)
{
    if (found->real_seconds < GRADE_SHORT_REFERENCE)
        printf("note: the reference lasts %.1f s: under %g s the figures are rough; see what "
               "another recording of the same gets\n",
               found->real_seconds, GRADE_SHORT_REFERENCE);
    if (found->distance.spread[TEXTURE_TOTAL] < GRADE_LEAST_SPREAD)
        printf("note: the sound is more uniform than the reference, and that lowers TOTAL\n");
    if (found->has_copies && found->copies.ratio < GRADE_LEAST_MEMORISATION)
        printf("note: parts of it are copies, and they lower TOTAL\n");
}

static void print_text(const Comparison *found)
{
    const TextureDistance *distance = &found->distance;
    printf("TOTAL %.2f  %s (1.00)\n\n", distance->ratio[TEXTURE_TOTAL],
           verdict(distance->ratio[TEXTURE_TOTAL]));
    printf("%-12s  %6s  %6s %6s  %6s\n", "", "ratio", "bias", "(real)", "spread");
    for (size_t g = 0; g < TEXTURE_GROUPS; g++)
        print_row(groups[g].shown, distance, g, groups[g].means);
    print_row("all", distance, TEXTURE_TOTAL, "");
    if (found->has_copies)
        printf("memorisation  %6.2f  %.0f %% copied; 1: as new as unheard sound, under 0.5: "
               "copies\n",
               found->copies.ratio, 100.0 * found->copies.copied);
    else
        printf("memorisation  not measured: %s\n", found->no_copies.message);
    printf("level         %+6.1f  dB\n", distance->level);
    printf("windows of %.2f s out of %.1f s, and out of %.1f s of the reference\n",
           distance->window, found->other_seconds, found->real_seconds);
    print_notes(found);
}

/* Reads all, measures and prints. */
static int compare(CompareRequest *request, Error *err)
{
    CompareSounds real = {NULL, 0, 0.0}, other = real, learnt = real;
    Comparison found = {.has_copies = false};
    TextureEar *ear = texture_ear_create(err);
    const int failed =
        !ear || compare_sounds_read(request->real, ear, &request->progress, &real, err) ||
        compare_sounds_read(request->other, ear, &request->progress, &other, err) ||
        (request->learnt &&
         compare_sounds_read(request->learnt, ear, &request->progress, &learnt, err)) ||
        measure(&real, &other, &learnt, &found, err);
    progress_end(&request->progress);
    if (!failed && request->common.json)
        print_json(&found);
    else if (!failed)
        print_text(&found);
    texture_ear_destroy(ear);
    compare_sounds_free(&real);
    compare_sounds_free(&other);
    compare_sounds_free(&learnt);
    return failed ? -1 : 0;
}

int verb_compare(int argc, char **argv)
{
    CompareRequest request = {.learnt = NULL};
    const Option options[] = {
        OPTION_STRING("learnt", &request.learnt, "PATH",
                      "what the compared sound's model learnt, to look for copies of it; the "
                      "reference if not given"),
    };
    const Usage usage = {
        .verb = "compare",
        .synopsis = "REFERENCE SOUND",
        .summary =
            "Measures how far the texture of SOUND is from that of REFERENCE: TOTAL 1 is as near "
            "as the\nreference is to itself. Each is a sound file or a folder of them.",
        .options = options,
        .option_count = sizeof options / sizeof options[0],
        .operands_least = 2,
        .operands_most = 2};
    char **operands;
    size_t count;
    Error err = {""};
    const int code = options_parse(&usage, argc, argv, &request.common, &operands, &count);
    if (code != OPTIONS_GO_ON)
        return code;
    request.real = operands[0];
    request.other = operands[1];
    progress_begin(&request.progress, request.common.quiet);
    return compare(&request, &err) ? report_failure("compare", &err) : EXIT_DONE;
}
