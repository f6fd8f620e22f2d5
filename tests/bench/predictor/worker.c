/* The sample tier's network beside other programs' (tests/bench/peers/predictor_beside.py):
 * commands line by line on standard input,
 *
 *   open 1 FRAMES INPUT OUTPUT   runs once on what the file INPUT holds, writes the outputs
 *   time SECONDS                 runs on it again and again for about as long
 *
 * answered with "ok", and with processor seconds of a run and how many there were. INPUT: inputs
 * (FRAMES * 64, PREDICTOR_INPUTS) and conditions (FRAMES, PREDICTOR_CONDITION), 32-bit floats. */
#include "tests/bench/predictor/bench.h"

#include "models/melody_features.h"
#include "models/melody_model.h"
#include "models/predictor.h"
#include "models/predictor_step.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const float STEPS = 32768.0f;

/* A sound with silence on both sides, and its features. */
typedef struct Tune {
    MelodyFeatures features;
    float *x, *anchor; /* steps of 16 bits; at sample 0, PREDICTOR_REACH of silence before */
    size_t first;      /* frame from which on it is taken */
} Tune;

typedef struct Worker {
    char mode; /* of steps, graph, play: its first letter */
    MelodyModel *model;
    PredictorSteps *steps;
    Predictor *predictor;
    Tune tune;
    size_t frames;
    float *data,
        *out; /* what INPUT held; (samples, PREDICTOR_OUTPUTS), or when playing (samples,) */
} Worker;

