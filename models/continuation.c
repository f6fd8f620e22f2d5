#include "models/continuation.h"

#include "dsp/random.h"
#include "models/melody_features.h"
#include "models/note_plan.h"
#include "models/predictor.h"
#include "models/timbre.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { FRAME = MELODY_HOP, LOOK = FRAME + PREDICTOR_AHEAD + 1, LEAST_NOTES = 3 };

/* Notes are planned so far ahead; the predictor hears the last so much of the prompt before it
 * plays. */
static const double AHEAD_SECONDS = 4.0, PRIMING_SECONDS = 1.0;

/* Of the sample tier: under 1, frames stray less from the plan (tests/bench/MELODY.md). */
static const double SAMPLE_TEMPERATURE = 0.7;

/* Streams of the dice; the notes have theirs within the note tier. */
enum { DICE_SAMPLES = 0x6d656c6f, DICE_LEVELS };

/* Levels of notes lie about the usual one as the prompt's do, but not further than this, dB. */
static const float MOST_LOUDER = 4.0F;

/* A frame that is planned but not yet played. */
typedef struct Frame {
    float anchor[FRAME], condition[MELODY_CONDITION], period;
} Frame;

struct Continuation {
    ContinuationSettings settings;
    ContinuationReport report;
    double joined; /* seconds of the prompt */

    NotePlan *plan;
    NotePlanned pending; /* planned, but not yet given to the frame tier */
    bool is_pending;

    Timbre *timbre;
    TimbreStream *stream;
    float usual, spread; /* levels of the prompt's notes: dBFS, dB */
    Frame now, next;

    Predictor *predictor;
    PredictorState *state;
    float played[FRAME];
    size_t at; /* samples of `played` that were read */
};

ContinuationSettings continuation_defaults(void)
{
    const NotePlanSettings notes = note_plan_defaults();
    return (ContinuationSettings){
        .seed = notes.seed, .temperature = notes.temperature, .top_p = notes.top_p};
}

static NotePlanSettings note_settings(const ContinuationSettings *settings)
{
    NotePlanSettings notes = note_plan_defaults();
    notes.seed = settings->seed;
    notes.temperature = settings->temperature;
    notes.top_p = settings->top_p;
    return notes;
}

int continuation_check(const ContinuationSettings *settings, Error *err)
{
    const NotePlanSettings notes = note_settings(settings);
    if (!(settings->after >= 0 && settings->after <= 60))
        return error_set(err, "an answer %g s after its question: 0 to 60 s are possible",
                         settings->after);
    return note_plan_check(&notes, err);
}

static bool is_cancelled(const atomic_bool *cancel)
{
    return cancel && atomic_load_explicit(cancel, memory_order_relaxed);
}

/* Says what is wrong with a prompt that is no melody. */
static int judge(const Notes *notes, size_t n, Error *err)
{
    if (notes->level <= -100.0F)
        return error_set(err, "it is silent: play or record a melody, and try again");
    if (notes->count < LEAST_NOTES)
        return error_set(err, "%zu note%s in %.1f s are too few to carry on: it takes %d or more",
                         notes->count, notes->count == 1 ? "" : "s", (double)n / MELODY_RATE,
                         LEAST_NOTES);
    if (notes->sure < NOTES_UNSURE)
        return error_set(err,
                         "it is no single melody (%.0f %% sure; noise, speech or chords?): give a "
                         "tune that has one note at a time",
                         (double)(100 * notes->sure));
    return 0;
}

static int plan_notes(Continuation *continuation, const MelodyModel *model, const Notes *notes,
                      Error *err)
{
    const NotePlanSettings settings = note_settings(&continuation->settings);
    NoteHeard *heard = malloc((notes->count + 1) * sizeof *heard);
    if (!heard)
        return error_set(err, "out of memory for notes");
    for (size_t i = 0; i < notes->count; i++) {
        const Note *note = &notes->note[i];
        heard[i] = (NoteHeard){.onset = (double)note->onset / MELODY_RATE,
                               .seconds = (double)(note->off - note->onset) / MELODY_RATE,
                               .pitch = (double)note->pitch};
    }
    continuation->plan = note_plan_create(
        melody_model_notes(model), melody_model_note_weights(model), heard, notes->count,
        continuation->joined + continuation->settings.after, &settings, err);
    free(heard);
    if (!continuation->plan)
        return -1;
    continuation->report.beat = note_plan_beat(continuation->plan);
    continuation->report.surprise = note_plan_surprise(continuation->plan);
    return 0;
}

