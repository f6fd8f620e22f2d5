/* Training: it learns, it tests on what is held out alone, and it goes on from a checkpoint as if
 * it had never stopped. */
#include "models/texture_past.h"
#include "models/texture_trainer.h"

#include "dsp/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

enum { CLASSES = 2, BANDS = 48, FRAMES = 400, USED = 320 };

static char folder[64], path[128];

/* A run from its beginning: what a case changes of it. */
typedef struct Setting {
    TextureTrainerSettings trainer;
    size_t channels, blocks;
    Prediction prediction;
    float held_out; /* added to all frames of the held-out end */
    float first;    /* added to the first value */
    size_t count;   /* of classes: their names, and which sound each has */
    const char *names[3];
    size_t sounds[3];
} Setting;

typedef struct Run {
    Corpus *corpus;
    TextureModel *model;
    TextureTrainer *trainer;
} Run;

static Setting plain_setting(void)
{
    Setting setting = {.trainer = texture_trainer_defaults(),
                       .channels = 16,
                       .blocks = 2,
                       .prediction = PREDICTION_V,
                       .count = CLASSES,
                       .names = {"slow", "fast"},
                       .sounds = {0, 1}};
    setting.trainer.steps = 400;
    setting.trainer.batch = 4;
    setting.trainer.rate = 3e-3;
    return setting;
}

/* Frames with structure: a class's bands rise and fall together, the first class's slowly, the
 * second's from frame to frame; a little noise on top. The end, a fifth, will be held out. */
static void add_take(Corpus *corpus, size_t c, const Setting *setting)
{
    const char *name = setting->names[c];
    const size_t sound = setting->sounds[c];
    float *values = malloc(FRAMES * BANDS * sizeof *values);
    assert_non_null(values);
    random_gaussian(77, c, 0, values, FRAMES * BANDS);
    for (size_t f = 0; f < FRAMES; f++) {
        const double angle = (double)f * (sound ? 2.1 : 0.1);
        for (size_t b = 0; b < BANDS; b++) {
            float *value = &values[f * BANDS + b];
            *value = 0.1f * *value + 3.0f * (float)sin(angle) - 0.1f * (float)b;
            *value += f >= USED ? setting->held_out : 0.0f;
        }
    }
    values[0] += c ? 0.0f : setting->first;
    assert_int_equal(corpus_add(corpus, c, name, CORPUS_MONO, values, FRAMES, NULL), 0);
    free(values);
}

static Run start(const Setting *setting)
{
    Error err = {""};
    TextureConfig config = {.rate = 16000,
                            .frame = 256,
                            .linear = 40,
                            .upper = 8,
                            .top = 7500.0,
                            .denoiser = {.bands = BANDS,
                                         .channels = setting->channels,
                                         .condition = 16,
                                         .classes = setting->count,
                                         .blocks = setting->blocks,
                                         .dilations = {1, 2, 4},
                                         .past = TEXTURE_PAST_VALUES,
                                         .refiner = {.channels = 4, .blocks = 1, .stride = 4}},
                            .prediction = setting->prediction,
                            .schedule = SCHEDULE_COSINE,
                            .window = 32};
    for (size_t c = 0; c < setting->count; c++)
        strcpy(config.classes[c], setting->names[c]);
    Run run = {corpus_create(BANDS, &err), texture_model_create(&config, &err), NULL};
    assert_true(run.corpus && run.model);
    for (size_t c = 0; c < setting->count; c++) {
        assert_int_equal(corpus_class(run.corpus, config.classes[c], &err), c);
        add_take(run.corpus, c, setting);
    }
    assert_int_equal(corpus_split(run.corpus, 0.2, 1, &err), 0);
    run.trainer = texture_trainer_create(run.model, run.corpus, &setting->trainer, &err);
    if (!run.trainer)
        fail_msg("%s", err.message);
    return run;
}

static void stop(Run *run)
{
    texture_trainer_destroy(run->trainer);
    texture_model_destroy(run->model);
    corpus_destroy(run->corpus);
}

static void take_steps(const Run *run, size_t steps)
{
    Error err = {""};
    for (size_t i = 0; i < steps; i++)
        if (texture_trainer_step(run->trainer, &err))
            fail_msg("%s", err.message);
}

static void evaluate(const Run *run)
{
    Error err = {""};
    if (texture_trainer_evaluate(run->trainer, &err))
        fail_msg("%s", err.message);
}

