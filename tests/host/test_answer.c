/* Mode 1: a tune that comes in is carried on, when it should be, from where it should be, the same
 * each time; and what is no tune is not. With the shipped models, exported: there all is exact. */
#include "tests/host/host.h"
#include "tests/host/tune.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RATE = TUNE_RATE, TUNE = TUNE_FRAMES, FRAMES = 12 * RATE };

static double rms(const float *sound, size_t from, size_t n)
{
    double sum = 0;
    for (size_t i = from; i < from + n; i++)
        sum += (double)sound[i] * (double)sound[i];
    return sqrt(sum / (double)n);
}

/* Until when a live answer must be heard, and in how many blocks of 10 ms a texture. Under a
 * sanitizer the models are too slow to be on time. */
enum { LATEST = HOST_SLOW > 1 ? FRAMES : FRAMES - RATE, PATIENCE = 6000 * HOST_SLOW };

/* A host that answers, `answer` as the port says; nothing of the input is heard. */
static Host *open_host(float answer)
{
    Host *host = host_open(host_shipped_bundle(), RATE, (HostKind){.promised = 4096});
    host_set(host, "mode", 1);
    host_set(host, "answer", answer);
    host_set(host, "dry", -90);
    host_set(host, "freewheel", 1);
    host_activate(host);
    return host;
}

/* Exports FRAMES frames with `in` (mono) coming in; the left channel into out. Go is pressed in the
 * block that begins at or after `go`. */
static void export_answer(Host *host, const float *in, uint32_t block, size_t go, float *out)
{
    for (size_t done = 0; done < FRAMES;) {
        const uint32_t n = FRAMES - done < block ? (uint32_t)(FRAMES - done) : block;
        memcpy(host_in(host, 0), in + done, n * sizeof *in);
        memcpy(host_in(host, 1), in + done, n * sizeof *in);
        host_set(host, "go", done >= go && done < go + block);
        host_run(host, n);
        memcpy(out + done, host_out(host, 0), n * sizeof *out);
        done += n;
    }
}

static size_t first_sound(const float *sound, size_t from)
{
    while (from < FRAMES && sound[from] == 0)
        from++;
    return from;
}

typedef struct Sounds {
    float *in, *out, *other;
} Sounds;

static Sounds sounds_create(void)
{
    Sounds sounds = {calloc(FRAMES, sizeof(float)), calloc(FRAMES, sizeof(float)),
                     calloc(FRAMES, sizeof(float))};
    assert_true(sounds.in && sounds.out && sounds.other);
    return sounds;
}

static void sounds_destroy(Sounds *sounds)
{
    free(sounds->in);
    free(sounds->out);
    free(sounds->other);
}

static void test_silence_is_answered(void **state)
{
    (void)state;
    Sounds sounds = sounds_create();
    tune_add(sounds.in, FRAMES, RATE / 2);
    Host *host = open_host(1);
    export_answer(host, sounds.in, 512, FRAMES, sounds.out);
    const size_t end = RATE / 2 + TUNE, heard = first_sound(sounds.out, 0);
    /* It takes some time to be sure that nobody plays; then the answer is due a second later. */
    assert_in_range(heard, end + RATE, end + 7 * RATE / 4);
    assert_true(rms(sounds.out, heard, 3 * RATE) > 0.1 * rms(sounds.in, RATE / 2, TUNE));
    assert_true(rms(sounds.out, heard, 3 * RATE) < 3 * rms(sounds.in, RATE / 2, TUNE));
    host_close(host);
    /* Again, in other blocks: the same. */
    host = open_host(1);
    export_answer(host, sounds.in, 1000, FRAMES, sounds.other);
    assert_memory_equal(sounds.out, sounds.other, FRAMES * sizeof(float));
    /* And once more from the start, in the same host. */
    host_set(host, "freewheel", 0);
    host_run(host, 64);
    host_set(host, "freewheel", 1);
    export_answer(host, sounds.in, 333, FRAMES, sounds.other);
    assert_memory_equal(sounds.out, sounds.other, FRAMES * sizeof(float));
    host_close(host);
    sounds_destroy(&sounds);
}

