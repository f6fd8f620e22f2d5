#include "models/timbre_parts.h"

#include "dsp/partial_peaks.h"
#include "dsp/random.h"
#include "models/anchor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define VOICES   16
#define PIECE    16 /* samples in which amplitudes are straight */
#define PARTIALS PARTIAL_PEAKS_MOST

static const uint64_t CHOICE_STREAM = 0x74696d62; /* of random numbers */
static const float SILENT = 5e-4F; /* of the prompt's level: a voice this weak is over */

/* A note that sounds. Times are samples from the join. */
typedef struct Voice {
    const TimbreNote *note;
    double onset, off; /* before the join: negative */
    double turns;      /* of its frequency, up to now */
    float hertz, gain;
    int released;
    float before; /* how long before `off` it was let go already: of what rings on */
    float complex base[PARTIALS]; /* amplitudes when it was let go */
    float complex now[PARTIALS];
    float bend;
} Voice;

struct TimbreStream {
    const Timbre *timbre;
    uint64_t seed, time, begun;
    Voice voice[VOICES]; /* oldest first */
    size_t voices;
    PlannedNote waiting[TIMBRE_WAITING];
    size_t waits;
    float noise[NOISE_BANDS];
    float quiet; /* amplitude under which a partial is not heard */
};

static float hertz_of(float pitch)
{
    return 440.0F * exp2f((pitch - 69.0F) / 12.0F);
}

/* Age in the prompt's note that stands for `age`: the same, and past its end to and fro in its last
 * part. */
static float mapped(const TimbreNote *note, float age)
{
    const float end = note->time[note->knots - 1], start = note->time[note->loop];
    if (age <= end || end - start < 1.0F)
        return fminf(age, end);
    const float length = end - start, past = fmodf(age - end, 2.0F * length);
    return past < length ? end - past : start + (past - length);
}

/* Amplitudes and bend of a held voice at `age` samples. */
static void hold(const Voice *voice, float age, float complex *amplitude, float *bend)
{
    const TimbreNote *note = voice->note;
    const float at = mapped(note, age);
    size_t low = 0, high = note->knots - 1;
    while (low + 1 < high) {
        const size_t middle = (low + high) / 2;
        if (note->time[middle] <= at)
            low = middle;
        else
            high = middle;
    }
    const float along = (at - note->time[low]) / fmaxf(1.0F, note->time[high] - note->time[low]);
    const float complex *a = note->amplitude + low * note->partials,
                        *b = note->amplitude + high * note->partials;
    for (size_t p = 0; p < note->partials; p++) {
        const float gain = age > at ? voice->gain * expf(note->fall[p] * (age - at)) : voice->gain;
        amplitude[p] = gain * (a[p] + along * (b[p] - a[p]));
    }
    *bend = note->bend[low] + along * (note->bend[high] - note->bend[low]);
}

/* Amplitudes of a voice at sample `at`. */
static void amplitudes(const Timbre *timbre, Voice *voice, double at, float complex *amplitude,
                       float *bend)
{
    if (!voice->released && at < voice->off) {
        hold(voice, (float)(at - voice->onset), amplitude, bend);
        return;
    }
    if (!voice->released) {
        hold(voice, (float)(voice->off - voice->onset), voice->base, &voice->bend);
        voice->released = 1;
    }
    const float since = (float)(at - voice->off);
    float fall[TIMBRE_REGIONS];
    static const float centre[TIMBRE_REGIONS] = {500.0F, 2000.0F, 5000.0F};
    for (size_t r = 0; r < TIMBRE_REGIONS; r++)
        fall[r] = expf(timbre_fallen(timbre, centre[r], since + voice->before) -
                       timbre_fallen(timbre, centre[r], voice->before));
    for (size_t p = 0; p < voice->note->partials; p++) {
        const float hertz = voice->note->ratio[p] * voice->hertz;
        amplitude[p] = fall[hertz < 1000.0F ? 0 : hertz < 3000.0F ? 1 : 2] * voice->base[p];
    }
    *bend = voice->bend;
}

