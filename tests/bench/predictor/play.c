/* The sample tier at work: bits of whole files, copy synthesis, and a long free run. */
#include "tests/bench/anchor_d.h"
#include "tests/bench/predictor/bench.h"
#include "tests/bench/predictor/clips.h"

#include "dsp/noise_bands.h"
#include "models/predictor.h"
#include "models/predictor_trainer.h"

#include <math.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PROMPT = 4 * MELODY_RATE / PREDICTOR_FRAME, FREE = 4 * MELODY_RATE / PREDICTOR_FRAME };

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static Predictor *open_predictor(const char *checkpoint)
{
    Error err = {""};
    real *weights = NULL;
    PredictorNet *net = predictor_trainer_open(checkpoint, &weights, &err);
    bench_need(net != NULL, &err);
    Predictor *predictor = predictor_create(net, weights, &err);
    bench_need(predictor != NULL, &err);
    predictor_net_destroy(net);
    free(weights);
    return predictor;
}

int bench_bits(int files, char **arguments)
{
    Error err = {""};
    Predictor *predictor = open_predictor(arguments[0]);
    PredictorState *state = predictor_state_create(predictor, true, &err);
    bench_need(state != NULL, &err);
    double sum = 0.0, samples = 0.0;
    const double start = seconds();
    for (int i = 1; i < files; i++) {
        size_t n;
        double nats = 0.0;
        float *x = bench_read(arguments[i], &n);
        predictor_state_reset(state);
        for (size_t t = 0; t + PREDICTOR_FRAME <= n; t += PREDICTOR_FRAME)
            nats += predictor_hear(state, NULL, x + t, NULL);
        free(x);
        n -= n % PREDICTOR_FRAME;
        printf("| %s | %.3f |\n", bench_name(arguments[i]), nats / log(2.0) / (double)n);
        fflush(stdout);
        sum += nats / log(2.0);
        samples += (double)n;
    }
    printf("| **all** | %.3f | %.1f times real time\n", sum / samples,
           samples / MELODY_RATE / (seconds() - start));
    predictor_state_destroy(state);
    predictor_destroy(predictor);
    return 0;
}

static void write_sound(const char *folder, const char *name, const char *kind, const float *x,
                        size_t n)
{
    char path[4096];
    Error err;
    SF_INFO info = {
        .samplerate = MELODY_RATE, .channels = 1, .format = SF_FORMAT_WAV | SF_FORMAT_PCM_16};
    snprintf(path, sizeof path, "%s/%.*s.%s.wav", folder, (int)strcspn(name, "."), name, kind);
    SNDFILE *file = sf_open(path, SFM_WRITE, &info);
    error_set(&err, "%s: cannot be written", path);
    bench_need(file != NULL, &err);
    sf_command(file, SFC_SET_CLIPPING, NULL, SF_TRUE);
    bench_need(sf_writef_float(file, x, (sf_count_t)n) == (sf_count_t)n, &err);
    sf_close(file);
}

/* The anchor with noise of the planned levels: what can be had without a predictor. */
static void add_planned_noise(const PredictorClip *clip, float *x, size_t first, size_t frames)
{
    float *power = calloc((frames + 2) * NOISE_BANDS, sizeof *power);
    Error err;
    error_set(&err, "out of memory");
    bench_need(power != NULL, &err);
    for (size_t f = 0; f < frames + 2; f++) {
        size_t at = first + f - (first + f > 0);
        at = at < clip->frames ? at : clip->frames - 1;
        for (size_t b = 0; b < NOISE_BANDS; b++)
            power[f * NOISE_BANDS + b] =
                powf(10.0f,
                     2.0f * clip->condition[at * MELODY_CONDITION + 22 + b] + clip->level / 10.0f);
    }
    noise_bands_make(power + NOISE_BANDS, frames, 1, 1, first, x);
    free(power);
}

/* Writes the played part as the recipes' baseline has it. */
static void write_baseline(const PredictorClip *clip, const char *folder, const char *name)
{
    Error err;
    float *x = malloc(clip->samples * sizeof *x), *made = malloc(clip->samples * sizeof *made);
    error_set(&err, "out of memory");
    bench_need(x && made, &err);
    for (size_t t = 0; t < clip->samples; t++)
        x[t] = (float)clip->x[t] / 32768.0f;
    bench_need(!anchor_d_make(x, clip->samples, made, &err), &err);
    write_sound(folder, name, "d", made + PROMPT * PREDICTOR_FRAME, FREE * PREDICTOR_FRAME);
    free(x);
    free(made);
}

/* The anchor from a frame on, full scale 1, silence beyond the end. */
static void anchor_at(const PredictorClip *clip, size_t frame, size_t n, float *anchor)
{
    for (size_t i = 0; i < n; i++) {
        const size_t t = frame * PREDICTOR_FRAME + i;
        anchor[i] = t < clip->samples ? clip->anchor[t] / 32768.0f : 0.0f;
    }
}

/* 4 s heard and 4 s played, with true features; writes the played part, as it was, as the anchor
 * has it without and with noise, and as the baseline has it. */