/* The weights that training gives by now, evaluated as the best; the model's own array. */
static const float *weights(const Run *run)
{
    texture_trainer_finish(run->trainer);
    return texture_model_values(run->model);
}

static size_t weight_count(const Run *run)
{
    return parameters_size(denoiser_parameters(texture_model_denoiser(run->model)));
}

/* The expected held-out loss while the network still says 0 to all, and frames have the variance
 * `variance` about 0: noise for epsilon, alpha noise - sigma frames for v. */
static double start_loss(const Run *run, Prediction prediction, double variance)
{
    const Schedule *schedule = texture_model_schedule(run->model);
    const int steps = schedule_steps(schedule);
    double sum = 0.0;
    for (int t = 1; t <= steps; t++)
        sum += schedule_alpha_bar(schedule, t) + variance * (1.0 - schedule_alpha_bar(schedule, t));
    return prediction == PREDICTION_EPSILON ? 1.0 : sum / steps;
}

static void check_learns(Prediction prediction, double most)
{
    Setting setting = plain_setting();
    setting.prediction = prediction;
    setting.channels = 64; /* more than bands, so that all of the noise can be told */
    Run run = start(&setting);
    assert_true(isnan(texture_trainer_progress(run.trainer).loss));
    evaluate(&run);
    const double first = texture_trainer_progress(run.trainer).held_out;
    assert_true(fabs(first - start_loss(&run, prediction, 1.0)) < 0.1);
    take_steps(&run, 1);
    assert_true(fabs(texture_trainer_progress(run.trainer).loss - 1.0) < 0.35);
    take_steps(&run, setting.trainer.steps - 1);
    evaluate(&run);
    const TextureProgress end = texture_trainer_progress(run.trainer);
    if (!(end.loss < most && end.held_out < most))
        fail_msg("%s: loss %g, held out %g, not below %g", prediction_name(prediction), end.loss,
                 end.held_out, most);
    assert_int_equal(end.step, setting.trainer.steps);
    assert_true(end.best == end.held_out && end.best_step == end.step);
    /* By now the learning rate is 0: nothing moves any more. */
    Run other = start(&setting);
    assert_int_equal(texture_trainer_save(run.trainer, path, NULL), 0);
    assert_int_equal(texture_trainer_resume(other.trainer, path, NULL), 0);
    take_steps(&other, 1);
    evaluate(&other);
    assert_true(fabs(texture_trainer_progress(other.trainer).held_out - end.held_out) < 1e-3);
    stop(&other);
    stop(&run);
}

/* Of white noise instead of sound, the best prediction of v is 0, and of epsilon sigma x: losses of
 * 1 and, as alpha^2 is half on average, 0.5. What is less was learnt from structure. */
static void loss_falls(void **state)
{
    (void)state;
    check_learns(PREDICTION_V, 0.7);
    check_learns(PREDICTION_EPSILON, 0.3);
}

/* Held-out frames far above all others are 4 once normalised, and only held-out loss sees them. */
static void only_held_out_sound_is_tested_on(void **state)
{
    (void)state;
    Setting setting = plain_setting();
    Run plain = start(&setting);
    setting.held_out = 100.0f;
    Run loud = start(&setting);
    evaluate(&loud);
    const double loss = texture_trainer_progress(loud.trainer).held_out;
    const double wanted = start_loss(&loud, PREDICTION_V, 16.0);
    if (!(fabs(loss / wanted - 1.0) < 0.06))
        fail_msg("held-out loss %g, not %g", loss, wanted);
    assert_int_equal(texture_trainer_progress(loud.trainer).best_step, 0);
    take_steps(&plain, 10);
    take_steps(&loud, 10);
    assert_true(texture_trainer_progress(plain.trainer).loss ==
                texture_trainer_progress(loud.trainer).loss);
    evaluate(&plain);
    evaluate(&loud);
    assert_true(texture_trainer_progress(loud.trainer).held_out >
                2.0 * texture_trainer_progress(plain.trainer).held_out);
    assert_int_equal(texture_trainer_progress(loud.trainer).best_step, 10);
    assert_memory_equal(weights(&plain), weights(&loud), weight_count(&plain) * sizeof(float));
    stop(&plain);
    stop(&loud);
}