static void start_ringing(TimbreStream *stream, uint64_t held)
{
    const Timbre *timbre = stream->timbre;
    const size_t first = timbre->ringings > VOICES / 2 ? timbre->ringings - VOICES / 2 : 0;
    for (size_t i = first; i < timbre->ringings; i++) {
        const TimbreRinging *ringing = timbre->ringing + i;
        Voice *voice = stream->voice + stream->voices++;
        *voice = (Voice){.note = timbre->note + ringing->note,
                         .onset = -(double)ringing->age,
                         .gain = 1.0F,
                         .turns = ringing->turns,
                         .hertz = hertz_of(timbre->note[ringing->note].pitch)};
        voice->off = ringing->let_go < 0.0F ? (double)held : 0.0;
        voice->bend = ringing->hertz / voice->hertz;
        const size_t size = voice->note->partials * sizeof *voice->base;
        memcpy(voice->base, ringing->amplitude, size);
        memcpy(voice->now, ringing->amplitude, size);
        voice->released = ringing->let_go >= 0.0F || held == 0;
        voice->before = fmaxf(0.0F, ringing->let_go);
    }
}

TimbreStream *timbre_stream_create(const Timbre *timbre, uint64_t seed, uint64_t held, Error *err)
{
    TimbreStream *stream = calloc(1, sizeof *stream);
    if (!stream) {
        error_set(err, "out of memory for a melody's timbre");
        return NULL;
    }
    stream->timbre = timbre;
    stream->seed = seed;
    stream->quiet = SILENT * powf(10.0F, timbre->level / 20.0F);
    start_ringing(stream, held);
    return stream;
}

void timbre_stream_destroy(TimbreStream *stream)
{
    free(stream);
}

uint64_t timbre_stream_time(const TimbreStream *stream)
{
    return stream->time;
}

const float *timbre_stream_noise(const TimbreStream *stream)
{
    return stream->noise;
}

int timbre_stream_note(TimbreStream *stream, const PlannedNote *note)
{
    if (stream->waits == TIMBRE_WAITING || note->off <= note->onset || !isfinite(note->pitch))
        return -1;
    stream->waiting[stream->waits++] = *note;
    return (int)stream->waits;
}

/* How badly a note of the prompt stands for a planned one. */
static float distance(const TimbreNote *note, const PlannedNote *planned)
{
    const float length = note->time[note->knots - 1],
                wanted = (float)(planned->off - planned->onset);
    const float missing = fmaxf(0.0F, wanted - length) / MELODY_RATE;
    float cost = fabsf(note->pitch - planned->pitch) + fminf(2.0F, 3.0F * missing);
    if (isfinite(planned->level))
        cost += 0.1F * fabsf(note->level - planned->level);
    cost += length < 0.05F * MELODY_RATE ? 3.0F : 0.0F;
    return cost + 6.0F * (1.0F - note->sure);
}

/* The note of the prompt that plays a planned note: the nearest, with some chance between those
 * that are nearly so. */
static const TimbreNote *choose(const TimbreStream *stream, const PlannedNote *planned)
{
    const Timbre *timbre = stream->timbre;
    const TimbreNote *best = NULL;
    float least = INFINITY;
    for (size_t i = 0; i < timbre->notes; i++) {
        const TimbreNote *note = timbre->note + i;
        if (note->partials == 0 || note->knots < 2)
            continue;
        const double chance =
            random_uniform(stream->seed, CHOICE_STREAM, stream->begun * timbre->notes + i);
        const float cost = distance(note, planned) + 0.3F * (float)chance;
        if (cost < least) {
            least = cost;
            best = note;
        }
    }
    return best;
}

static void begin(TimbreStream *stream, const PlannedNote *planned)
{
    const TimbreNote *note = choose(stream, planned);
    stream->begun++;
    if (!note)
        return;
    if (stream->voices == VOICES) {
        memmove(stream->voice, stream->voice + 1, (VOICES - 1) * sizeof *stream->voice);
        stream->voices--;
    }
    const float change = isfinite(planned->level) ? planned->level - note->level : 0.0F;
    Voice *voice = stream->voice + stream->voices++;
    const uint64_t onset = planned->onset > stream->time ? planned->onset : stream->time;
    const uint64_t off = planned->off > onset + PIECE ? planned->off : onset + PIECE;
    *voice = (Voice){.note = note, .onset = (double)onset, .off = (double)off};
    voice->hertz = hertz_of(planned->pitch);
    voice->gain = powf(10.0F, fmaxf(-24.0F, fminf(12.0F, change)) / 20.0F);
    voice->bend = note->bend[0];
}