static void copy_clip(PredictorState *state, const PredictorClip *clip, const PredictorDice *dice,
                      const char *folder, const char *name)
{
    static float real_part[FREE * PREDICTOR_FRAME], made[FREE * PREDICTOR_FRAME],
        plain[FREE * PREDICTOR_FRAME];
    predictor_state_reset(state);
    for (size_t f = 0; f < PROMPT + FREE; f++) {
        float anchor[PREDICTOR_FRAME + PREDICTOR_AHEAD + 1], x[PREDICTOR_FRAME];
        PredictorPlan plan = {.anchor = anchor};
        predictor_clip_plan(clip, f, &plan.frame);
        anchor_at(clip, f, PREDICTOR_FRAME + PREDICTOR_AHEAD + 1, anchor);
        for (size_t t = 0; t < PREDICTOR_FRAME; t++)
            x[t] = (float)clip->x[f * PREDICTOR_FRAME + t] / 32768.0f;
        if (f < PROMPT) {
            predictor_hear(state, &plan, x, NULL);
            continue;
        }
        float *at = made + (f - PROMPT) * PREDICTOR_FRAME;
        memcpy(real_part + (f - PROMPT) * PREDICTOR_FRAME, x, sizeof x);
        predictor_play(state, &plan, dice, at);
    }
    printf("%s: %llu of %d frames done again\n", name,
           (unsigned long long)predictor_state_recoveries(state), FREE);
    write_sound(folder, name, "real", real_part, FREE * PREDICTOR_FRAME);
    write_sound(folder, name, "made", made, FREE * PREDICTOR_FRAME);
    anchor_at(clip, PROMPT, FREE * PREDICTOR_FRAME, plain);
    write_sound(folder, name, "anchor", plain, FREE * PREDICTOR_FRAME);
    add_planned_noise(clip, plain, PROMPT, FREE);
    write_sound(folder, name, "noisy", plain, FREE * PREDICTOR_FRAME);
    write_baseline(clip, folder, name);
}

/* "TEMPERATURE" or "TEMPERATURE:SEED". */
static PredictorDice dice_of(const char *text)
{
    char *end;
    PredictorDice dice = {.seed = 1, .stream = 1, .temperature = strtod(text, &end)};
    if (*end == ':')
        dice.seed = strtoul(end + 1, NULL, 10);
    return dice;
}

int bench_copy(int count, char **arguments)
{
    Error err = {""};
    const PredictorDice dice = dice_of(arguments[1]);
    Predictor *predictor = open_predictor(arguments[0]);
    PredictorState *state = predictor_state_create(predictor, false, &err);
    bench_need(state != NULL, &err);
    const double start = seconds();
    double made = 0.0;
    for (int i = 4; i < count; i++) {
        PredictorClip clip;
        clips_get(arguments[2], arguments[i], &clip);
        if (clip.planned && clip.frames >= PROMPT + FREE) {
            copy_clip(state, &clip, &dice, arguments[3], bench_name(arguments[i]));
            made += 8.0;
        }
        predictor_clip_clear(&clip);
    }
    printf("%.0f s of sound, %.1f times real time\n", made, made / (seconds() - start));
    predictor_state_destroy(state);
    predictor_destroy(predictor);
    return 0;
}

/* Plays a clip's plan round and round; prints the level of each half minute beside the recording's,
 * and the longest silence (60 dB under the recording's level) of each. */
int bench_soak(int count, char **arguments)
{
    Error err = {""};
    PredictorClip clip;
    const PredictorDice dice = dice_of(arguments[1]);
    const int frames = count > 4 ? atoi(arguments[4]) * 250 : 150000;
    Predictor *predictor = open_predictor(arguments[0]);
    PredictorState *state = predictor_state_create(predictor, false, &err);
    bench_need(state != NULL, &err);
    clips_get(arguments[2], arguments[3], &clip);
    double energy[2] = {0.0, 0.0};
    int silent[2] = {0, 0}, longest[2] = {0, 0};
    const double floor = PREDICTOR_FRAME * pow(10.0, (double)clip.level / 10.0 - 6.0);
    const double start = seconds();
    for (int f = 0; f < frames; f++) {
        float anchor[PREDICTOR_FRAME + PREDICTOR_AHEAD + 1], x[PREDICTOR_FRAME];
        PredictorPlan plan = {.anchor = anchor};
        predictor_clip_plan(&clip, (size_t)f % clip.frames, &plan.frame);
        anchor_at(&clip, (size_t)f % clip.frames, PREDICTOR_FRAME + PREDICTOR_AHEAD + 1, anchor);
        predictor_play(state, &plan, &dice, x);
        double now[2] = {0.0, 0.0};
        for (int t = 0; t < PREDICTOR_FRAME; t++) {
            const size_t at = (size_t)f % clip.frames * PREDICTOR_FRAME + (size_t)t;
            now[0] += (double)x[t] * (double)x[t];
            now[1] += pow((double)clip.x[at] / 32768.0, 2.0);
        }
        for (int i = 0; i < 2; i++) {
            energy[i] += now[i];
            silent[i] = now[i] < floor ? silent[i] + 1 : 0;
            longest[i] = silent[i] > longest[i] ? silent[i] : longest[i];
        }
        if ((f + 1) % 7500 == 0) {
            printf("%4d s: %+.2f dB\n", (f + 1) / 250, 10.0 * log10(energy[0] / energy[1]));
            energy[0] = energy[1] = 0.0;
        }
    }
    printf("longest silence %.2f s, the recording's %.2f s\n", longest[0] / 250.0,
           longest[1] / 250.0);
    printf("%llu of %d frames done again\n", (unsigned long long)predictor_state_recoveries(state),
           frames);
    printf("%.1f times real time\n", (double)frames / 250.0 / (seconds() - start));
    predictor_clip_clear(&clip);
    predictor_state_destroy(state);
    predictor_destroy(predictor);
    return 0;
}
