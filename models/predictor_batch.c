#include "models/predictor_batch.h"

#include "dsp/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Streams of random numbers, of a step: a lane's choices, and its errors. */
enum { CHOICES = 16, STREAM_CHOICES = 0x100, STREAM_ERRORS = 0x200 };
enum { ECHOES = 4, ECHO_MOST = 40, KNOT = 256 };
static const float LOGISTIC = 0.5513289f; /* a logistic's scale over its standard deviation */

struct PredictorBatchMaker {
    size_t lanes, samples, frames, rows;
    PredictorPass *pass;
    real *inputs, *condition, *value, *out, *dout, *parameters, *slopes, *nats;
    size_t *period;
    bool *planned, *wrong; /* (lanes,): with a plan; with errors in its history */
    PredictorHead *heads;
    float *x, *error, *anchor; /* (PREDICTOR_REACH + samples + PREDICTOR_AHEAD + 1,) of one lane */
};

void predictor_batch_destroy(PredictorBatchMaker *maker)
{
    if (!maker)
        return;
    predictor_pass_destroy(maker->pass);
    real *const reals[8] = {maker->inputs, maker->condition,  maker->value,  maker->out,
                            maker->dout,   maker->parameters, maker->slopes, maker->nats};
    for (int i = 0; i < 8; i++)
        free(reals[i]);
    free(maker->period);
    free(maker->planned);
    free(maker->wrong);
    free(maker->heads);
    free(maker->x);
    free(maker->error);
    free(maker->anchor);
    free(maker);
}

static int allocate(PredictorBatchMaker *maker)
{
    const size_t rows = maker->rows, lane = PREDICTOR_REACH + maker->samples + PREDICTOR_AHEAD + 1;
    const struct {
        real **values;
        size_t size;
    } reals[8] = {{&maker->inputs, rows * PREDICTOR_INPUTS},
                  {&maker->condition, maker->lanes * maker->frames * PREDICTOR_CONDITION},
                  {&maker->value, rows},
                  {&maker->out, rows * PREDICTOR_OUTPUTS},
                  {&maker->dout, rows * PREDICTOR_OUTPUTS},
                  {&maker->parameters, rows * LOGISTIC_PARAMETERS},
                  {&maker->slopes, rows * LOGISTIC_PARAMETERS},
                  {&maker->nats, rows}};
    for (int i = 0; i < 8; i++)
        if (!(*reals[i].values = malloc(reals[i].size * sizeof(real))))
            return -1;
    maker->period = malloc(maker->lanes * maker->frames * sizeof *maker->period);
    maker->planned = malloc(maker->lanes * sizeof *maker->planned);
    maker->wrong = malloc(maker->lanes * sizeof *maker->wrong);
    maker->heads = malloc(rows * sizeof *maker->heads);
    maker->x = malloc(lane * sizeof *maker->x);
    maker->error = malloc(lane * sizeof *maker->error);
    maker->anchor = malloc(lane * sizeof *maker->anchor);
    return maker->period && maker->planned && maker->wrong && maker->heads && maker->x &&
                   maker->error && maker->anchor
               ? 0
               : -1;
}

PredictorBatchMaker *predictor_batch_create(const PredictorNet *net, size_t lanes, size_t samples,
                                            Error *err)
{
    PredictorBatchMaker *maker = calloc(1, sizeof *maker);
    if (maker) {
        maker->lanes = lanes;
        maker->samples = samples;
        maker->frames = samples / PREDICTOR_FRAME;
        maker->rows = lanes * samples;
        maker->pass = predictor_pass_create(net, lanes, samples, NULL);
    }
    if (!maker || !maker->pass || allocate(maker)) {
        predictor_batch_destroy(maker);
        error_set(err, "out of memory for a batch of %zu x %zu samples", lanes, samples);
        return NULL;
    }
    return maker;
}

/* The lane's past and present: silence before the clip and after it. `first` may be negative. */
static void copy_lane(PredictorBatchMaker *maker, const PredictorClip *clip, ptrdiff_t first,
                      bool planned)
{
    const ptrdiff_t end = (ptrdiff_t)(maker->samples + PREDICTOR_AHEAD + 1);
    float *x = maker->x + PREDICTOR_REACH, *error = maker->error + PREDICTOR_REACH;
    float *anchor = maker->anchor + PREDICTOR_REACH;
    for (ptrdiff_t i = -PREDICTOR_REACH; i < end; i++) {
        const ptrdiff_t at = first + i;
        const bool inside = at >= 0 && at < (ptrdiff_t)clip->samples;
        x[i] = inside ? (float)clip->x[at] : 0.0f;
        error[i] = inside && !planned ? x[i] - clip->base[at] : 0.0f;
        anchor[i] = inside && planned ? clip->anchor[at] : 0.0f;
    }
}