static void start_from(const Run *run, const TextureModel *source)
{
    Error err = {""};
    if (texture_trainer_start_from(run->trainer, source, &err))
        fail_msg("%s", err.message);
}

static void a_run_starts_from_given_weights(void **state)
{
    (void)state;
    const Setting setting = plain_setting();
    Run first = start(&setting);
    take_steps(&first, 25);
    evaluate(&first);
    const size_t size = weight_count(&first) * sizeof(float);
    Run second = start(&setting), third = start(&setting), plain = start(&setting);
    weights(&first);
    start_from(&second, first.model);
    evaluate(&second);
    assert_true(texture_trainer_progress(second.trainer).held_out ==
                texture_trainer_progress(first.trainer).held_out);
    assert_memory_equal(weights(&first), weights(&second), size);
    /* It draws other windows than those that the weights may know, after a pause as well. */
    weights(&third);
    start_from(&third, third.model);
    take_steps(&third, 1);
    take_steps(&plain, 1);
    assert_true(texture_trainer_progress(third.trainer).loss !=
                texture_trainer_progress(plain.trainer).loss);
    take_steps(&second, 2);
    assert_int_equal(texture_trainer_save(second.trainer, path, NULL), 0);
    Run fourth = start(&setting);
    assert_int_equal(texture_trainer_resume(fourth.trainer, path, NULL), 0);
    take_steps(&second, 3);
    take_steps(&fourth, 3);
    assert_true(texture_trainer_progress(second.trainer).loss ==
                texture_trainer_progress(fourth.trainer).loss);
    stop(&first);
    stop(&second);
    stop(&third);
    stop(&fourth);
    stop(&plain);
}

/* A tensor of a run's model as it is. */
static const float *tensor(const Run *run, const char *name, size_t *size)
{
    const Parameters *parameters = denoiser_parameters(texture_model_denoiser(run->model));
    for (size_t i = 0; i < parameters_count(parameters); i++) {
        const ParameterInfo *info = parameters_info(parameters, i);
        *size = info->size;
        if (!strcmp(info->name, name))
            return texture_model_values(run->model) + info->offset;
    }
    fail_msg("no tensor %s", name);
    return NULL;
}

/* Classes of other names and another number: what is known of sound stays, a class of the same name
 * keeps its row, and a new one gets the row with which its sound is predicted best, that of the
 * class which is like it. */
static void a_run_starts_from_a_model_of_other_classes(void **state)
{
    (void)state;
    Setting setting = plain_setting();
    Run first = start(&setting);
    take_steps(&first, setting.trainer.steps);
    evaluate(&first);
    weights(&first);
    setting.count = 3;
    setting.names[0] = "rapid";
    setting.names[1] = "slow";
    setting.names[2] = "steady";
    setting.sounds[0] = setting.sounds[2] = 1;
    setting.sounds[1] = 0;
    Run second = start(&setting), fresh = start(&setting);
    start_from(&second, first.model);
    evaluate(&second);
    evaluate(&fresh);
    weights(&second);
    size_t size, rows;
    const float *const before = tensor(&first, "in.weight", &size);
    assert_memory_equal(tensor(&second, "in.weight", &size), before, size * sizeof(float));
    const float *const table = tensor(&first, "class.table", &rows);
    const float *const taken = tensor(&second, "class.table", &size);
    const size_t width = rows / CLASSES;
    assert_int_equal(size, 3 * width);
    assert_memory_equal(taken + width, table, width * sizeof(float));
    assert_memory_equal(taken, table + width, width * sizeof(float));
    assert_memory_equal(taken + 2 * width, table + width, width * sizeof(float));
    assert_true(texture_trainer_progress(second.trainer).held_out <
                0.9 * texture_trainer_progress(fresh.trainer).held_out);
    stop(&first);
    stop(&second);
    stop(&fresh);
}

static void another_network_is_no_start(void **state)
{
    (void)state;
    Setting setting = plain_setting();
    Run run = start(&setting);
    setting.channels = 24;
    Run other = start(&setting);
    Error err = {""};
    assert_int_equal(texture_trainer_start_from(other.trainer, run.model, &err), -1);
    assert_non_null(strstr(err.message, "another network"));
    stop(&run);
    stop(&other);
}

