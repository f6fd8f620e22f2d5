#include "models/note_plan.h"

#include "dsp/random.h"
#include "models/categories.h"
#include "models/note_draw.h"
#include "models/note_history.h"
#include "models/note_key.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum {
    APART = 16,      /* notes between two loops, or two narrow places, that are mended */
    BEYOND = 7,      /* semitones that a tune may leave the range in which it was heard */
    FULL = 112,      /* tokens: here a decoder is about to be relieved */
    ANCHORED = 32,   /* of the heard notes that the next one is given first */
    KEPT_LEAST = 40, /* then as many of the newest notes, or up to KEPT_MOST */
    KEPT_MOST = 64,
    CATCHING_UP = 8, /* tokens that it takes with each note, until it has caught up */
    QUEUE = 1 + ANCHORED + KEPT_MOST + FULL
};

/* Periods of metre and phrase in twelfths of a beat, the longest first. */
static const uint64_t PERIODS[] = {288, 144, 96, 72, 48, 36, 24, 18, 12, 6, 1};

static const uint64_t PLAN_STREAM = (uint64_t)0x91a4 << 40;
static const double BEAT_MADE_UP = 0.5;           /* seconds */
static const double BEAT_SPREAD = 0.35;           /* of ln(beat / 0.5 s), standard deviation */
static const double LONGEST = 2.0, LONGER = 1.25; /* seconds of a step; times the longest heard */
static const double KEY_WEIGHT = 0.5;             /* how much the key that was heard is leant on */
static const real BOLD = 0.5f;    /* what flattens the logits, to leave a narrow place */
static const double EARLY = 0.06; /* seconds that a next onset may be overdue */
static const double STILL = 0.03; /* seconds before `now`: it sounds still */

struct NotePlan {
    NotePlanSettings settings;
    NoteDecoder *decoder, *next; /* the one that speaks, and the one that will relieve it */
    uint64_t length;             /* tokens in `decoder` */
    NoteToken anchor[ANCHORED];  /* the newest heard notes */
    size_t anchored;
    uint64_t time, anchor_end; /* twelfths of a beat: of the next onset; when the heard notes end */
    NoteToken queue[QUEUE];    /* what `next` is to be given */
    size_t queued, taken;      /* none queued: it is not needed yet */
    double beat, surprise;
    double tuning;                /* semitones: what is added to a category's pitch */
    double clock;                 /* seconds: onset of the next note */
    double longest;               /* seconds that a step may last */
    int lowest, highest;          /* categories */
    double leaning[NOTE_CLASSES]; /* by the pitch class of a category */
    uint64_t drawn;               /* random numbers so far */
    uint64_t free_until;          /* no loop is looked for before so many notes */
    uint64_t bold_until; /* until so many notes draws are bolder: to leave a narrow place */
    NoteHistory history;
    NotePlanned first; /* the held note, until it was handed out */
    bool holding;
    NoteTroubles troubles;
};

NotePlanSettings note_plan_defaults(void)
{
    return (NotePlanSettings){.seed = 1, .temperature = 0.85f, .top_p = 0.92f, .endless = 1};
}

int note_plan_check(const NotePlanSettings *settings, Error *err)
{
    if (!(settings->temperature >= 0.0f && settings->temperature <= 2.0f))
        return error_set(err, "temperature %g: give 0 to 2", (double)settings->temperature);
    if (!(settings->top_p >= 0.0f && settings->top_p <= 1.0f))
        return error_set(err, "top-p %g: give 0 to 1", (double)settings->top_p);
    return 0;
}

/* Semitones that the pitches lie above whole MIDI numbers, -0.5..0.5: the mean on a circle. */
static double tuning_of(const NoteHeard *heard, size_t count)
{
    const double turn = 2.0 * acos(-1.0);
    double x = 0.0, y = 0.0;
    for (size_t i = 0; i < count; i++) {
        x += cos(turn * heard[i].pitch);
        y += sin(turn * heard[i].pitch);
    }
    return count && hypot(x, y) > 1e-9 ? atan2(y, x) / turn : 0.0;
}

/* Pitch categories of what was heard, and the tuning and octave that lead back. */
static int hear_pitches(NotePlan *plan, const NoteHeard *heard, size_t count, NoteToken *tokens,
                        Error *err)
{
    double *pitches = malloc((count + 1) * sizeof *pitches), classes[NOTE_CLASSES] = {0.0};
    if (!pitches)
        return error_set(err, "out of memory for %zu notes", count);
    const double tuning = tuning_of(heard, count);
    for (size_t i = 0; i < count; i++)
        pitches[i] = round(heard[i].pitch - tuning);
    const int octaves = count ? note_octaves(pitches, count) : 0;
    plan->tuning = tuning - octaves;
    plan->lowest = count ? NOTE_PITCHES : 24;
    plan->highest = count ? 0 : 43;
    for (size_t i = 0; i < count; i++) {
        const int pitch = note_pitch_category((int)fmin(fmax(pitches[i] + octaves, 0.0), 150.0));
        tokens[i].pitch = (uint8_t)pitch;
        plan->lowest = pitch < plan->lowest ? pitch : plan->lowest;
        plan->highest = pitch > plan->highest ? pitch : plan->highest;
        classes[pitch % NOTE_CLASSES]++;
    }
    note_key_leaning(classes, plan->leaning);
    free(pitches);
    return 0;
}

