/* Training that is killed at any moment, again and again: the checkpoint is whole each time, and
 * what comes out in the end is, to the bit, what training without a break makes. KILLS says how
 * often (6). */
#include "models/corpus.h"
#include "models/texture_past.h"
#include "models/texture_trainer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { BANDS = 48, FRAMES = 128, CLASSES = 2, WHOLE = 0, BROKEN = 3, RARELY = 1000 };

static char folder[64];

static void give_up(const char *what, const Error *err)
{
    fprintf(stderr, "%s: %s\n", what, err->message);
    _exit(BROKEN);
}

static void fill(Corpus *corpus)
{
    static float values[FRAMES * BANDS];
    Error err = {""};
    for (size_t c = 0; c < CLASSES; c++) {
        for (size_t i = 0; i < FRAMES * BANDS; i++)
            values[i] = 3.0f * (float)sin((double)(i / BANDS) * (c ? 2.1 : 0.1)) - 0.01f * (float)i;
        if (corpus_class(corpus, c ? "fast" : "slow", &err) != c ||
            corpus_add(corpus, c, "a", CORPUS_MONO, values, FRAMES, &err))
            give_up("the corpus", &err);
    }
    if (corpus_split(corpus, 0.2, 1, &err))
        give_up("the corpus", &err);
}

static TextureTrainer *start(Corpus *corpus, TextureModel *model, size_t steps)
{
    TextureTrainerSettings settings = texture_trainer_defaults();
    Error err = {""};
    settings.steps = steps;
    settings.batch = 1;
    fill(corpus);
    TextureTrainer *trainer = texture_trainer_create(model, corpus, &settings, &err);
    if (!trainer)
        give_up("the trainer", &err);
    return trainer;
}

static TextureModel *create_model(void)
{
    const TextureConfig config = {.rate = 16000,
                                  .frame = 256,
                                  .linear = 40,
                                  .upper = 8,
                                  .top = 7500.0,
                                  .denoiser = {.bands = BANDS,
                                               .channels = 16,
                                               .condition = 16,
                                               .classes = CLASSES,
                                               .blocks = 2,
                                               .dilations = {1, 2},
                                               .past = TEXTURE_PAST_VALUES,
                                               .refiner = {4, 1, 4}},
                                  .prediction = PREDICTION_V,
                                  .schedule = SCHEDULE_COSINE,
                                  .window = 32,
                                  .classes = {"slow", "fast"}};
    Error err = {""};
    TextureModel *model = texture_model_create(&config, &err);
    if (!model)
        give_up("the model", &err);
    return model;
}

/* What a run does: goes on from its checkpoint if there is one, writes one `every` so many steps,
 * and the model at the end. Does not return. */
static void train(const char *name, size_t steps, size_t every)
{
    char checkpoint[128], output[128];
    Error err = {""};
    struct stat there;
    snprintf(checkpoint, sizeof checkpoint, "%s/%s.checkpoint", folder, name);
    snprintf(output, sizeof output, "%s/%s.safetensors", folder, name);
    Corpus *corpus = corpus_create(BANDS, &err);
    TextureModel *model = create_model();
    TextureTrainer *trainer = start(corpus, model, steps);
    if (stat(checkpoint, &there) == 0 && texture_trainer_resume(trainer, checkpoint, &err))
        give_up("a checkpoint that is not whole", &err);
    while (texture_trainer_progress(trainer).step < steps)
        if (texture_trainer_step(trainer, &err) ||
            (texture_trainer_progress(trainer).step % every == 0 &&
             texture_trainer_save(trainer, checkpoint, &err)))
            give_up("a step", &err);
    if (texture_trainer_evaluate(trainer, &err))
        give_up("the held-out loss", &err);
    texture_trainer_finish(trainer);
    if (texture_model_save(model, NULL, 0, 0, output, &err))
        give_up("the model", &err);
    _exit(WHOLE);
}

static pid_t begin(const char *name, size_t steps, size_t every)
{
    fflush(stdout);
    const pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        train(name, steps, every);
    return child;
}

static int ending(pid_t child)
{
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

static char *contents(const char *name, size_t *size)
{
    char path[128];
    struct stat status;
    snprintf(path, sizeof path, "%s/%s.safetensors", folder, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_int_equal(fstat(fileno(file), &status), 0);
    char *bytes = malloc(*size = (size_t)status.st_size);
    assert_non_null(bytes);
    assert_int_equal(fread(bytes, 1, *size, file), *size);
    fclose(file);
    return bytes;
}

static void killed_training_goes_on_from_a_whole_checkpoint(void **state)
{
    (void)state;
    const char *text = getenv("KILLS");
    const unsigned kills = text ? (unsigned)strtoul(text, NULL, 10) : 6;
    const size_t steps = 100 + 50 * kills; /* more than can be done before the last kill */
    unsigned killed = 0, early = 0;
    assert_int_equal(ending(begin("whole", steps, RARELY * steps)), WHOLE);
    srand(kills);
    for (bool done = false; !done;) {
        const pid_t child = begin("broken", steps, 1);
        if (killed < kills) {
            usleep(10000 + (useconds_t)(rand() % 60000));
            kill(child, SIGKILL);
        }
        const int status = ending(child);
        if (WIFSIGNALED(status)) {
            assert_int_equal(WTERMSIG(status), SIGKILL);
            killed++;
        } else {
            assert_int_equal(WEXITSTATUS(status), WHOLE); /* the checkpoint was whole */
            done = true;
            early += killed < kills;
        }
    }
    printf("killed %u times\n", killed);
    assert_int_equal(early, 0);
    size_t size, again;
    char *whole = contents("whole", &size), *broken = contents("broken", &again);
    assert_int_equal(size, again);
    assert_memory_equal(whole, broken, size);
    free(whole);
    free(broken);
}

static int set_up(void **state)
{
    (void)state;
    strcpy(folder, "/tmp/brume-test.XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int clean_up(void **state)
{
    (void)state;
    char command[128];
    snprintf(command, sizeof command, "rm -r %s", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_training_goes_on_from_a_whole_checkpoint)};
    return cmocka_run_group_tests(tests, set_up, clean_up);
}
