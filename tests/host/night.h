/* A long night: instances that live one after another, each at its own rate, played with everything
 * that a player and a host do, drawn from a seed. What must never happen is counted. */
#ifndef BRUME_TESTS_NIGHT_H
#define BRUME_TESTS_NIGHT_H

#include <stdbool.h>
#include <stdint.h>

/* As loud as it can be: dry and wet at 12 dB, an input of 1, and two limited sounds that crossfade
 * at equal power. */
#define NIGHT_PEAK (3.9811F * (1.0F + 1.41422F))

/* Growth of the memory that is none: MiB. What is counted to the byte, while nothing is open, is
 * flatter than what malloc and the system keep for later. */
#define NIGHT_FLAT  1.0
#define NIGHT_EXACT (1.0 / 64)

typedef struct NightPlan {
    uint64_t seed;
    double seconds; /* of sound */
    double life;    /* seconds of sound that an instance lives for, at most */
    bool paced;     /* as fast as a sound card; else freewheeling, as fast as it goes */
    bool tells;     /* what it does, on standard error */
    bool tiny;      /* with the tiny model, which answers nothing: for what slows models down */
} NightPlan;

/* MiB: allocated as the guard counts it and as malloc does (mallinfo2), and anonymous pages that
 * are resident, after malloc_trim. */
typedef struct NightMemory {
    double counted, malloced, resident;
} NightMemory;

/* What was done, and what went wrong. */
typedef struct NightReport {
    double seconds, took;
    uint64_t blocks, knobs, modes, swaps, melodies, jumps, bypasses, saves, restores, keys, exports,
        activations, instances, proofs;
    float peak;

    /* Each must be 0. */
    uint64_t insane;   /* samples: NaN, infinities, denormals, beyond NIGHT_PEAK */
    uint64_t meters;   /* blocks after which an output control said what cannot be */
    uint64_t bypassed; /* blocks of a bypassed instance that are not what came in */
    uint64_t mute;     /* proofs of life without a sound, or with a status that is stuck */
    uint64_t stuck;    /* calls of run() that took 15 seconds or more */
    uint64_t underruns;
    long violations; /* of the audio thread's promises: see guard.h */

    NightMemory first, growth; /* after warming up; since then, at most, between instances */
    double within;             /* growth of what is counted within an instance's life, at most */

    /* What the machine did, to judge an underrun by. Seconds. */
    double stall; /* longest by which a thread that only sleeps woke too late */
    double late;  /* longest by which a block began too late */
    double longest;
} NightReport;

/* Plays. */
void night_run(const NightPlan *plan, NightReport *report);

/* Whether all is 0, and the memory is flat. Underruns count if `dry` says so. */
bool night_is_quiet(const NightReport *report, bool dry);

/* The report as a table. */
void night_print(const NightPlan *plan, const NightReport *report);

#endif