/* Steps and lengths (but for the last note) under a beat; sets the clock on the last onset, and the
 * beat as it is there. */
static void hear_steps(NotePlan *plan, const NoteHeard *heard, size_t count, double beat,
                       uint8_t *steps, NoteToken *tokens)
{
    double late = 0.0;
    const double unit = beat / NOTE_GRID;
    const NoteBeat fit = note_steps_fit(heard, count, beat, steps, &late);
    for (size_t i = 0; i + 1 < count; i++) {
        tokens[i].step = steps[i];
        tokens[i].length =
            (uint8_t)note_length_category(heard[i].seconds, note_step_units(steps[i]) * unit);
    }
    plan->beat = fit.seconds;
    plan->clock = heard[count - 1].onset - late;
}

static double nats(const real *logits, size_t n, int target)
{
    return softmax_loss(1, n, logits, &target, 0, NULL);
}

/* Gives the decoder all heard notes but the last; returns their surprise in nats, and that of the
 * last one's pitch. */
static double prefix(NotePlan *plan, const NoteToken *tokens, size_t count)
{
    real logits[DRAW_MOST];
    double sum = 0.0;
    note_decoder_reset(plan->decoder);
    note_decoder_push(plan->decoder, (NoteToken){count ? NOTE_OPEN : NOTE_START, 0, 0});
    for (size_t i = 0; i < count; i++) {
        const NoteToken token = tokens[i];
        note_decoder_pitches(plan->decoder, logits);
        sum += nats(logits, NOTE_PITCHES + 1, token.pitch);
        if (i + 1 == count)
            break;
        note_decoder_steps(plan->decoder, token.pitch, logits);
        sum += nats(logits, NOTE_STEPS, token.step);
        note_decoder_push(plan->decoder, token);
    }
    return sum;
}

/* The idea of the beat under which the notes surprise least. */
static double choose_beat(NotePlan *plan, const NoteHeard *heard, size_t count, uint8_t *steps,
                          NoteToken *tokens)
{
    NoteBeat beats[NOTE_BEATS];
    const size_t ideas = note_beats_find(heard, count, beats);
    double best = BEAT_MADE_UP, least = INFINITY;
    for (size_t b = 0; b < ideas; b++) {
        hear_steps(plan, heard, count, beats[b].seconds, steps, tokens);
        const double surprise = prefix(plan, tokens, count);
        const double pace = log(beats[b].seconds / BEAT_MADE_UP) / BEAT_SPREAD;
        const double cost = surprise + beats[b].misfit + 0.5 * pace * pace;
        if (cost < least) {
            least = cost;
            best = beats[b].seconds;
            plan->surprise = surprise / (double)count;
        }
    }
    return best;
}

static double draw_uniform(NotePlan *plan)
{
    return random_uniform(plan->settings.seed, PLAN_STREAM, plan->drawn++);
}

static size_t draw(NotePlan *plan, size_t n, const real *logits)
{
    return category_draw(n, logits, (double)plan->settings.temperature,
                         (double)plan->settings.top_p, draw_uniform(plan));
}

static void remember(NotePlan *plan, NoteToken token)
{
    note_history_add(&plan->history, token);
    plan->time += (uint64_t)note_step_units(token.step);
    plan->length++;
    note_decoder_push(plan->decoder, token);
    if (plan->queued)
        plan->queue[plan->queued++] = token;
}

/* How many of the newest notes to keep: the number whose first lies at the same place of the metre
 * as the end of the heard notes, which will stand before it, and in as long a period as can be. */
static uint64_t choose_kept(const NotePlan *plan)
{
    uint64_t best = KEPT_LEAST, onset = plan->time;
    size_t best_period = sizeof PERIODS / sizeof *PERIODS;
    for (uint64_t back = 1; back <= KEPT_MOST; back++) {
        onset -= (uint64_t)note_step_units(note_history_before(&plan->history, back)->step);
        for (size_t p = 0; back >= KEPT_LEAST && p < best_period; p++)
            if (onset % PERIODS[p] == plan->anchor_end % PERIODS[p]) {
                best = back;
                best_period = p;
            }
    }
    return best;
}

/* A model is trained on so many notes and no more, and what it makes of its own for long grows
 * narrower and narrower. So before that a second decoder begins, with the heard notes and the
 * newest ones as if they followed each other; it catches up, a few tokens with each note, and takes
 * over. */