/* Once it only gets worse, the run is over, and what is kept is from before. */
static void a_run_stops_at_its_best(void **state)
{
    (void)state;
    Setting setting = plain_setting();
    Run first = start(&setting);
    take_steps(&first, setting.trainer.steps);
    evaluate(&first);
    weights(&first);
    setting.trainer.rate = 0.1; /* far too much */
    Run second = start(&setting);
    start_from(&second, first.model);
    /* Windows of four: 48 to test on cost as much as four steps. */
    assert_int_equal(texture_trainer_interval(second.trainer), 40);
    evaluate(&second);
    size_t steps = 0;
    for (; !texture_trainer_stalled(second.trainer) && steps < 400; steps += 40) {
        take_steps(&second, 40);
        evaluate(&second);
    }
    /* Four evaluations of patience, and the step beyond. */
    assert_int_equal(steps, 200);
    assert_int_equal(texture_trainer_progress(second.trainer).best_step, 0);
    assert_memory_equal(weights(&first), weights(&second), weight_count(&first) * sizeof(float));
    texture_trainer_set_steps(second.trainer, 1000000);
    assert_int_equal(texture_trainer_interval(second.trainer), 250);
    assert_false(texture_trainer_stalled(second.trainer));
    stop(&first);
    stop(&second);
}

/* Measuring the machine is no part of training. */
static void a_rehearsal_changes_nothing(void **state)
{
    (void)state;
    Setting setting = plain_setting();
    setting.trainer.threads = 2;
    Run one = start(&setting), other = start(&setting);
    Error err = {""};
    for (int i = 0; i < 3; i++)
        if (texture_trainer_rehearse(one.trainer, &err))
            fail_msg("%s", err.message);
    assert_int_equal(texture_trainer_progress(one.trainer).step, 0);
    take_steps(&one, 3);
    take_steps(&other, 3);
    evaluate(&one);
    evaluate(&other);
    assert_memory_equal(weights(&one), weights(&other), weight_count(&one) * sizeof(float));
    stop(&one);
    stop(&other);
}

static void a_resumed_run_is_the_unbroken_one(void **state)
{
    (void)state;
    const Setting setting = plain_setting();
    Run unbroken = start(&setting);
    take_steps(&unbroken, 12);
    evaluate(&unbroken);
    take_steps(&unbroken, 13);

    Run first = start(&setting);
    texture_trainer_set_steps(first.trainer, 400);
    take_steps(&first, 12);
    evaluate(&first);
    texture_trainer_add_seconds(first.trainer, 1.0 / 3.0);
    const TextureProgress before = texture_trainer_progress(first.trainer);
    assert_int_equal(texture_trainer_save(first.trainer, path, NULL), 0);
    stop(&first);
    Setting later = setting;
    later.trainer.steps = 77; /* the checkpoint's count */
    Run second = start(&later);
    Error err = {""};
    if (texture_trainer_resume(second.trainer, path, &err))
        fail_msg("%s", err.message);
    const TextureProgress after = texture_trainer_progress(second.trainer);
    assert_true(before.step == after.step && before.loss == after.loss &&
                before.held_out == after.held_out && before.best == after.best &&
                before.best_step == after.best_step && before.seconds == after.seconds);
    assert_int_equal(texture_trainer_steps(second.trainer), 400);
    take_steps(&second, 13);
    /* The best until here, then those of now. */
    const size_t size = weight_count(&unbroken) * sizeof(float);
    assert_memory_equal(weights(&unbroken), weights(&second), size);
    evaluate(&unbroken);
    evaluate(&second);
    assert_memory_equal(weights(&unbroken), weights(&second), size);
    const TextureProgress a = texture_trainer_progress(unbroken.trainer);
    const TextureProgress b = texture_trainer_progress(second.trainer);
    assert_true(a.loss == b.loss && a.held_out == b.held_out && a.best == b.best);
    stop(&unbroken);
    stop(&second);
}

/* Saves again and again while another thread trains. */
typedef struct Saver {
    TextureTrainer *trainer;
    atomic_bool ended;
    int failed;
    size_t times;
} Saver;

static void *save_all_the_time(void *user)
{
    Saver *saver = user;
    for (; !saver->failed && !atomic_load(&saver->ended); saver->times++)
        saver->failed = texture_trainer_save(saver->trainer, path, NULL);
    return NULL;
}

