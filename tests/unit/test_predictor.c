/* The sample tier's generator against the graph that is trained, and its promises: states that can
 * be come back to, and output that stays where the plan says whatever the weights are. */
#include "models/predictor.h"

#include "dsp/random.h"
#include "models/predictor_batch.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 1280, FRAMES = SAMPLES / PREDICTOR_FRAME, LEVEL = -20 };

/* A tune's worth of sound: a tone with noise, its tone alone as the anchor, and a plan whose noise
 * is that noise. */
typedef struct Example {
    float *x, *anchor; /* (samples + a frame,) */
    float *condition, *period;
    size_t samples;
} Example;

static Example example(size_t samples)
{
    const size_t room = samples + 2 * PREDICTOR_FRAME, frames = samples / PREDICTOR_FRAME;
    Example e = {calloc(room, sizeof(float)), calloc(room, sizeof(float)),
                 calloc(frames * PREDICTOR_CONDITION, sizeof(float)), calloc(frames, sizeof(float)),
                 samples};
    assert_true(e.x && e.anchor && e.condition && e.period);
    random_gaussian(1, 1, 0, e.x, samples);
    for (size_t t = 0; t < room; t++) {
        e.anchor[t] = 0.1f * sinf(0.13f * (float)t) + 0.03f * sinf(0.39f * (float)t);
        e.x[t] = rintf(32768.0f * (e.anchor[t] + 0.002f * e.x[t])) / 32768.0f;
    }
    for (size_t f = 0; f < frames; f++) {
        float *c = e.condition + f * PREDICTOR_CONDITION;
        for (size_t i = 2; i < 26; i++)
            c[i] = i < 8 ? -0.2f : -2.0f;
        c[26] = expf(-(float)f);
        c[31] = c[32] = 1.0f;
        e.period[f] = f % 7 == 6 ? 0.0f : 6.2831853f / 0.13f;
    }
    return e;
}

static void clear(Example *e)
{
    free(e->x), free(e->anchor), free(e->condition), free(e->period);
}

static PredictorPlan plan_of(const Example *e, size_t f)
{
    PredictorPlan plan = {.anchor = e->anchor + f * PREDICTOR_FRAME};
    predictor_frame_plan(e->condition + f * PREDICTOR_CONDITION, LEVEL, e->period[f], &plan.frame);
    return plan;
}

typedef struct Model {
    PredictorNet *net;
    float *weights;
    Predictor *predictor;
} Model;

/* All weights random: `size` times their usual start, zeros too. */
static Model model(PredictorStructure structure, float size)
{
    const PredictorConfig config = {structure, .hidden = 24, .wide = 40, .narrow = 20};
    Model m = {.net = predictor_net_create(&config, NULL)};
    assert_non_null(m.net);
    const Parameters *parameters = predictor_net_parameters(m.net);
    m.weights = malloc(parameters_size(parameters) * sizeof(float));
    assert_non_null(m.weights);
    random_gaussian(7, 1, 0, m.weights, parameters_size(parameters));
    for (size_t i = 0; i < parameters_count(parameters); i++) {
        const ParameterInfo *info = parameters_info(parameters, i);
        const float fan = info->rank > 1 ? (float)(info->size / info->shape[0]) : 25.0f;
        for (size_t k = 0; k < info->size; k++)
            m.weights[info->offset + k] *= size / sqrtf(fan);
    }
    m.predictor = predictor_create(m.net, m.weights, NULL);
    assert_non_null(m.predictor);
    return m;
}

static void discard(Model *m)
{
    predictor_destroy(m->predictor);
    predictor_net_destroy(m->net);
    free(m->weights);
}

/* The clip that training would see: one window long, so that both begin with nothing. */
static PredictorClip clip_of(const Example *e, bool planned)
{
    PredictorClip clip;
    float *long_enough = calloc(16000, sizeof(float));
    memcpy(long_enough, e->x, e->samples * sizeof(float));
    assert_int_equal(predictor_clip_make(long_enough, 16000, false, &clip, NULL), 0);
    free(long_enough);
    clip.samples = e->samples;
    clip.frames = e->samples / PREDICTOR_FRAME;
    clip.planned = planned;
    clip.level = LEVEL;
    clip.anchor = malloc((e->samples + PREDICTOR_AHEAD + 1) * sizeof(float));
    for (size_t t = 0; t < e->samples + PREDICTOR_AHEAD + 1; t++)
        clip.anchor[t] = 32768.0f * e->anchor[t];
    clip.condition = e->condition;
    clip.period = e->period;
    return clip;
}