/* Sounds a voice over samples from..to - 1 of the frame. */
static void sound_piece(const TimbreStream *stream, Voice *voice, size_t from, size_t to,
                        float *anchor)
{
    float complex next[PARTIALS];
    float bend = voice->bend;
    const float before = voice->bend;
    amplitudes(stream->timbre, voice, (double)stream->time + (double)to, next, &bend);
    const AnchorPiece piece = {.n = to - from,
                               .partials = voice->note->partials,
                               .ratio = voice->note->ratio,
                               .from = voice->now,
                               .to = next,
                               .turns = voice->turns,
                               .hertz_from = voice->hertz * before,
                               .hertz_to = voice->hertz * bend};
    const double turns = anchor_add(&piece, anchor + from);
    /* Whole turns of a ratio that is no whole number must not be dropped: keep them all. */
    voice->turns = turns;
    voice->bend = bend;
    memcpy(voice->now, next, voice->note->partials * sizeof *next);
}

static void sound_voice(const TimbreStream *stream, Voice *voice, float *anchor)
{
    const double start = voice->onset - (double)stream->time;
    size_t from = start > 0.0 ? (size_t)start : 0;
    while (from < MELODY_HOP) {
        const size_t to = (from / PIECE + 1) * PIECE;
        sound_piece(stream, voice, from, to, anchor);
        from = to;
    }
}

static int is_over(const TimbreStream *stream, const Voice *voice)
{
    if (!voice->released)
        return 0;
    for (size_t p = 0; p < voice->note->partials; p++)
        if (cabsf(voice->now[p]) > stream->quiet)
            return 0;
    return 1;
}

/* The planned noise of the newest note: as the prompt's note had it at that age; once let go it
 * falls as the partials of its band do. */
static void plan_noise(TimbreStream *stream, const Voice *voice)
{
    static const float centre[NOISE_BANDS] = {500.0F, 1500.0F, 3000.0F, 5600.0F};
    const double end = (double)(stream->time + MELODY_HOP);
    const double held = fmin(end, voice->off) - voice->onset;
    const float at = mapped(voice->note, (float)fmax(0.0, held - 1.0));
    size_t frame = (size_t)at / MELODY_HOP;
    frame = frame < voice->note->frames ? frame : voice->note->frames - 1;
    const float since = (float)fmax(0.0, end - voice->off);
    for (size_t b = 0; b < NOISE_BANDS; b++) {
        const float fallen = timbre_fallen(stream->timbre, centre[b], since + voice->before) -
                             timbre_fallen(stream->timbre, centre[b], voice->before);
        stream->noise[b] = voice->note->noise[frame * NOISE_BANDS + b] * voice->gain * voice->gain *
                           (since > 0.0F ? expf(2.0F * fallen) : 1.0F);
    }
}

static void describe(TimbreStream *stream, float *condition, float *period)
{
    MelodyFrame frame = {.age = -1.0F, .since_off = -1.0F};
    memset(stream->noise, 0, sizeof stream->noise);
    for (size_t v = 0; v < stream->voices; v++) {
        const Voice *voice = stream->voice + v;
        for (size_t p = 0; p < voice->note->partials; p++)
            melody_condition_add(&frame, voice->note->ratio[p] * voice->hertz * voice->bend,
                                 cabsf(voice->now[p]));
    }
    if (stream->voices > 0) {
        const Voice *newest = stream->voice + stream->voices - 1;
        const double end = (double)(stream->time + MELODY_HOP);
        frame.age = (float)(end - newest->onset) / MELODY_RATE;
        if (end > newest->off)
            frame.since_off = ((float)(end - newest->off) + newest->before) / MELODY_RATE;
        frame.hertz = newest->hertz * newest->bend;
        plan_noise(stream, newest);
    }
    memcpy(frame.noise, stream->noise, sizeof frame.noise);
    *period = frame.hertz > 0.0F ? MELODY_RATE / frame.hertz : 0.0F;
    melody_condition_make(&frame, stream->timbre->level, condition);
}

void timbre_stream_frame(TimbreStream *stream, float *anchor, float *condition, float *period)
{
    memset(anchor, 0, MELODY_HOP * sizeof *anchor);
    size_t begun = 0;
    while (begun < stream->waits && stream->waiting[begun].onset < stream->time + MELODY_HOP)
        begin(stream, stream->waiting + begun++);
    memmove(stream->waiting, stream->waiting + begun,
            (stream->waits - begun) * sizeof *stream->waiting);
    stream->waits -= begun;
    for (size_t v = 0; v < stream->voices; v++)
        sound_voice(stream, stream->voice + v, anchor);
    describe(stream, condition, period);
    stream->time += MELODY_HOP;
    size_t kept = 0;
    for (size_t v = 0; v < stream->voices; v++) {
        if (is_over(stream, stream->voice + v))
            continue;
        if (kept != v)
            stream->voice[kept] = stream->voice[v];
        kept++;
    }
    stream->voices = kept;
}
