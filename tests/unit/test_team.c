/* Several processes that train one model, here threads of one process that pass numbers through
 * memory: they follow the curve of one, end together, and notice when they no longer fit. */
#include "models/team.h"
#include "models/texture_past.h"
#include "models/texture_trainer.h"

#include "dsp/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 4, BANDS = 24, FRAMES = 300, STEPS = 12 };

/* Where the members meet. */
typedef struct Table {
    pthread_barrier_t barrier;
    size_t size;
    void *arrays[MOST];
    size_t strayed; /* 1 + the member that gets other sums than the rest; 0: none */
} Table;

/* What a member is given and what it finds. */
typedef struct Member {
    Table *table;
    Team team;
    pthread_t thread;
    /* Of agreeing. */
    int failed, told;
    /* Of training. */
    size_t batch;
    unsigned threads;
    float first; /* added to the sound's first value */
    int result;
    Error err;
    TextureProgress progress;
    float *weights;
    size_t count;
} Member;

/* Everybody's arrays are on the table until all have read them. */
static void lay(const Member *member, void *array)
{
    member->table->arrays[member->team.rank] = array;
    pthread_barrier_wait(&member->table->barrier);
}

static int sum(void *link, real *values, size_t n, Error *err)
{
    Member *member = link;
    const Table *table = member->table;
    (void)err;
    real *all = calloc(n, sizeof *all);
    if (!all)
        abort();
    lay(member, values);
    for (size_t r = 0; r < table->size; r++)
        for (size_t i = 0; i < n; i++)
            all[i] += ((const real *)table->arrays[r])[i];
    pthread_barrier_wait(&member->table->barrier);
    memcpy(values, all, n * sizeof *all);
    if (table->strayed == member->team.rank + 1)
        values[0] += (real)1e-3;
    free(all);
    return 0;
}

static int total(void *link, double *numbers, size_t n, Error *err)
{
    Member *member = link;
    const Table *table = member->table;
    double all[8] = {0.0};
    (void)err;
    if (n > 8)
        abort();
    lay(member, numbers);
    for (size_t r = 0; r < table->size; r++)
        for (size_t i = 0; i < n; i++)
            all[i] += ((const double *)table->arrays[r])[i];
    pthread_barrier_wait(&member->table->barrier);
    memcpy(numbers, all, n * sizeof *all);
    return 0;
}

static int share(void *link, size_t from, void *bytes, size_t n, Error *err)
{
    Member *member = link;
    (void)err;
    lay(member, bytes);
    if (from != member->team.rank)
        memcpy(bytes, member->table->arrays[from], n);
    pthread_barrier_wait(&member->table->barrier);
    return 0;
}

/* Has all members do `work`, each on a thread. */
static void work_as_team(size_t size, Member *members, Table *table, void *(*work)(void *))
{
    table->size = size;
    assert_int_equal(pthread_barrier_init(&table->barrier, NULL, (unsigned)size), 0);
    for (size_t r = 0; r < size; r++) {
        members[r].table = table;
        members[r].team = (Team){.rank = r,
                                 .size = size,
                                 .place = "here",
                                 .link = &members[r],
                                 .sum = sum,
                                 .total = total,
                                 .share = share};
        assert_int_equal(pthread_create(&members[r].thread, NULL, work, &members[r]), 0);
    }
    for (size_t r = 0; r < size; r++)
        pthread_join(members[r].thread, NULL);
    pthread_barrier_destroy(&table->barrier);
}

static void parts_are_all_there_is(void **state)
{
    (void)state;
    for (size_t size = 1; size <= 5; size++)
        for (size_t of = 0; of < 20; of++) {
            size_t next = 0;
            for (size_t i = 0; i < 3 * size; i++) {
                const Team team = {.rank = i / 3, .size = size};
                const TeamShare part = team_share_of(&team, of, i % 3, 3);
                assert_int_equal(part.first, next);
                assert_true(part.count == of / (3 * size) || part.count == of / (3 * size) + 1);
                next += part.count;
            }
            assert_int_equal(next, of);
        }
    const TeamShare alone = team_share_of(NULL, 7, 1, 2);
    assert_true(alone.first == 3 && alone.count == 4);
}

