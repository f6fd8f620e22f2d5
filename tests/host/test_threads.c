/* A host that calls from other threads, as LV2 allows: run() on one thread after another, save()
 * meanwhile on a third, activate() and deactivate() wherever it likes. What is heard is what one
 * thread would have heard. */
#include "tests/host/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { RATE = 48000, BLOCK = 256, BLOCKS = 40, THREADS = 5, FRAMES = THREADS * BLOCKS * BLOCK };

typedef struct Part {
    Host *host;
    float *out;
    bool activates;
    atomic_bool done;
} Part;

/* A stretch of an export, on a thread of its own. */
static void *play(void *user)
{
    Part *part = user;
    if (part->activates)
        host_activate(part->host);
    for (size_t i = 0; i < BLOCKS; i++) {
        host_run(part->host, BLOCK);
        memcpy(part->out + i * BLOCK, host_out(part->host, 0), BLOCK * sizeof(float));
    }
    atomic_store(&part->done, true);
    return NULL;
}

static void *end(void *user)
{
    host_deactivate(user);
    return NULL;
}

static Host *open_exporting(void)
{
    Host *host = host_open(host_tiny_bundle(), RATE, (HostKind){false});
    host_set(host, "freewheel", 1);
    host_set(host, "seed", 5);
    return host;
}

static void test_each_call_on_a_thread_of_its_own(void **state)
{
    (void)state;
    float *one = malloc(FRAMES * sizeof(float)), *many = malloc(FRAMES * sizeof(float));
    assert_true(one && many);
    char folder[] = "/tmp/brume-test.XXXXXX", command[64];
    assert_non_null(mkdtemp(folder));

    Host *host = open_exporting();
    for (size_t i = 0; i < THREADS; i++)
        play(&(Part){.host = host, .out = one + i * BLOCKS * BLOCK, .activates = i == 0});
    host_close(host);

    host = open_exporting();
    size_t saves = 0;
    for (size_t i = 0; i < THREADS; i++) {
        Part part = {.host = host, .out = many + i * BLOCKS * BLOCK, .activates = i == 0};
        pthread_t thread;
        assert_int_equal(pthread_create(&thread, NULL, play, &part), 0);
        do {
            host_save(host, folder);
            saves++;
        } while (!atomic_load(&part.done));
        pthread_join(thread, NULL);
    }
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, end, host), 0);
    pthread_join(thread, NULL);
    host_close(host);

    printf("%zu saves meanwhile\n", saves);
    assert_memory_equal(one, many, FRAMES * sizeof(float));
    free(one);
    free(many);
    snprintf(command, sizeof command, "rm -r %s", folder);
    assert_int_equal(system(command), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_each_call_on_a_thread_of_its_own)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