/* More of the planned noise than there is: -20 to 12 dB of it, as its autoregression makes it. */
static void add_noise(PredictorBatchMaker *maker, const PredictorClip *clip, ptrdiff_t first,
                      const double *choice, uint64_t seed, uint64_t stream)
{
    const float size = powf(10.0f, (float)(32.0 * choice[0] - 20.0) / 20.0f) / LOGISTIC;
    float white[KNOT], noise[PREDICTOR_TAPS] = {0.0f}; /* newest first */
    PredictorFrame frame = {.scale = 0.0f};
    for (size_t i = 0; i < PREDICTOR_REACH + maker->samples; i++) {
        const ptrdiff_t at = first + (ptrdiff_t)i - PREDICTOR_REACH;
        if (i % KNOT == 0)
            random_gaussian(seed, stream, i, white, KNOT);
        if (i % PREDICTOR_FRAME == 0 && at >= 0 && at < (ptrdiff_t)clip->samples)
            predictor_clip_plan(clip, (size_t)at / PREDICTOR_FRAME, &frame);
        float next = size * frame.scale * white[i % KNOT];
        for (size_t k = 0; k < PREDICTOR_TAPS; k++)
            next += frame.coefficients[k] * noise[k];
        memmove(noise + 1, noise, (PREDICTOR_TAPS - 1) * sizeof *noise);
        noise[0] = next;
        maker->x[i] += next;
    }
}

/* Partials that drift: echoes of the anchor whose strengths wander, so that each partial is too
 * strong or weak and out of phase by its own amount. */
static void add_drift(PredictorBatchMaker *maker, const double *choice, uint64_t seed,
                      uint64_t stream)
{
    const float size = powf(10.0f, (float)(36.0 * choice[0] - 48.0) / 20.0f) / sqrtf(ECHOES);
    const size_t count = PREDICTOR_REACH + maker->samples, knots = count / KNOT + 2;
    for (size_t e = 0; e < ECHOES; e++) {
        const size_t delay = (size_t)(choice[1 + e] * ECHO_MOST);
        float strength[2];
        for (size_t i = delay; i < count; i++) {
            const size_t knot = i / KNOT;
            if (i == delay || i % KNOT == 0)
                random_gaussian(seed, stream, e * knots + knot, strength, 2);
            const float along = (float)(i % KNOT) / KNOT;
            maker->x[i] += size * (strength[0] + along * (strength[1] - strength[0])) *
                           maker->anchor[i - delay];
        }
    }
}

/* Whistles: in some stretches a sinusoid of any frequency, -24 to 12 dB of the planned noise, such
 * as an autoregression sings that has become unstable. */
static void add_whistles(PredictorBatchMaker *maker, const PredictorClip *clip, ptrdiff_t first,
                         uint64_t seed, uint64_t stream)
{
    PredictorFrame frame = {.noise = 0.0f};
    float size = 0.0f, turn = 0.0f, step = 0.0f;
    for (size_t i = 0; i < PREDICTOR_REACH + maker->samples; i++) {
        const ptrdiff_t at = first + (ptrdiff_t)i - PREDICTOR_REACH;
        if (i % KNOT == 0) {
            const uint64_t knot = 3 * (i / KNOT);
            const double often = random_uniform(seed, stream, knot);
            const double gain = 36.0 * random_uniform(seed, stream, knot + 1) - 24.0;
            size = often < 0.4 ? powf(10.0f, (float)gain / 20.0f) : 0.0f;
            step = (float)(3.14159265358979 * random_uniform(seed, stream, knot + 2));
        }
        if (i % PREDICTOR_FRAME == 0 && at >= 0 && at < (ptrdiff_t)clip->samples)
            predictor_clip_plan(clip, (size_t)at / PREDICTOR_FRAME, &frame);
        turn = fmodf(turn + step, 6.2831853f);
        maker->x[i] += size * frame.noise * sinf(turn);
    }
}

static void put_errors(PredictorBatchMaker *maker, const PredictorClip *clip, ptrdiff_t first,
                       const double *choice, uint64_t seed, uint64_t stream)
{
    if (choice[0] < 0.5)
        add_drift(maker, choice + 1, seed, stream);
    if (choice[0] > 0.6)
        add_whistles(maker, clip, first, seed, stream + (1ULL << 41));
    if (choice[0] > 0.3 && choice[0] < 0.8)
        add_noise(maker, clip, first, choice + 7, seed, stream + (1ULL << 40));
}