static void relieve(NotePlan *plan)
{
    if (!plan->queued && plan->length >= FULL &&
        plan->history.count >= KEPT_MOST + plan->anchored) {
        const uint64_t kept = choose_kept(plan);
        note_decoder_reset(plan->next);
        plan->taken = 0;
        plan->queue[plan->queued++] = (NoteToken){NOTE_OPEN, 0, 0};
        for (size_t i = 0; i < plan->anchored; i++)
            plan->queue[plan->queued++] = plan->anchor[i];
        for (uint64_t back = kept; back > 0; back--)
            plan->queue[plan->queued++] = *note_history_before(&plan->history, back);
    }
    for (int i = 0; i < CATCHING_UP && plan->taken < plan->queued; i++)
        note_decoder_push(plan->next, plan->queue[plan->taken++]);
    if (plan->queued && plan->taken == plan->queued) {
        NoteDecoder *relieved = plan->decoder;
        plan->decoder = plan->next;
        plan->next = relieved;
        plan->length = plan->queued;
        plan->queued = plan->taken = 0;
    }
}

/* Bars the steps that end before `earliest` seconds after the note's onset, and those that last too
 * long if that leaves any. */
static void bar_steps(const NotePlan *plan, double earliest, real *logits)
{
    const double unit = plan->beat / NOTE_GRID;
    double longest = INFINITY;
    for (unsigned s = 0; s < NOTE_STEPS; s++)
        if (note_step_units(s) * unit >= earliest && note_step_units(s) * unit <= plan->longest)
            longest = plan->longest;
    for (unsigned s = 0; s < NOTE_STEPS; s++) {
        const double seconds = note_step_units(s) * unit;
        if (seconds < earliest || seconds > longest)
            logits[s] = (real)-INFINITY;
    }
}

/* The clock on the last onset goes forward by whole bars of four beats until the longest step there
 * is can reach `now`. */
static void wait_for(NotePlan *plan, double now)
{
    const double bar = 4.0 * plan->beat;
    const double most = note_step_units(NOTE_STEPS - 1) * plan->beat / NOTE_GRID;
    const double over = now - plan->clock - most;
    if (over > 0.0)
        plan->clock += ceil(over / bar) * bar;
}

/* The last heard note: its step and length, of which only the beginning was heard. */
static void finish_last(NotePlan *plan, const NoteHeard *last, double now, NoteToken token)
{
    real logits[DRAW_MOST];
    const double unit = plan->beat / NOTE_GRID;
    const bool sounds = last->onset + last->seconds > now - STILL;
    note_decoder_steps(plan->decoder, token.pitch, logits);
    wait_for(plan, now);
    bar_steps(plan, now - EARLY - plan->clock, logits);
    token.step = (uint8_t)draw(plan, NOTE_STEPS, logits);
    const double step = note_step_units(token.step) * unit;
    note_decoder_lengths(plan->decoder, token.pitch, token.step, logits);
    if (sounds) {
        for (unsigned l = 0; l + 1 < NOTE_LENGTHS; l++)
            if (note_length_share(l) * step < now - plan->clock)
                logits[l] = (real)-INFINITY;
        token.length = (uint8_t)draw(plan, NOTE_LENGTHS, logits);
    } else {
        token.length = (uint8_t)note_length_category(last->seconds, step);
    }
    plan->first = (NotePlanned){.onset = last->onset,
                                .seconds = note_length_share(token.length) * step,
                                .step = plan->clock + step - last->onset,
                                .pitch = last->pitch,
                                .held = 1};
    plan->holding = sounds;
    plan->clock += step;
    remember(plan, token);
}

/* All that is heard -> decoder, clock, ranges. */
static int hear(NotePlan *plan, const NoteHeard *heard, size_t count, double now, Error *err)
{
    NoteToken *tokens = calloc(count + 1, sizeof *tokens);
    uint8_t *steps = calloc(count + 1, sizeof *steps);
    int failed = !tokens || !steps;
    if (failed)
        error_set(err, "out of memory for %zu notes", count);
    failed = failed || hear_pitches(plan, heard, count, tokens, err);
    if (!failed && count) {
        const double beat = choose_beat(plan, heard, count, steps, tokens);
        hear_steps(plan, heard, count, beat, steps, tokens);
        for (size_t i = 0; i + 1 < count; i++) {
            const double step = note_step_units(steps[i]) * plan->beat / NOTE_GRID;
            plan->longest = fmax(plan->longest, LONGER * step);
            note_history_add(&plan->history, tokens[i]);
            plan->time += (uint64_t)note_step_units(steps[i]);
        }
        prefix(plan, tokens, count);
        plan->length = count;
        finish_last(plan, &heard[count - 1], now, tokens[count - 1]);
        plan->anchored = count < ANCHORED ? count : ANCHORED;
        for (size_t i = 0; i < plan->anchored; i++)
            plan->anchor[i] = *note_history_before(&plan->history, plan->anchored - i);
        plan->anchor_end = plan->time;
    } else if (!failed) {
        prefix(plan, tokens, 0);
        plan->length = 1;
    }
    free(tokens);
    free(steps);
    return failed ? -1 : 0;
}