/* The next planned note into `pending`. */
static void fetch_note(Continuation *continuation)
{
    continuation->is_pending = note_plan_next(continuation->plan, &continuation->pending) != 0;
    continuation->report.played += continuation->is_pending;
    const NoteTroubles troubles = note_plan_troubles(continuation->plan);
    continuation->report.mended = troubles.stuck + troubles.loops + troubles.strays;
}

/* A time on the prompt's clock, in samples from the join. */
static uint64_t from_join(const Continuation *continuation, double seconds)
{
    const double samples = (seconds - continuation->joined) * MELODY_RATE;
    return samples > 0 ? (uint64_t)llround(samples) : 0;
}

/* How loud note number `played` is to be: the note tier knows nothing of levels. */
static float draw_level(const Continuation *continuation)
{
    float gaussian;
    random_gaussian(continuation->settings.seed, DICE_LEVELS, continuation->report.played,
                    &gaussian, 1);
    const float louder = continuation->spread * gaussian;
    return continuation->usual + fmaxf(-MOST_LOUDER, fminf(MOST_LOUDER, louder));
}

/* Gives the frame tier the notes that begin soon. */
static void feed_notes(Continuation *continuation)
{
    const uint64_t soon =
        timbre_stream_time(continuation->stream) + (uint64_t)(AHEAD_SECONDS * MELODY_RATE);
    while (continuation->is_pending) {
        const NotePlanned *pending = &continuation->pending;
        PlannedNote note = {.onset = from_join(continuation, pending->onset),
                            .off = from_join(continuation, pending->onset + pending->seconds),
                            .pitch = (float)pending->pitch,
                            .level = draw_level(continuation)};
        note.off = note.off > note.onset ? note.off : note.onset + 1;
        if (note.onset > soon || timbre_stream_note(continuation->stream, &note) < 0)
            return;
        fetch_note(continuation);
    }
}

static void plan_frame(Continuation *continuation, Frame *frame)
{
    feed_notes(continuation);
    timbre_stream_frame(continuation->stream, frame->anchor, frame->condition, &frame->period);
}

static int begin_timbre(Continuation *continuation, const float *prompt, size_t n,
                        const Notes *notes, const Partials *partials, Error *err)
{
    continuation->timbre = timbre_create(prompt, n, notes, partials, err);
    if (!continuation->timbre)
        return -1;
    timbre_levels(continuation->timbre, &continuation->usual, &continuation->spread);
    uint64_t held = 0;
    fetch_note(continuation);
    if (continuation->is_pending && continuation->pending.held) {
        held = from_join(continuation, continuation->pending.onset + continuation->pending.seconds);
        fetch_note(continuation);
    }
    continuation->stream =
        timbre_stream_create(continuation->timbre, continuation->settings.seed, held, err);
    if (!continuation->stream)
        return -1;
    const uint64_t start = (uint64_t)(continuation->settings.after * MELODY_RATE) / FRAME * FRAME;
    while (timbre_stream_time(continuation->stream) < start)
        plan_frame(continuation, &continuation->now);
    plan_frame(continuation, &continuation->now);
    plan_frame(continuation, &continuation->next);
    return 0;
}

/* The predictor hears the prompt's end as it will hear itself: with its plan. */
static void prime(Continuation *continuation, const float *prompt, const MelodyFeatures *features)
{
    const size_t frames = features->samples / FRAME, skip = features->samples % FRAME;
    const size_t least = (size_t)(PRIMING_SECONDS * MELODY_RATE) / FRAME;
    float anchor[LOOK];
    for (size_t f = frames > least ? frames - least : 0; f < frames; f++) {
        /* Whole frames that end with the prompt; what is told of a frame moves by less than one. */
        const size_t first = skip + f * FRAME;
        for (size_t i = 0; i < LOOK; i++) {
            const size_t at = first + i;
            anchor[i] = at < features->samples ? features->anchor[at]
                        : at - features->samples < FRAME
                            ? continuation->now.anchor[at - features->samples]
                            : 0.0F;
        }
        PredictorPlan plan = {.anchor = anchor};
        predictor_frame_plan(features->condition + f * MELODY_CONDITION, features->level,
                             features->period[f], &plan.frame);
        predictor_hear(continuation->state, &plan, prompt + first, NULL);
    }
}