static void *zeros(size_t n, size_t size)
{
    void *values = calloc(n, size);
    Error err;
    error_set(&err, "out of memory");
    bench_need(values != NULL, &err);
    return values;
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

/* `frames` frames from the middle of a recording. */
static Tune open_tune(const char *path, size_t frames)
{
    Error err = {""};
    Tune tune;
    size_t n;
    float *sound = bench_read(path, &n);
    bench_need(!melody_features_make(sound, n, &tune.features, &err), &err);
    error_set(&err, "%s: too short", path);
    bench_need(tune.features.frames > frames + 1, &err);
    tune.first = (tune.features.frames - frames) / 2;
    const size_t room = PREDICTOR_REACH + n + PREDICTOR_FRAME + PREDICTOR_AHEAD + 1;
    tune.x = (float *)zeros(room, sizeof(float)) + PREDICTOR_REACH;
    tune.anchor = (float *)zeros(room, sizeof(float)) + PREDICTOR_REACH;
    for (size_t i = 0; i < n; i++) {
        tune.x[i] = STEPS * sound[i];
        tune.anchor[i] = STEPS * tune.features.anchor[i];
    }
    free(sound);
    return tune;
}

static void close_tune(Tune *tune)
{
    melody_features_clear(&tune->features);
    free(tune->x - PREDICTOR_REACH);
    free(tune->anchor - PREDICTOR_REACH);
}

static void plan(const Tune *tune, size_t frame, PredictorFrame *planned)
{
    const size_t f = tune->first + frame;
    predictor_frame_plan(tune->features.condition + f * MELODY_CONDITION, tune->features.level,
                         tune->features.period[f], planned);
}

int bench_inputs(int count, char **arguments)
{
    (void)count;
    const size_t frames = strtoul(arguments[2], NULL, 10);
    Tune tune = open_tune(arguments[1], frames);
    float *inputs = zeros(frames * PREDICTOR_FRAME * PREDICTOR_INPUTS, sizeof *inputs);
    float *condition = zeros(frames * PREDICTOR_CONDITION, sizeof *condition);
    for (size_t f = 0; f < frames; f++) {
        PredictorFrame frame;
        PredictorHead head;
        plan(&tune, f, &frame);
        memcpy(condition + f * PREDICTOR_CONDITION, frame.condition, sizeof frame.condition);
        for (size_t t = 0; t < PREDICTOR_FRAME; t++) {
            const size_t at = (tune.first + f) * PREDICTOR_FRAME + t;
            const PredictorView view = {.x = tune.x + at, .anchor = tune.anchor + at};
            predictor_inputs_make(&frame, &view,
                                  inputs + (f * PREDICTOR_FRAME + t) * PREDICTOR_INPUTS, &head);
        }
    }
    FILE *file = fopen(arguments[3], "wb");
    const size_t n = frames * PREDICTOR_FRAME * PREDICTOR_INPUTS, m = frames * PREDICTOR_CONDITION;
    Error err;
    error_set(&err, "%s: cannot be written", arguments[3]);
    bench_need(file && fwrite(inputs, sizeof *inputs, n, file) == n &&
                   fwrite(condition, sizeof *condition, m, file) == m && !fclose(file),
               &err);
    free(inputs);
    free(condition);
    close_tune(&tune);
    return 0;
}

/* One sample after the other, as it is played. */
static void run_steps(const Worker *w)
{
    const float *condition = w->data + w->frames * PREDICTOR_FRAME * PREDICTOR_INPUTS;
    float *memory = zeros(predictor_steps_memory(w->steps), sizeof *memory);
    for (size_t t = 0; t < w->frames * PREDICTOR_FRAME; t++) {
        if (t % PREDICTOR_FRAME == 0)
            predictor_steps_frame(w->steps, condition + t / PREDICTOR_FRAME * PREDICTOR_CONDITION,
                                  1, memory);
        predictor_steps_sample(w->steps, t, w->data + t * PREDICTOR_INPUTS, memory,
                               w->out + t * PREDICTOR_OUTPUTS);
    }
    free(memory);
}

/* All samples at once, as in training, in single precision: what the others are held against. */
static void run_graph(const Worker *w)
{
    const size_t samples = w->frames * PREDICTOR_FRAME;
    Error err = {""};
    size_t *period = zeros(w->frames, sizeof *period);
    PredictorPass *pass = predictor_pass_create(melody_model_samples(w->model), 1, samples, &err);
    bench_need(pass != NULL, &err);
    for (size_t f = 0; f < w->frames; f++)
        period[f] = 1;
    const PredictorBatch batch = {1, samples, w->data, w->data + samples * PREDICTOR_INPUTS,
                                  period};
    predictor_forward(pass, melody_model_sample_weights(w->model), &batch, w->out);
    predictor_pass_destroy(pass);
    free(period);
}

/* With all that playing takes: the frame's plan, inputs, densities, drawing. */
static void run_play(const Worker *w)
{
    const PredictorDice dice = {.seed = 1, .stream = 1, .temperature = 0.7};
    float anchor[PREDICTOR_FRAME + PREDICTOR_AHEAD + 1];
    Error err = {""};
    PredictorState *state = predictor_state_create(w->predictor, false, &err);
    bench_need(state != NULL, &err);
    for (size_t f = 0; f < w->frames; f++) {
        PredictorPlan planned = {.anchor = anchor};
        plan(&w->tune, f, &planned.frame);
        for (size_t i = 0; i < sizeof anchor / sizeof *anchor; i++)
            anchor[i] = w->tune.anchor[(w->tune.first + f) * PREDICTOR_FRAME + i] / STEPS;
        predictor_play(state, &planned, &dice, w->out + f * PREDICTOR_FRAME);
    }
    predictor_state_destroy(state);
}

static void run(const Worker *w)
{
    if (w->mode == 's')
        run_steps(w);
    else if (w->mode == 'g')
        run_graph(w);
    else
        run_play(w);
}

static void open_input(Worker *w, const char *sound, const char *in, const char *out)
{
    const size_t samples = w->frames * PREDICTOR_FRAME, outputs = samples * PREDICTOR_OUTPUTS;
    const size_t all = samples * PREDICTOR_INPUTS + w->frames * PREDICTOR_CONDITION;
    Error err;
    error_set(&err, "a worker's files are not what they should be");
    w->data = zeros(all, sizeof *w->data);
    w->out = zeros(outputs, sizeof *w->out);
    w->tune = open_tune(sound, w->frames);
    FILE *file = fopen(in, "rb");
    bench_need(file && fread(w->data, sizeof *w->data, all, file) == all, &err);
    fclose(file);
    run(w);
    file = fopen(out, "wb");
    bench_need(file && fwrite(w->out, sizeof *w->out, outputs, file) == outputs && !fclose(file),
               &err);
    puts("ok");
}

static void time_runs(const Worker *w, double most)
{
    const double start = seconds();
    double took = 0.0;
    size_t runs = 0;
    for (; took < most || runs == 0; runs++) {
        run(w);
        took = seconds() - start;
    }
    printf("%.9f %zu\n", took / (double)runs, runs);
}

int bench_worker(int count, char **arguments)
{
    (void)count;
    Error err = {""};
    Worker w = {.mode = arguments[0][0], .model = melody_model_open(arguments[1], &err)};
    bench_need(w.model != NULL, &err);
    const PredictorNet *net = melody_model_samples(w.model);
    const real *weights = melody_model_sample_weights(w.model);
    w.steps = predictor_steps_create(net, weights, &err);
    w.predictor = predictor_create(net, weights, &err);
    bench_need(w.steps && w.predictor, &err);
    char line[8192], in[4096], out[4096];
    double most;
    while (fgets(line, sizeof line, stdin)) {
        if (!w.data && sscanf(line, "open 1 %zu %4095s %4095s", &w.frames, in, out) == 3)
            open_input(&w, arguments[2], in, out);
        else if (w.data && sscanf(line, "time %lf", &most) == 1)
            time_runs(&w, most);
        else
            break;
        fflush(stdout);
    }
    if (w.data)
        close_tune(&w.tune);
    free(w.data);
    free(w.out);
    predictor_destroy(w.predictor);
    predictor_steps_destroy(w.steps);
    melody_model_destroy(w.model);
    return 0;
}