/* Mean nats of training's graph on the example. */
static double nats_in_training(const Model *m, const PredictorClip *clip)
{
    PredictorBatchMaker *maker = predictor_batch_create(m->net, 1, clip->samples, NULL);
    assert_non_null(maker);
    const PredictorDraw draw = {.seed = 1, .planned = 1.0};
    predictor_batch_draw(maker, clip, 1, &draw);
    const PredictorLoss loss = predictor_batch_loss(maker, m->weights, NULL);
    predictor_batch_destroy(maker);
    assert_true(loss.samples[clip->planned] == (double)clip->samples);
    return loss.nats[clip->planned];
}

/* The generator's densities, against those of the graph over the same inputs. The recurrent
 * network plays with rounded weights. */
static void check_densities(const Model *m, const Example *e, const float *found, bool rounded)
{
    double off = 0.0;
    static float inputs[SAMPLES * PREDICTOR_INPUTS], out[SAMPLES * PREDICTOR_OUTPUTS],
        wanted[SAMPLES * LOGISTIC_PARAMETERS], condition[FRAMES * PREDICTOR_CONDITION],
        x[PREDICTOR_REACH + SAMPLES], anchor[PREDICTOR_REACH + SAMPLES + PREDICTOR_AHEAD + 1];
    static PredictorHead heads[SAMPLES];
    size_t period[FRAMES];
    for (size_t t = 0; t < SAMPLES + PREDICTOR_AHEAD + 1; t++) {
        anchor[PREDICTOR_REACH + t] = 32768.0f * e->anchor[t];
        if (t < SAMPLES)
            x[PREDICTOR_REACH + t] = 32768.0f * e->x[t];
    }
    for (size_t t = 0; t < SAMPLES; t++) {
        const size_t f = t / PREDICTOR_FRAME;
        const PredictorPlan plan = plan_of(e, f);
        const PredictorView view = {.x = x + PREDICTOR_REACH + t,
                                    .anchor = anchor + PREDICTOR_REACH + t};
        predictor_inputs_make(&plan.frame, &view, inputs + t * PREDICTOR_INPUTS, &heads[t]);
        period[f] = plan.frame.period;
        memcpy(condition + f * PREDICTOR_CONDITION, plan.frame.condition,
               PREDICTOR_CONDITION * sizeof(float));
    }
    PredictorPass *pass = predictor_pass_create(m->net, 1, SAMPLES, NULL);
    const PredictorBatch batch = {1, SAMPLES, inputs, condition, period};
    predictor_forward(pass, m->weights, &batch, out);
    predictor_heads_forward(SAMPLES, heads, out, wanted);
    predictor_pass_destroy(pass);
    for (size_t i = 0; i < SAMPLES * LOGISTIC_PARAMETERS; i++) {
        const float away = fabsf(found[i] - wanted[i]) / (1.0f + fabsf(wanted[i]));
        off += (double)away / (SAMPLES * LOGISTIC_PARAMETERS);
        if (!(away <= (rounded ? 0.1f : 1e-4f)))
            fail_msg("sample %zu, parameter %zu: %g, in training %g", i / LOGISTIC_PARAMETERS,
                     i % LOGISTIC_PARAMETERS, (double)found[i], (double)wanted[i]);
    }
    if (off > (rounded ? 0.002 : 1e-6))
        fail_msg("parameters are off by %g in the mean", off);
}