static void *agree(void *user)
{
    Member *member = user;
    if (member->failed)
        error_set(&member->err, "file %zu is missing", member->team.rank);
    member->told = team_agree(&member->team, member->failed, &member->err);
    return NULL;
}

static void all_hear_of_the_first_failure(void **state)
{
    (void)state;
    static const struct {
        int failed[3];
        const char *message;
    } cases[] = {{{0, 0, 0}, ""},
                 {{0, 0, 1}, "process 2 on here: file 2 is missing"},
                 {{0, 1, 1}, "process 1 on here: file 1 is missing"},
                 {{1, 1, 1}, "file 0 is missing"}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        Member members[MOST] = {{0}};
        Table table = {.strayed = 0};
        for (size_t r = 0; r < 3; r++)
            members[r].failed = cases[c].failed[r];
        work_as_team(3, members, &table, agree);
        for (size_t r = 0; r < 3; r++) {
            assert_int_equal(members[r].told, c ? -1 : 0);
            assert_string_equal(members[r].err.message, cases[c].message);
        }
    }
    Error err = {"mine"};
    assert_int_equal(team_agree(NULL, 0, &err), 0);
    assert_int_equal(team_agree(NULL, 1, &err), -1);
    assert_string_equal(err.message, "mine");
}

/* Bands that rise and fall together, and noise; a fifth is held out. */
static Corpus *make_corpus(float first)
{
    static float values[FRAMES * BANDS];
    Corpus *corpus = corpus_create(BANDS, NULL);
    random_gaussian(5, 0, 0, values, FRAMES * BANDS);
    for (size_t i = 0; i < FRAMES * BANDS; i++)
        values[i] = 0.2f * values[i] + 2.0f * (float)sin(0.3 * (double)(i / BANDS));
    values[0] += first;
    if (!corpus || corpus_class(corpus, "sea", NULL) ||
        corpus_add(corpus, 0, "sea", CORPUS_MONO, values, FRAMES, NULL) ||
        corpus_split(corpus, 0.2, 1, NULL))
        abort();
    return corpus;
}

/* Steps, an evaluation, and as many steps again. */
static int take_steps(TextureTrainer *trainer, Error *err)
{
    if (texture_trainer_meet(trainer, err) || texture_trainer_rehearse(trainer, err))
        return -1;
    for (size_t i = 1; i <= STEPS; i++)
        if (texture_trainer_step(trainer, err) ||
            (i % (STEPS / 2) == 0 && texture_trainer_evaluate(trainer, err)))
            return -1;
    return 0;
}

static pthread_mutex_t making = PTHREAD_MUTEX_INITIALIZER;

static void *train(void *user)
{
    Member *member = user;
    TextureConfig config = {.rate = 16000,
                            .frame = 256,
                            .linear = 16,
                            .upper = 8,
                            .top = 7500.0,
                            .denoiser = {.bands = BANDS,
                                         .channels = 16,
                                         .condition = 16,
                                         .classes = 1,
                                         .blocks = 2,
                                         .dilations = {1, 2},
                                         .past = TEXTURE_PAST_VALUES,
                                         .refiner = {.channels = 4, .blocks = 1, .stride = 4}},
                            .prediction = PREDICTION_V,
                            .schedule = SCHEDULE_COSINE,
                            .window = 32,
                            .classes = {"sea"}};
    TextureTrainerSettings settings = texture_trainer_defaults();
    settings.steps = 100;
    settings.batch = member->batch;
    settings.threads = member->threads;
    settings.rate = 3e-3;
    settings.team = &member->team;
    pthread_mutex_lock(&making);
    Corpus *corpus = make_corpus(member->first);
    pthread_mutex_unlock(&making);
    TextureModel *model = texture_model_create(&config, &member->err);
    TextureTrainer *trainer =
        model ? texture_trainer_create(model, corpus, &settings, &member->err) : NULL;
    member->result = trainer ? take_steps(trainer, &member->err) : -1;
    if (trainer && !member->result) {
        texture_trainer_finish(trainer);
        member->count = parameters_size(denoiser_parameters(texture_model_denoiser(model)));
        member->weights = calloc(member->count, sizeof *member->weights);
        if (!member->weights)
            abort();
        memcpy(member->weights, texture_model_weights(model), member->count * sizeof(float));
        member->progress = texture_trainer_progress(trainer);
    }
    texture_trainer_destroy(trainer);
    texture_model_destroy(model);
    corpus_destroy(corpus);
    return NULL;
}

