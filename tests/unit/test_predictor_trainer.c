/* Training of the sample tier: it learns, it is the same again, it goes on from a checkpoint as if
 * it had not stopped, and it refuses what is not its own. */
#include "models/predictor_trainer.h"

#include "dsp/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SAMPLES = 32000, CLIPS = 2 };

/* Notes of eight partials with a little noise, half a second each. */
static void make_clips(PredictorClip clips[CLIPS])
{
    float *x = malloc(SAMPLES * sizeof *x);
    assert_non_null(x);
    for (int c = 0; c < CLIPS; c++) {
        random_gaussian(5, (uint64_t)c, 0, x, SAMPLES);
        for (size_t t = 0; t < SAMPLES; t++) {
            static const float hertz[4] = {262.0f, 330.0f, 392.0f, 523.0f};
            const float age = (float)(t % 8000) / 16000.0f;
            const float turn = 6.2831853f * age * hertz[(t / 8000 + (size_t)c) % 4];
            x[t] *= 0.002f;
            for (int k = 1; k <= 8; k++)
                x[t] += 0.15f / (float)k * expf(-4.0f * age) * sinf((float)k * turn);
        }
        assert_int_equal(predictor_clip_make(x, SAMPLES, true, &clips[c], NULL), 0);
        assert_true(clips[c].planned);
        assert_int_equal(clips[c].frames * PREDICTOR_FRAME, clips[c].samples);
    }
    free(x);
}

static PredictorClip clips[CLIPS];

static int prepare(void **state)
{
    (void)state;
    make_clips(clips);
    return 0;
}

static int discard(void **state)
{
    (void)state;
    for (int c = 0; c < CLIPS; c++)
        predictor_clip_clear(&clips[c]);
    return 0;
}

static PredictorNet *net_of(PredictorStructure structure, size_t hidden)
{
    const PredictorConfig config = {structure, .hidden = hidden, .wide = 24, .narrow = 16};
    PredictorNet *net = predictor_net_create(&config, NULL);
    assert_non_null(net);
    return net;
}

static PredictorTrainer *trainer_of(const PredictorNet *net, uint64_t seed)
{
    PredictorTrainerSettings settings = predictor_trainer_defaults();
    settings.seed = seed;
    settings.lanes = 4;
    settings.samples = 512;
    settings.steps = 60;
    PredictorTrainer *trainer =
        predictor_trainer_create(net, clips, 1, clips + 1, 1, &settings, NULL);
    assert_non_null(trainer);
    return trainer;
}

static void run(PredictorTrainer *trainer, int steps)
{
    for (int i = 0; i < steps; i++)
        assert_int_equal(predictor_trainer_step(trainer, NULL), 0);
}

static void both_structures_learn(void **state)
{
    (void)state;
    for (int s = 0; s < 2; s++) {
        PredictorNet *net = net_of(s ? PREDICTOR_CONVOLUTION : PREDICTOR_RECURRENT, 16);
        PredictorTrainer *trainer = trainer_of(net, 1);
        assert_int_equal(predictor_trainer_evaluate(trainer, NULL), 0);
        const PredictorProgress before = predictor_trainer_progress(trainer);
        assert_true(before.held_out[0] > 2.0 && before.held_out[0] < 16.0);
        run(trainer, 60);
        assert_int_equal(predictor_trainer_evaluate(trainer, NULL), 0);
        const PredictorProgress after = predictor_trainer_progress(trainer);
        for (int i = 0; i < 2; i++)
            if (!(after.held_out[i] < before.held_out[i] - 0.02))
                fail_msg("structure %d, plan %d: from %.3f to %.3f bits", s, i, before.held_out[i],
                         after.held_out[i]);
        assert_int_equal(after.best_step, 60);
        predictor_trainer_destroy(trainer);
        predictor_net_destroy(net);
    }
}

/* A rehearsal changes nothing; weights started from are the best until better ones were found; and
 * a checkpoint is not gone on with at another rate. */
static void training_starts_from_weights(void **state)
{
    (void)state;
    char path[] = "/tmp/predictorXXXXXX";
    close(mkstemp(path));
    PredictorNet *net = net_of(PREDICTOR_RECURRENT, 16);
    const size_t bytes = parameters_size(predictor_net_parameters(net)) * sizeof(float);
    PredictorTrainer *old = trainer_of(net, 1), *one = trainer_of(net, 2);
    PredictorTrainer *other = trainer_of(net, 2);
    run(old, 40);
    assert_int_equal(predictor_trainer_evaluate(old, NULL), 0);
    predictor_trainer_start_from(one, predictor_trainer_weights(old));
    predictor_trainer_start_from(other, predictor_trainer_weights(old));
    assert_memory_equal(predictor_trainer_weights(one), predictor_trainer_weights(old), bytes);
    assert_int_equal(predictor_trainer_evaluate(one, NULL), 0);
    assert_int_equal(predictor_trainer_progress(one).best_step, 0);
    assert_true(predictor_trainer_progress(one).best == predictor_trainer_progress(old).best);
    predictor_trainer_rehearse(one);
    assert_int_equal(predictor_trainer_progress(one).step, 0);
    run(one, 3);
    run(other, 3);
    assert_int_equal(predictor_trainer_evaluate(one, NULL), 0);
    assert_int_equal(predictor_trainer_evaluate(other, NULL), 0);
    assert_memory_equal(predictor_trainer_weights(one), predictor_trainer_weights(other), bytes);

    Error err = {""};
    PredictorTrainerSettings settings = predictor_trainer_tuning();
    assert_true(settings.rate < predictor_trainer_defaults().rate && settings.tolerance == 0.0);
    settings.seed = 2;
    settings.lanes = 4;
    settings.samples = 512;
    PredictorTrainer *gentle =
        predictor_trainer_create(net, clips, 1, clips + 1, 1, &settings, NULL);
    assert_non_null(gentle);
    assert_int_equal(predictor_trainer_save(one, path, NULL), 0);
    assert_int_equal(predictor_trainer_resume(gentle, path, &err), -1);
    assert_non_null(strstr(err.message, "another --from"));
    unlink(path);
    PredictorTrainer *all[] = {old, one, other, gentle};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        predictor_trainer_destroy(all[i]);
    predictor_net_destroy(net);
}