/* Inputs and heads of a lane, from its history. */
static void show(PredictorBatchMaker *maker, const PredictorClip *clip, ptrdiff_t first,
                 size_t lane, bool planned)
{
    PredictorFrame frame;
    CascadePrediction past = {.scale = 1.0f};
    for (size_t t = 0; t < maker->samples; t++) {
        const ptrdiff_t at = first + (ptrdiff_t)t;
        const size_t row = lane * maker->samples + t, place = at > 0 ? (size_t)at : 0;
        const PredictorView view = {maker->x + PREDICTOR_REACH + t,
                                    maker->error + PREDICTOR_REACH + t,
                                    maker->anchor + PREDICTOR_REACH + t, &past};
        if (!planned)
            predictor_clip_past(clip, place, &past);
        if (t % PREDICTOR_FRAME == 0) {
            const size_t told = lane * maker->frames + t / PREDICTOR_FRAME;
            if (planned)
                predictor_clip_plan(clip, place / PREDICTOR_FRAME, &frame);
            else
                predictor_frame_past(view.x, past.period, &frame);
            maker->period[told] = frame.period;
            for (size_t i = 0; i < PREDICTOR_CONDITION; i++)
                maker->condition[told * PREDICTOR_CONDITION + i] = (real)frame.condition[i];
        }
        predictor_inputs_make(&frame, &view, maker->inputs + row * PREDICTOR_INPUTS,
                              &maker->heads[row]);
    }
}

void predictor_batch_draw(PredictorBatchMaker *maker, const PredictorClip *clips, size_t count,
                          const PredictorDraw *draw)
{
    for (size_t lane = 0; lane < maker->lanes; lane++) {
        const uint64_t number = draw->step * maker->lanes + lane;
        double choice[CHOICES];
        for (size_t i = 0; i < CHOICES; i++)
            choice[i] = random_uniform(draw->seed, STREAM_CHOICES, number * CHOICES + i);
        const PredictorClip *clip = &clips[(size_t)(choice[0] * (double)count)];
        const double spare = (double)clip->frames - (double)maker->frames;
        const ptrdiff_t first =
            (ptrdiff_t)floor(spare < 0.0 ? spare : choice[1] * (spare + 1.0)) * PREDICTOR_FRAME;
        /* Stratified, so that each batch has its share. */
        const bool planned =
            clip->planned && fmod((double)number * 0.6180339887498949, 1.0) < draw->planned;
        maker->planned[lane] = planned;
        copy_lane(maker, clip, first, planned);
        for (size_t t = 0; t < maker->samples; t++)
            maker->value[lane * maker->samples + t] = (real)maker->x[PREDICTOR_REACH + t];
        maker->wrong[lane] = planned && choice[2] < draw->errors;
        if (maker->wrong[lane])
            put_errors(maker, clip, first, choice + 3, draw->seed, STREAM_ERRORS + number);
        show(maker, clip, first, lane, planned);
    }
}

/* From a history with errors the network is to learn where to go back to, but not how sure to be: a
 * density that is wide after noise would keep the noise alive. */
static void keep_scales(PredictorBatchMaker *maker)
{
    for (size_t row = 0; row < maker->rows; row++) {
        real *dout = maker->dout + row * PREDICTOR_OUTPUTS;
        if (!maker->wrong[row / maker->samples])
            continue;
        memset(dout, 0, LOGISTICS * sizeof *dout);
        memset(dout + 2 * LOGISTICS, 0, LOGISTICS * sizeof *dout);
    }
}

PredictorLoss predictor_batch_loss(PredictorBatchMaker *maker, const real *weights, real *gradients)
{
    const PredictorBatch batch = {maker->lanes, maker->samples, maker->inputs, maker->condition,
                                  maker->period};
    const size_t rows = maker->rows;
    PredictorLoss loss = {{0.0, 0.0}, {0.0, 0.0}};
    predictor_forward(maker->pass, weights, &batch, maker->out);
    predictor_heads_forward(rows, maker->heads, maker->out, maker->parameters);
    logistic_mixture_nats(rows, maker->value, maker->parameters, maker->nats,
                          gradients ? maker->slopes : NULL);
    for (size_t row = 0; row < rows; row++) {
        const int planned = maker->planned[row / maker->samples];
        loss.nats[planned] += (double)maker->nats[row];
        loss.samples[planned] += 1.0;
    }
    if (!gradients)
        return loss;
    predictor_heads_backward(rows, maker->heads, maker->out, maker->slopes, maker->dout);
    for (size_t i = 0; i < rows * PREDICTOR_OUTPUTS; i++)
        maker->dout[i] /= (real)rows;
    keep_scales(maker);
    predictor_backward(maker->pass, weights, &batch, maker->dout, gradients);
    return loss;
}
