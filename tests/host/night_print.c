/* What a long night came to. */
#include "tests/host/guard.h"
#include "tests/host/night.h"

#include <inttypes.h>
#include <stdio.h>

bool night_is_quiet(const NightReport *report, bool dry)
{
    return report->insane + report->meters + report->bypassed + report->mute + report->stuck == 0 &&
           report->violations == 0 && (report->underruns == 0 || !dry) &&
           report->growth.counted < NIGHT_EXACT && report->growth.malloced < NIGHT_FLAT &&
           report->growth.resident < NIGHT_FLAT && report->within < NIGHT_FLAT;
}

static void row(const char *what, uint64_t count)
{
    printf("| %s | %" PRIu64 " |\n", what, count);
}

static void print_deeds(const NightReport *report)
{
    printf("| hours of sound | %.2f |\n", report->seconds / 3600);
    printf("| ... in minutes of the clock | %.1f |\n", report->took / 60);
    row("blocks", report->blocks);
    row("instances, one after another, six rates", report->instances);
    row("activations", report->activations);
    row("controls moved", report->knobs);
    row("modes chosen", report->modes);
    row("models chosen (half are refused)", report->swaps);
    row("melody models chosen (half are refused)", report->melodies);
    row("jumps of the transport", report->jumps);
    row("times bypassed", report->bypasses);
    row("states saved", report->saves);
    row("states and presets restored", report->restores);
    row("MIDI messages", report->keys);
    row("exports begun", report->exports);
    row("proofs of life", report->proofs);
    printf("| loudest sample (bound: %.2f) | %.2f |\n", (double)NIGHT_PEAK, (double)report->peak);
}

static void print_faults(const NightReport *report)
{
    row("**must be 0:** samples that are NaN, infinite, denormal or too loud", report->insane);
    row("... violations on the audio thread", (uint64_t)report->violations);
    row("... underruns", report->underruns);
    row("... blocks with an impossible meter", report->meters);
    row("... bypassed blocks that are not the input", report->bypassed);
    row("... proofs of life that failed", report->mute);
    row("... calls of run() of 15 s or more", report->stuck);
    printf(
        "| **must be below %.4f MiB:** growth between instances, allocated, to the byte | %.4f |\n"
        "| **must be below %.0f MiB:** ... allocated, as malloc says (mallinfo2) | %.4f |\n"
        "| ... resident, of no file | %.3f |\n"
        "| growth within an instance's life, allocated | %.4f |\n",
        NIGHT_EXACT, report->growth.counted, NIGHT_FLAT, report->growth.malloced,
        report->growth.resident, report->within);
}

void night_print(const NightPlan *plan, const NightReport *report)
{
    printf("| %s, seed %" PRIu64 " | |\n|---|---|\n", plan->paced ? "in real time" : "freewheeling",
           plan->seed);
    print_deeds(report);
    print_faults(report);
    printf("| longest stall of the machine: ms | %.1f |\n| latest block: ms | %.1f |\n"
           "| longest run(): ms | %.1f |\n",
           1e3 * report->stall, 1e3 * report->late, 1e3 * report->longest);
    if (!guard_watches())
        printf("\nUnder a sanitizer: neither the audio thread's promises nor the memory are "
               "watched.\n");
    else if (!guard_watches_system())
        printf("\nThis system does not hand over system calls: only allocations and locks are "
               "watched.\n");
    printf("\n");
}