static void a_checkpoint_made_meanwhile_is_whole(void **state)
{
    (void)state;
    const Setting setting = plain_setting();
    Run run = start(&setting), resumed = start(&setting), unbroken = start(&setting);
    Saver saver = {.trainer = run.trainer};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, save_all_the_time, &saver), 0);
    for (int i = 0; i < 20; i++) {
        take_steps(&run, 1);
        texture_trainer_add_seconds(run.trainer, 0.5);
    }
    atomic_store(&saver.ended, true);
    pthread_join(thread, NULL);
    assert_true(!saver.failed && saver.times > 1);
    assert_int_equal(texture_trainer_resume(resumed.trainer, path, NULL), 0);
    const size_t steps = texture_trainer_progress(resumed.trainer).step;
    take_steps(&unbroken, steps);
    take_steps(&unbroken, 2);
    take_steps(&resumed, 2);
    evaluate(&unbroken);
    evaluate(&resumed);
    assert_memory_equal(weights(&unbroken), weights(&resumed), weight_count(&run) * sizeof(float));
    stop(&run);
    stop(&resumed);
    stop(&unbroken);
}

static void threads_change_rounding_only(void **state)
{
    (void)state;
    Setting setting = plain_setting();
    Run one = start(&setting);
    setting.trainer.threads = 2;
    Run two = start(&setting);
    setting.trainer.threads = 3; /* of four windows: unequal shares */
    Run three = start(&setting);
    const Run *const others[] = {&two, &three};
    take_steps(&one, 10);
    evaluate(&one);
    const float *wanted = weights(&one);
    for (size_t r = 0; r < COUNT(others); r++) {
        take_steps(others[r], 10);
        evaluate(others[r]);
        const float *got = weights(others[r]);
        for (size_t i = 0; i < weight_count(&one); i++)
            if (!(fabsf(got[i] - wanted[i]) < 1e-4f))
                fail_msg("weight %zu: %.9g on %zu threads, not %.9g", i, (double)got[i], r + 2,
                         (double)wanted[i]);
    }
    stop(&one);
    stop(&two);
    stop(&three);
}

/* Resuming `run` at `path` fails in one line with the path and the word, and nothing has changed:
 * it then trains as if nothing had been tried. */
static void check_not_resumed(const Setting *setting, const char *word)
{
    Error err = {""};
    Run run = start(setting), untried = start(setting);
    take_steps(&run, 2);
    take_steps(&untried, 2);
    assert_int_equal(texture_trainer_resume(run.trainer, path, NULL), -1);
    assert_int_equal(texture_trainer_resume(run.trainer, path, &err), -1);
    if (!strstr(err.message, path) || !strstr(err.message, word) || strchr(err.message, '\n'))
        fail_msg("\"%s\" is not told: %s", word, err.message);
    assert_int_equal(texture_trainer_progress(run.trainer).step, 2);
    assert_int_equal(texture_trainer_steps(run.trainer), setting->trainer.steps);
    take_steps(&run, 2);
    take_steps(&untried, 2);
    evaluate(&run);
    evaluate(&untried);
    assert_memory_equal(weights(&run), weights(&untried), weight_count(&run) * sizeof(float));
    stop(&run);
    stop(&untried);
}

static void save_checkpoint(void)
{
    const Setting setting = plain_setting();
    Run run = start(&setting);
    take_steps(&run, 3);
    assert_int_equal(texture_trainer_save(run.trainer, path, NULL), 0);
    stop(&run);
}

static void other_checkpoints_are_refused(void **state)
{
    (void)state;
    save_checkpoint();
    Setting setting = plain_setting();
    setting.trainer.seed = 2;
    check_not_resumed(&setting, "--seed 1: give that");
    setting = plain_setting();
    setting.first = 0.5f;
    check_not_resumed(&setting, "other sound");
    setting = plain_setting();
    setting.trainer.batch = 5;
    check_not_resumed(&setting, "give --batch 4");
    setting = plain_setting();
    setting.channels = 24;
    check_not_resumed(&setting, "give the same --channels");
    setting = plain_setting();
    setting.blocks = 3;
    check_not_resumed(&setting, "give the same --channels, --blocks");
    setting = plain_setting(); /* as many weights, which mean something else */
    setting.prediction = PREDICTION_EPSILON;
    check_not_resumed(&setting, "--prediction");
}

