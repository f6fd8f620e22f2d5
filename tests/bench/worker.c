/* The network beside other programs' (tests/bench/peers): commands line by line on standard input,
 *
 *   open WINDOWS FRAMES INPUT OUTPUT   runs once on what the file INPUT holds, writes the result
 *   time SECONDS                       runs on it again and again for about as long
 *
 * answered with "ok", and with processor seconds of a run and how many there were. Files hold
 * 32-bit floats, one array after the other. */
#include "tests/bench/bench.h"

#include "models/adam.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct Worker {
    TextureModel *model;
    const Denoiser *denoiser;
    bool training;
    DenoiserPass *pass; /* where it trains; the next two where it plays */
    DenoiserTold *told;
    DenoiserSpace *space;
    real *data; /* what INPUT held */
    DenoiserInput input;
    const real *target;
    size_t rows, size; /* size: of the prediction */
    real *out, *dout;
    size_t weights; /* how many */
    real *values, *gradients, *first, *second, *average;
    size_t step;
    double loss;
} Worker;

/* x, known, half_log_snr, mix, memory, past, and for training what should come out. One window
 * where it plays. */
static void read_input(Worker *w, size_t windows, size_t frames, const char *path)
{
    const DenoiserConfig *c = denoiser_config(w->denoiser);
    w->rows = windows * frames;
    w->size = w->rows * c->bands;
    const size_t sizes[7] = {w->size,
                             w->rows,
                             windows,
                             windows * c->classes,
                             windows * c->bands,
                             windows * c->past,
                             w->training ? w->size : 0};
    const real *arrays[7];
    size_t all = 0;
    for (size_t i = 0; i < 7; i++)
        all += sizes[i];
    free(w->data);
    w->data = bench_values(all);
    for (size_t i = 0, at = 0; i < 7; at += sizes[i], i++)
        arrays[i] = w->data + at;
    FILE *file = fopen(path, "rb");
    const Error err = {"a worker's input is not what it should be"};
    bench_need(file && fread(w->data, sizeof *w->data, all, file) == all && fgetc(file) == EOF,
               &err);
    fclose(file);
    w->input = (DenoiserInput){windows,   frames,    arrays[0], arrays[1],
                               arrays[2], arrays[3], arrays[4], arrays[5]};
    w->target = arrays[6];
}

/* Mean squared error; its gradient into dout. */
static double loss_of(Worker *w)
{
    double sum = 0.0;
    for (size_t i = 0; i < w->size; i++) {
        const real difference = w->out[i] - w->target[i];
        sum += (double)(difference * difference);
        w->dout[i] = 2 * difference / (real)w->size;
    }
    return sum / (double)w->size;
}

static void find_gradients(Worker *w)
{
    memset(w->gradients, 0, w->weights * sizeof *w->gradients);
    denoiser_forward(w->pass, w->values, &w->input, w->out);
    w->loss = loss_of(w);
    denoiser_backward(w->pass, w->values, &w->input, w->dout, w->gradients);
}

/* As texture_trainer_step, but for drawing the batch. */
static void train(Worker *w)
{
    const AdamSettings settings = adam_defaults();
    find_gradients(w);
    gradients_clip(w->weights, w->gradients, 1.0);
    adam_step(&settings, denoiser_parameters(w->denoiser), ++w->step, 1e-4, w->gradients, w->values,
              w->first, w->second);
    average_step(w->weights, 0.999, w->values, w->average);
}

/* Everything that a prediction takes: nothing is kept from the one before. */
static void play(Worker *w)
{
    const DenoiserInput *in = &w->input;
    const double level = (double)in->half_log_snr[0];
    denoiser_tell(w->told, &(DenoiserWindow){in->mix, in->memory, in->past});
    denoiser_tell_levels(w->told, &level, 1);
    const DenoiserStep step = {.frames = in->frames, .x = in->x, .known = in->known};
    denoiser_step(w->space, w->told, &step, w->out);
}

static void run(Worker *w)
{
    if (w->training)
        train(w);
    else
        play(w);
}

static void write_values(FILE *file, const real *values, size_t n)
{
    bench_need(fwrite(values, sizeof *values, n, file) == n, NULL);
}

/* The prediction, or the loss and the gradients. */
static void write_output(const Worker *w, const char *path)
{
    FILE *file = fopen(path, "wb");
    const Error err = {"a worker's output cannot be written"};
    const real loss = (real)w->loss;
    bench_need(file != NULL, &err);
    if (w->training) {
        write_values(file, &loss, 1);
        write_values(file, w->gradients, w->weights);
    } else {
        write_values(file, w->out, w->size);
    }
    bench_need(!fclose(file), &err);
}

static void make_room(Worker *w)
{
    Error err = {""};
    if (w->training) {
        w->pass = denoiser_pass_create(w->denoiser, w->input.windows, w->rows, true, &err);
    } else {
        const DenoiserSteps *steps = texture_model_steps(w->model);
        w->told = denoiser_told_create(steps, &err);
        w->space = denoiser_space_create(steps, w->rows, &err);
    }
    bench_need(w->pass || (w->told && w->space), &err);
    w->out = bench_values(w->size);
    w->dout = bench_values(w->size);
}

static void close_input(Worker *w)
{
    denoiser_pass_destroy(w->pass);
    denoiser_space_destroy(w->space);
    denoiser_told_destroy(w->told);
    free(w->out);
    free(w->dout);
}

static void open_input(Worker *w, size_t windows, size_t frames, const char *in, const char *out)
{
    read_input(w, windows, frames, in);
    close_input(w);
    make_room(w);
    if (w->training)
        find_gradients(w);
    else
        play(w);
    write_output(w, out);
    puts("ok");
}

static void time_runs(Worker *w, double seconds)
{
    const double start = bench_seconds();
    double took = 0.0;
    size_t runs = 0;
    for (; took < seconds || runs == 0; runs++) {
        run(w);
        took = bench_seconds() - start;
    }
    printf("%.9f %zu\n", took / (double)runs, runs);
}

static Worker create(const char *path, bool training)
{
    Error err = {""};
    Worker w = {.model = texture_model_open(path, &err), .training = training};
    bench_need(w.model != NULL, &err);
    w.denoiser = texture_model_denoiser(w.model);
    w.weights = parameters_size(denoiser_parameters(w.denoiser));
    real **arrays[] = {&w.values, &w.gradients, &w.first, &w.second, &w.average};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        *arrays[i] = bench_values(w.weights);
    memcpy(w.values, texture_model_values(w.model), w.weights * sizeof *w.values);
    memcpy(w.average, w.values, w.weights * sizeof *w.values);
    return w;
}

static void destroy(Worker *w)
{
    denoiser_pass_destroy(w->pass);
    real *arrays[] = {w->data,      w->out,   w->dout,   w->values,
                      w->gradients, w->first, w->second, w->average};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        free(arrays[i]);
    texture_model_destroy(w->model);
}

void bench_worker(const char *model, bool training)
{
    Worker w = create(model, training);
    char line[8192], in[4096], out[4096];
    size_t windows, frames;
    double seconds;
    while (fgets(line, sizeof line, stdin)) {
        if (sscanf(line, "open %zu %zu %4095s %4095s", &windows, &frames, in, out) == 4)
            open_input(&w, windows, frames, in, out);
        else if (sscanf(line, "time %lf", &seconds) == 1)
            time_runs(&w, seconds);
        else
            break;
        fflush(stdout);
    }
    destroy(&w);
}
