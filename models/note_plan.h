/* The plan: which notes follow those that were heard. Their beat, octave and tuning are found; a
 * decoder is given them as its prefix; then notes are drawn one by one, for ever or to the tune's
 * end, leaning on the key that was heard. A pure function of model, heard notes, settings. */
#ifndef BRUME_MODELS_NOTE_PLAN_H
#define BRUME_MODELS_NOTE_PLAN_H

#include "models/note_beat.h"
#include "models/note_model.h"

typedef struct NotePlanSettings {
    uint64_t seed;
    float temperature; /* 0 (greedy: always the likeliest) to 2 */
    float top_p; /* 0..1: draw from the likeliest that hold this share (Holtzman et al. 2020) */
    int endless; /* 1: no end of the tune */
} NotePlanSettings;

/* A note to be played. */
typedef struct NotePlanned {
    double onset;   /* seconds, on the clock of the heard notes */
    double seconds; /* that it sounds */
    double step;    /* seconds to the next onset */
    double pitch;   /* MIDI number, in the octave and tuning of what was heard */
    int held;       /* 1: it is the last heard note, which goes on (only ever the first planned) */
} NotePlanned;

/* What went wrong and was mended since the plan began. */
typedef struct NoteTroubles {
    unsigned stuck;  /* one pitch too often in a row */
    unsigned loops;  /* the same notes three times over, or more */
    unsigned narrow; /* a few pitches for too long */
    unsigned strays; /* pitches far from where the tune was heard */
} NoteTroubles;

typedef struct NotePlan NotePlan;

/* Seed 1, temperature 0.85, top-p 0.92, endless. */
NotePlanSettings note_plan_defaults(void);

/* Ranges of the settings; -1 names the fault. */
int note_plan_check(const NotePlanSettings *settings, Error *err);

/* Plans on from `count` heard notes (0 is possible: then a tune is made up, at 120 beats a minute)
 * at time `now` (seconds, not before the last onset). Model and weights must outlive it. Not on the
 * audio thread (allocates, and takes some 10 ms a heard note for each idea of the beat). */
NotePlan *note_plan_create(const NoteModel *model, const real *weights, const NoteHeard *heard,
                           size_t count, double now, const NotePlanSettings *settings, Error *err);
void note_plan_destroy(NotePlan *plan);

/* The next note; 0 when the tune has ended. Takes a few ms; allocates nothing. */
int note_plan_next(NotePlan *plan, NotePlanned *note);

/* From the next note on: other temperature and top-p. */
void note_plan_set(NotePlan *plan, float temperature, float top_p);

/* Seconds of a beat; the surprise of the heard notes in nats a note under the best idea of the beat
 * (NaN with fewer than 3); what was mended. */
double note_plan_beat(const NotePlan *plan);
double note_plan_surprise(const NotePlan *plan);
NoteTroubles note_plan_troubles(const NotePlan *plan);

#endif