static void broken_checkpoints_are_refused(void **state)
{
    (void)state;
    const Setting setting = plain_setting();
    save_checkpoint();
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    const off_t cuts[] = {status.st_size - 4, status.st_size / 2, 20, 0};
    for (size_t i = 0; i < COUNT(cuts); i++) {
        assert_int_equal(truncate(path, cuts[i]), 0);
        check_not_resumed(&setting, "bytes");
    }
    assert_int_equal(unlink(path), 0);
    check_not_resumed(&setting, "cannot be opened");
    Run run = start(&setting);
    texture_trainer_finish(run.trainer);
    assert_int_equal(texture_model_save(run.model, NULL, 0, 1, path, NULL), 0);
    stop(&run);
    check_not_resumed(&setting, "not a checkpoint");
}

static void without_held_out_sound_the_last_weights_count(void **state)
{
    (void)state;
    Error err = {""};
    Setting setting = plain_setting();
    Run run = start(&setting), other = start(&setting);
    stop(&run);
    /* Once more, with nothing held out. */
    const TextureConfig *config = texture_model_config(other.model);
    run = (Run){corpus_create(BANDS, &err), texture_model_create(config, &err), NULL};
    for (size_t c = 0; c < CLASSES; c++) {
        corpus_class(run.corpus, config->classes[c], &err);
        add_take(run.corpus, c, &setting);
    }
    assert_int_equal(corpus_split(run.corpus, 0.0, 1, &err), 0);
    run.trainer = texture_trainer_create(run.model, run.corpus, &setting.trainer, &err);
    assert_non_null(run.trainer);
    for (size_t i = 1; i <= 2; i++) {
        take_steps(&run, 3);
        evaluate(&run);
        const TextureProgress progress = texture_trainer_progress(run.trainer);
        assert_true(isnan(progress.held_out) && isnan(progress.best));
        assert_int_equal(progress.best_step, 3 * i);
    }
    stop(&run);
    stop(&other);
}

static void bad_settings_are_refused(void **state)
{
    (void)state;
    const Setting plain = plain_setting();
    Run run = start(&plain);
    for (int i = 0; i < 6; i++) {
        Error err = {""};
        TextureTrainerSettings bad = plain.trainer;
        bad.batch = i == 0 ? 0 : i == 1 ? 257 : i == 5 ? 256 : bad.batch;
        bad.threads = i == 2 ? 0 : i == 3 ? 5 : i == 5 ? 65 : bad.threads;
        bad.steps = i == 4 ? 0 : bad.steps;
        assert_null(texture_trainer_create(run.model, run.corpus, &bad, &err));
        assert_non_null(strstr(err.message, i < 2 ? "batch" : i == 4 ? "0 steps" : "threads"));
    }
    stop(&run);
}

static void a_loss_out_of_bounds_ends_training(void **state)
{
    (void)state;
    Error err = {""};
    Setting setting = plain_setting();
    setting.trainer.rate = 1e25;
    Run run = start(&setting);
    int failed = 0;
    for (int i = 0; i < 20 && !failed; i++)
        failed = texture_trainer_step(run.trainer, &err);
    assert_int_equal(failed, -1);
    assert_non_null(strstr(err.message, "lower learning rate"));
    stop(&run);
    texture_trainer_destroy(NULL);
}

static int make_folder(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/brume-test.XXXXXX");
    if (!mkdtemp(folder))
        return -1;
    snprintf(path, sizeof path, "%s/model.checkpoint", folder);
    return 0;
}

/* Nothing but `path` may have been left. */
static int remove_folder(void **state)
{
    (void)state;
    unlink(path);
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loss_falls),
        cmocka_unit_test(only_held_out_sound_is_tested_on),
        cmocka_unit_test(a_run_starts_from_given_weights),
        cmocka_unit_test(a_run_starts_from_a_model_of_other_classes),
        cmocka_unit_test(another_network_is_no_start),
        cmocka_unit_test(a_run_stops_at_its_best),
        cmocka_unit_test(a_rehearsal_changes_nothing),
        cmocka_unit_test(a_resumed_run_is_the_unbroken_one),
        cmocka_unit_test(a_checkpoint_made_meanwhile_is_whole),
        cmocka_unit_test(threads_change_rounding_only),
        cmocka_unit_test(other_checkpoints_are_refused),
        cmocka_unit_test(broken_checkpoints_are_refused),
        cmocka_unit_test(without_held_out_sound_the_last_weights_count),
        cmocka_unit_test(bad_settings_are_refused),
        cmocka_unit_test(a_loss_out_of_bounds_ends_training),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