static int begin_predictor(Continuation *continuation, const MelodyModel *model, Error *err)
{
    continuation->predictor =
        predictor_create(melody_model_samples(model), melody_model_sample_weights(model), err);
    if (!continuation->predictor)
        return -1;
    continuation->state = predictor_state_create(continuation->predictor, false, err);
    return continuation->state ? 0 : -1;
}

/* All tiers, from what was analysed. */
static int begin(Continuation *continuation, const MelodyModel *model, const float *prompt,
                 size_t n, const Notes *notes, const atomic_bool *cancel, Error *err)
{
    Partials partials;
    MelodyFeatures features;
    if (plan_notes(continuation, model, notes, err) || is_cancelled(cancel) ||
        partials_measure(prompt, n, notes, &partials, err))
        return -1;
    int failed = is_cancelled(cancel) ||
                 begin_timbre(continuation, prompt, n, notes, &partials, err) ||
                 begin_predictor(continuation, model, err);
    if (!failed && continuation->settings.after == 0) {
        failed = melody_features_from(prompt, n, notes, &partials, &features, err);
        if (!failed) {
            prime(continuation, prompt, &features);
            melody_features_clear(&features);
        }
    }
    partials_clear(&partials);
    return failed ? -1 : 0;
}

Continuation *continuation_create(const MelodyModel *model, const float *prompt, size_t n,
                                  const ContinuationSettings *settings, const atomic_bool *cancel,
                                  Error *err)
{
    const size_t most = (size_t)CONTINUATION_HEARD * MELODY_RATE, skip = n > most ? n - most : 0;
    if (continuation_check(settings, err))
        return NULL;
    Continuation *continuation = calloc(1, sizeof *continuation);
    if (!continuation) {
        error_set(err, "out of memory for a continuation");
        return NULL;
    }
    continuation->settings = *settings;
    continuation->joined = (double)(n - skip) / MELODY_RATE;
    continuation->at = FRAME;
    Notes notes;
    if (notes_analyse(prompt + skip, n - skip, &notes, err)) {
        continuation_destroy(continuation);
        return NULL;
    }
    continuation->report.sure = notes.sure;
    continuation->report.notes = notes.count;
    const int failed = judge(&notes, n - skip, err) || is_cancelled(cancel) ||
                       begin(continuation, model, prompt + skip, n - skip, &notes, cancel, err);
    notes_clear(&notes);
    if (failed) {
        continuation_destroy(continuation);
        return NULL;
    }
    return continuation;
}

void continuation_destroy(Continuation *continuation)
{
    if (!continuation)
        return;
    predictor_state_destroy(continuation->state);
    predictor_destroy(continuation->predictor);
    timbre_stream_destroy(continuation->stream);
    timbre_destroy(continuation->timbre);
    note_plan_destroy(continuation->plan);
    free(continuation);
}

/* Plays frame `now`, and plans one more. */
static void play_frame(Continuation *continuation)
{
    float anchor[LOOK];
    memcpy(anchor, continuation->now.anchor, sizeof continuation->now.anchor);
    memcpy(anchor + FRAME, continuation->next.anchor, (LOOK - FRAME) * sizeof *anchor);
    PredictorPlan plan = {.anchor = anchor};
    predictor_frame_plan(continuation->now.condition, timbre_level(continuation->timbre),
                         continuation->now.period, &plan.frame);
    const PredictorDice dice = {continuation->settings.seed, DICE_SAMPLES, SAMPLE_TEMPERATURE};
    predictor_play(continuation->state, &plan, &dice, continuation->played);
    continuation->now = continuation->next;
    plan_frame(continuation, &continuation->next);
    continuation->at = 0;
}

void continuation_read(Continuation *continuation, float *out, size_t n)
{
    for (size_t done = 0; done < n;) {
        if (continuation->at == FRAME)
            play_frame(continuation);
        const size_t left = FRAME - continuation->at, m = n - done < left ? n - done : left;
        memcpy(out + done, continuation->played + continuation->at, m * sizeof *out);
        continuation->at += m;
        done += m;
    }
}

ContinuationReport continuation_report(const Continuation *continuation)
{
    ContinuationReport report = continuation->report;
    report.recoveries = predictor_state_recoveries(continuation->state);
    return report;
}