static void resumed_training_is_the_same(void **state)
{
    (void)state;
    char path[] = "/tmp/predictorXXXXXX";
    close(mkstemp(path));
    PredictorNet *net = net_of(PREDICTOR_RECURRENT, 8);
    const size_t bytes = parameters_size(predictor_net_parameters(net)) * sizeof(float);
    PredictorTrainer *one = trainer_of(net, 2), *other = trainer_of(net, 2);
    run(one, 7);
    assert_int_equal(predictor_trainer_save(one, path, NULL), 0);
    run(one, 5);
    assert_int_equal(predictor_trainer_evaluate(one, NULL), 0);
    assert_int_equal(predictor_trainer_resume(other, path, NULL), 0);
    assert_int_equal(predictor_trainer_progress(other).step, 7);
    run(other, 5);
    assert_int_equal(predictor_trainer_evaluate(other, NULL), 0);
    assert_memory_equal(predictor_trainer_weights(one), predictor_trainer_weights(other), bytes);

    assert_int_equal(predictor_trainer_save(one, path, NULL), 0);
    real *weights = NULL;
    PredictorNet *opened = predictor_trainer_open(path, &weights, NULL);
    assert_non_null(opened);
    assert_memory_equal(predictor_trainer_weights(one), weights, bytes);
    free(weights);
    predictor_net_destroy(opened);
    predictor_trainer_destroy(one);
    predictor_trainer_destroy(other);
    predictor_net_destroy(net);
    unlink(path);
}

static void foreign_checkpoints_are_refused(void **state)
{
    (void)state;
    Error err;
    char path[] = "/tmp/predictorXXXXXX";
    close(mkstemp(path));
    PredictorNet *net = net_of(PREDICTOR_RECURRENT, 8), *larger = net_of(PREDICTOR_RECURRENT, 12);
    PredictorTrainer *one = trainer_of(net, 3), *other = trainer_of(larger, 3);
    PredictorTrainer *seeded = trainer_of(net, 4);
    real *weights = NULL;
    assert_int_equal(predictor_trainer_resume(one, path, &err), -1); /* empty */
    assert_null(predictor_trainer_open(path, &weights, &err));
    assert_int_equal(predictor_trainer_save(one, path, &err), 0);
    assert_int_equal(predictor_trainer_resume(other, path, &err), -1);
    assert_non_null(strstr(err.message, "another network"));
    assert_int_equal(predictor_trainer_resume(seeded, path, &err), -1);
    assert_non_null(strstr(err.message, "seed 3"));
    assert_int_equal(truncate(path, 2000), 0);
    assert_int_equal(predictor_trainer_resume(one, path, &err), -1);
    assert_int_equal(predictor_trainer_resume(one, "/nowhere/at/all", &err), -1);
    PredictorTrainer *const all[3] = {one, other, seeded};
    for (int i = 0; i < 3; i++)
        predictor_trainer_destroy(all[i]);
    predictor_net_destroy(net);
    predictor_net_destroy(larger);
    unlink(path);
}

static void impossible_settings_are_refused(void **state)
{
    (void)state;
    Error err;
    PredictorNet *net = net_of(PREDICTOR_CONVOLUTION, 8);
    PredictorTrainerSettings settings = predictor_trainer_defaults();
    assert_null(predictor_trainer_create(net, clips, 0, NULL, 0, &settings, &err));
    settings.samples = 100;
    assert_null(predictor_trainer_create(net, clips, 1, NULL, 0, &settings, &err));
    settings.samples = 128;
    settings.lanes = 0;
    assert_null(predictor_trainer_create(net, clips, 1, NULL, 0, &settings, &err));
    const PredictorConfig small = {PREDICTOR_RECURRENT, 7, 24, 16},
                          odd = {(PredictorStructure)9, 8, 8, 8};
    assert_null(predictor_net_create(&small, &err));
    assert_null(predictor_net_create(&odd, &err));
    PredictorClip clip;
    float x[64] = {0.0f};
    assert_int_equal(predictor_clip_make(x, 64, false, &clip, &err), -1);
    predictor_net_destroy(net);
}

/* A clip shorter than a window is learnt from too, after silence. */
static void short_clips_are_padded(void **state)
{
    (void)state;
    PredictorNet *net = net_of(PREDICTOR_RECURRENT, 8);
    PredictorTrainerSettings settings = predictor_trainer_defaults();
    settings.lanes = 2;
    settings.samples = 40000 / PREDICTOR_FRAME * PREDICTOR_FRAME;
    PredictorTrainer *trainer = predictor_trainer_create(net, clips, 1, NULL, 0, &settings, NULL);
    assert_non_null(trainer);
    run(trainer, 2);
    assert_int_equal(predictor_trainer_evaluate(trainer, NULL), 0);
    predictor_trainer_destroy(trainer);
    predictor_net_destroy(net);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_structures_learn),
        cmocka_unit_test(training_starts_from_weights),
        cmocka_unit_test(resumed_training_is_the_same),
        cmocka_unit_test(foreign_checkpoints_are_refused),
        cmocka_unit_test(impossible_settings_are_refused),
        cmocka_unit_test(short_clips_are_padded),
    };
    return cmocka_run_group_tests(tests, prepare, discard);
}