NotePlan *note_plan_create(const NoteModel *model, const real *weights, const NoteHeard *heard,
                           size_t count, double now, const NotePlanSettings *settings, Error *err)
{
    if (note_plan_check(settings, err))
        return NULL;
    NotePlan *plan = calloc(1, sizeof *plan);
    if (!plan) {
        error_set(err, "out of memory for a plan");
        return NULL;
    }
    plan->settings = *settings;
    plan->beat = BEAT_MADE_UP;
    plan->surprise = NAN;
    plan->clock = now;
    plan->longest = LONGEST;
    plan->decoder = note_decoder_create(model, weights, err);
    plan->next = note_decoder_create(model, weights, err);
    if (!plan->decoder || !plan->next || hear(plan, heard, count, now, err)) {
        note_plan_destroy(plan);
        return NULL;
    }
    return plan;
}

void note_plan_destroy(NotePlan *plan)
{
    if (!plan)
        return;
    note_decoder_destroy(plan->decoder);
    note_decoder_destroy(plan->next);
    free(plan);
}

static bool is_stray(const NotePlan *plan, size_t pitch)
{
    return pitch != NOTE_END &&
           ((int)pitch < plan->lowest - BEYOND || (int)pitch > plan->highest + BEYOND);
}

/* Where few pitches are left, the next notes are drawn from more of them. */
static void leave_narrow_places(NotePlan *plan)
{
    if (plan->history.count < plan->bold_until + APART || !note_history_is_narrow(&plan->history))
        return;
    plan->troubles.narrow++;
    plan->bold_until = plan->history.count + APART;
}

/* A pitch (or the end); drawn again, without it, where it would make trouble. */
static size_t draw_pitch(NotePlan *plan)
{
    real logits[DRAW_MOST];
    leave_narrow_places(plan);
    note_decoder_pitches(plan->decoder, logits);
    const real bold = plan->history.count < plan->bold_until ? BOLD : 1;
    for (size_t p = 0; p < NOTE_PITCHES; p++)
        logits[p] = bold * logits[p] + (real)(KEY_WEIGHT * plan->leaning[p % NOTE_CLASSES]);
    if (plan->settings.endless)
        logits[NOTE_END] = (real)-INFINITY;
    for (;;) {
        const size_t pitch = draw(plan, NOTE_PITCHES + 1, logits);
        if (is_stray(plan, pitch)) {
            plan->troubles.strays++;
        } else if (note_history_is_stuck(&plan->history, pitch)) {
            plan->troubles.stuck++;
        } else if (plan->history.count >= plan->free_until &&
                   note_history_is_loop(&plan->history, pitch)) {
            plan->troubles.loops++;
            plan->free_until = plan->history.count + APART;
        } else {
            return pitch;
        }
        logits[pitch] = (real)-INFINITY; /* one less each time: this ends */
    }
}

int note_plan_next(NotePlan *plan, NotePlanned *note)
{
    real logits[DRAW_MOST];
    NoteToken token;
    if (plan->holding) {
        plan->holding = false;
        *note = plan->first;
        return 1;
    }
    relieve(plan);
    const size_t pitch = draw_pitch(plan);
    if (pitch == NOTE_END)
        return 0;
    token.pitch = (uint8_t)pitch;
    note_decoder_steps(plan->decoder, token.pitch, logits);
    bar_steps(plan, 0.0, logits);
    token.step = (uint8_t)draw(plan, NOTE_STEPS, logits);
    note_decoder_lengths(plan->decoder, token.pitch, token.step, logits);
    token.length = (uint8_t)draw(plan, NOTE_LENGTHS, logits);
    const double step = note_step_units(token.step) * plan->beat / NOTE_GRID;
    *note = (NotePlanned){.onset = plan->clock,
                          .seconds = note_length_share(token.length) * step,
                          .step = step,
                          .pitch = token.pitch + NOTE_LOWEST + plan->tuning};
    plan->clock += step;
    remember(plan, token);
    return 1;
}

void note_plan_set(NotePlan *plan, float temperature, float top_p)
{
    plan->settings.temperature = temperature;
    plan->settings.top_p = top_p;
}

double note_plan_beat(const NotePlan *plan)
{
    return plan->beat;
}

double note_plan_surprise(const NotePlan *plan)
{
    return plan->surprise;
}

NoteTroubles note_plan_troubles(const NotePlan *plan)
{
    return plan->troubles;
}