static void test_answer_on_request(void **state)
{
    (void)state;
    Sounds sounds = sounds_create();
    tune_add(sounds.in, FRAMES, 0);
    Host *host = open_host(0);
    export_answer(host, sounds.in, 500, FRAMES, sounds.out);
    assert_int_equal(first_sound(sounds.out, 0), FRAMES);
    host_close(host);
    host = open_host(0);
    const size_t go = 4 * RATE;
    export_answer(host, sounds.in, 500, go, sounds.out);
    assert_in_range(first_sound(sounds.out, 0), go + RATE, go + RATE + RATE / 2);
    host_close(host);
    sounds_destroy(&sounds);
}

static void test_answer_yields(void **state)
{
    (void)state;
    Sounds sounds = sounds_create();
    const size_t back = 9 * RATE;
    tune_add(sounds.in, FRAMES, 0);
    tune_add(sounds.in, FRAMES, back);
    Host *host = open_host(1);
    export_answer(host, sounds.in, 512, FRAMES, sounds.out);
    assert_true(rms(sounds.out, back - RATE, RATE) > 0.003);
    assert_float_equal(rms(sounds.out, back + RATE / 2, RATE), 0, 0);
    host_close(host);
    sounds_destroy(&sounds);
}

static void test_no_melody_no_answer(void **state)
{
    (void)state;
    Sounds sounds = sounds_create();
    unsigned word = 1;
    for (size_t i = 0; i < TUNE; i++) {
        word = word * 1664525U + 1013904223U;
        sounds.in[i] = 0.2F * ((float)(word >> 8) / 8388608.0F - 1.0F);
    }
    Host *host = open_host(1);
    export_answer(host, sounds.in, 512, FRAMES, sounds.out);
    assert_int_equal(first_sound(sounds.out, 0), FRAMES);
    assert_non_null(strstr(host_status(host), "no melody"));
    host_close(host);
    sounds_destroy(&sounds);
}

/* Live, an answer is heard at the frame where an export has it, if the machine keeps up; and the
 * texture comes back with the mode. */
static void test_live_and_back(void **state)
{
    (void)state;
    Sounds sounds = sounds_create();
    tune_add(sounds.in, FRAMES, 0);
    Host *host = open_host(1);
    export_answer(host, sounds.in, 480, FRAMES, sounds.other);
    host_set(host, "freewheel", 0);
    host_deactivate(host);
    host_activate(host);
    host_pace_begin(host);
    for (size_t done = 0; done < FRAMES; done += 480) {
        memcpy(host_in(host, 0), sounds.in + done, 480 * sizeof(float));
        memcpy(host_in(host, 1), sounds.in + done, 480 * sizeof(float));
        host_run_paced(host, 480);
        memcpy(sounds.out + done, host_out(host, 0), 480 * sizeof(float));
    }
    const size_t due = first_sound(sounds.other, 0), heard = first_sound(sounds.out, 0);
    printf("the answer is due at frame %zu, heard at %zu\n", due, heard);
    assert_in_range(heard, due, LATEST);
    if (heard == due && due + RATE <= FRAMES)
        assert_memory_equal(sounds.out + due, sounds.other + due, RATE * sizeof(float));
    host_set(host, "mode", 0);
    memset(host_in(host, 0), 0, 480 * sizeof(float));
    memset(host_in(host, 1), 0, 480 * sizeof(float));
    for (int i = 0; i < 300 || (rms(host_out(host, 0), 0, 480) == 0 && i < PATIENCE); i++)
        host_run_paced(host, 480);
    assert_true(rms(host_out(host, 0), 0, 480) > 0);
    host_close(host);
    sounds_destroy(&sounds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_silence_is_answered), cmocka_unit_test(test_answer_on_request),
        cmocka_unit_test(test_answer_yields),       cmocka_unit_test(test_no_melody_no_answer),
        cmocka_unit_test(test_live_and_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