static void check_agreement(PredictorStructure structure)
{
    static float found[SAMPLES * LOGISTIC_PARAMETERS];
    Example e = example(SAMPLES);
    Model m = model(structure, 0.7f);
    for (int planned = 0; planned < 2; planned++) {
        PredictorClip clip = clip_of(&e, planned);
        PredictorState *state = predictor_state_create(m.predictor, !planned, NULL);
        double nats = 0.0;
        for (size_t f = 0; f < FRAMES; f++) {
            const PredictorPlan plan = plan_of(&e, f);
            nats += predictor_hear(state, planned ? &plan : NULL, e.x + f * PREDICTOR_FRAME,
                                   found + f * PREDICTOR_FRAME * LOGISTIC_PARAMETERS);
        }
        const double wanted = nats_in_training(&m, &clip);
        /* The clip keeps predictions in halves, the state does not. */
        if (fabs(nats - wanted) > (planned ? 2e-4 : 2e-3) * wanted)
            fail_msg("planned %d: %g nats, in training %g", planned, nats, wanted);
        if (planned)
            check_densities(&m, &e, found, structure == PREDICTOR_RECURRENT);
        predictor_state_destroy(state);
        clip.condition = clip.period = NULL;
        predictor_clip_clear(&clip);
    }
    discard(&m);
    clear(&e);
}

static void recurrent_agrees_with_training(void **state)
{
    (void)state;
    check_agreement(PREDICTOR_RECURRENT);
}

static void convolution_agrees_with_training(void **state)
{
    (void)state;
    check_agreement(PREDICTOR_CONVOLUTION);
}

static void play(PredictorState *state, const Example *e, size_t first, size_t frames, float *x)
{
    const PredictorDice dice = {.seed = 3, .stream = 4, .temperature = 0.8};
    for (size_t f = 0; f < frames; f++) {
        const PredictorPlan plan = plan_of(e, (first + f) % (e->samples / PREDICTOR_FRAME));
        predictor_play(state, &plan, &dice, x + f * PREDICTOR_FRAME);
    }
}

static void copies_go_on_alike(void **state)
{
    (void)state;
    enum { PART = 97 };
    static float a[PART * PREDICTOR_FRAME], b[PART * PREDICTOR_FRAME], c[PART * PREDICTOR_FRAME];
    Example e = example(16000);
    for (int structure = 0; structure < 2; structure++) {
        Model m = model(structure ? PREDICTOR_CONVOLUTION : PREDICTOR_RECURRENT, 0.7f);
        PredictorState *one = predictor_state_create(m.predictor, false, NULL);
        PredictorState *other = predictor_state_create(m.predictor, false, NULL);
        play(one, &e, 0, PART, a);
        predictor_state_copy(other, one);
        assert_true(predictor_state_samples(other) == PART * PREDICTOR_FRAME);
        play(one, &e, PART, PART, a);
        play(other, &e, PART, PART, b);
        assert_memory_equal(a, b, sizeof a);
        predictor_state_reset(other);
        play(other, &e, 0, PART, c);
        play(other, &e, PART, PART, c);
        assert_memory_equal(a, c, sizeof a);
        predictor_state_destroy(one);
        predictor_state_destroy(other);
        discard(&m);
    }
    clear(&e);
}

/* Wild weights, for longer than the history is: what is played keeps within the plan. */
static void output_keeps_to_the_plan(void **state)
{
    (void)state;
    static float x[250 * PREDICTOR_FRAME];
    Example e = example(16000);
    for (int structure = 0; structure < 2; structure++) {
        Model m = model(structure ? PREDICTOR_CONVOLUTION : PREDICTOR_RECURRENT, 5.0f);
        PredictorState *one = predictor_state_create(m.predictor, false, NULL);
        for (int round = 0; round < 12; round++) {
            play(one, &e, 0, 250, x);
            for (size_t t = 0; t < 250 * PREDICTOR_FRAME; t++) {
                const PredictorPlan plan = plan_of(&e, t / PREDICTOR_FRAME);
                const float most = 8.01f * plan.frame.noise / 32768.0f + 1e-5f;
                if (!(fabsf(x[t] - e.anchor[t]) <= most))
                    fail_msg("round %d, sample %zu: %g beside %g", round, t, (double)x[t],
                             (double)e.anchor[t]);
            }
        }
        predictor_state_destroy(one);
        discard(&m);
    }
    clear(&e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(recurrent_agrees_with_training),
        cmocka_unit_test(convolution_agrees_with_training),
        cmocka_unit_test(copies_go_on_alike),
        cmocka_unit_test(output_keeps_to_the_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