/* What the first of `size` processes comes to, after all have been found to have the same. */
static Member train_together(size_t size, unsigned threads, size_t batch)
{
    Member members[MOST] = {{0}};
    Table table = {.strayed = 0};
    for (size_t r = 0; r < size; r++) {
        members[r].batch = batch;
        members[r].threads = threads;
    }
    work_as_team(size, members, &table, train);
    for (size_t r = 0; r < size; r++) {
        if (members[r].result)
            fail_msg("process %zu of %zu: %s", r, size, members[r].err.message);
        assert_memory_equal(members[r].weights, members[0].weights,
                            members[0].count * sizeof(float));
        assert_true(members[r].progress.loss == members[0].progress.loss &&
                    members[r].progress.best == members[0].progress.best);
        if (r)
            free(members[r].weights);
    }
    return members[0];
}

static void check_near(const Member *one, const Member *other)
{
    assert_int_equal(other->progress.step, STEPS);
    assert_int_equal(other->progress.best_step, one->progress.best_step);
    assert_true(fabs(other->progress.loss - one->progress.loss) < 1e-6);
    assert_true(fabs(other->progress.held_out - one->progress.held_out) < 1e-6);
    for (size_t i = 0; i < one->count; i++)
        if (!(fabsf(other->weights[i] - one->weights[i]) < 1e-4f))
            fail_msg("weight %zu: %.9g, not %.9g", i, (double)other->weights[i],
                     (double)one->weights[i]);
}

static void several_follow_the_curve_of_one(void **state)
{
    (void)state;
    const Member one = train_together(1, 1, 5);
    for (size_t size = 2; size <= 4; size++) {
        const Member several = train_together(size, 1, 5); /* unequal parts */
        check_near(&one, &several);
        const Member again = train_together(size, 1, 5);
        assert_memory_equal(several.weights, again.weights, one.count * sizeof(float));
        free(several.weights);
        free(again.weights);
    }
    free(one.weights);
}

/* The same parts, summed in the same order. */
static void two_processes_do_as_two_threads(void **state)
{
    (void)state;
    const Member threads = train_together(1, 2, 5), processes = train_together(2, 1, 5);
    const Member both = train_together(2, 2, 5), four = train_together(1, 4, 5);
    assert_memory_equal(threads.weights, processes.weights, threads.count * sizeof(float));
    assert_true(threads.progress.loss == processes.progress.loss);
    check_near(&four, &both);
    free(threads.weights);
    free(processes.weights);
    free(both.weights);
    free(four.weights);
}

/* Two of them are started as `members` says; both are told `word`. */
static void check_refused(Member *members, size_t strayed, const char *word)
{
    Table table = {.strayed = strayed};
    work_as_team(2, members, &table, train);
    for (size_t r = 0; r < 2; r++) {
        assert_int_equal(members[r].result, -1);
        if (!strstr(members[r].err.message, word))
            fail_msg("\"%s\" is not told: %s", word, members[r].err.message);
    }
}

static void those_that_do_not_fit_are_refused(void **state)
{
    (void)state;
    const Member plain = {.batch = 4, .threads = 1};
    Member sound[MOST] = {plain, plain};
    sound[1].first = 0.5f;
    check_refused(sound, 0, "process 1 on here: it has read other sound");
    Member batches[MOST] = {plain, plain};
    batches[1].batch = 5;
    check_refused(batches, 0, "process 1 on here: it was started with another --seed, --batch");
    Member many[MOST] = {plain, plain};
    many[0].threads = many[1].threads = 3;
    check_refused(many, 0,
                  "2 processes with --threads 3 cannot share a batch of 4 windows: start "
                  "fewer, or give --batch 6");
    Member strayed[MOST] = {plain, plain};
    check_refused(strayed, 2, "process 1 on here: its weights are no longer those");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_are_all_there_is),
        cmocka_unit_test(all_hear_of_the_first_failure),
        cmocka_unit_test(several_follow_the_curve_of_one),
        cmocka_unit_test(two_processes_do_as_two_threads),
        cmocka_unit_test(those_that_do_not_fit_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
