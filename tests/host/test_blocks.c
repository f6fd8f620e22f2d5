/* Blocks of any size, at any rate, in place, with anything at the inputs. */
#include "tests/host/host.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const uint32_t sizes[] = {0, 1, 63, 64, 1023, 8192};
enum { SIZES = sizeof sizes / sizeof sizes[0] };
static const double rates[] = {8000, 44100, 48000, 96000, 192000};
enum { RATES = sizeof rates / sizeof rates[0] };

/* A sample that is neither loud nor denormal, and different everywhere. */
static float sample(size_t i)
{
    return (float)((double)((i * 2654435761U) % 65536) / 65536.0 - 0.5);
}

static void assert_sane(const float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        assert_true(isfinite(x[i]) && (x[i] == 0.0F || fabsf(x[i]) >= FLT_MIN));
}

static void test_sizes_and_rates(void **state)
{
    (void)state;
    for (int r = 0; r < RATES; r++) {
        Host *host = host_open(host_tiny_bundle(), rates[r], (HostKind){.promised = 8192});
        host_activate(host);
        double energy = 0;
        host_set(host, "freewheel", 1);
        for (int turn = 0; turn < 2 * SIZES; turn++) {
            const uint32_t n = sizes[(turn * 5) % SIZES];
            host_run(host, n);
            for (int c = 0; c < 2; c++) {
                assert_sane(host_out(host, c), n);
                for (uint32_t i = 0; i < n; i++)
                    energy += fabs((double)host_out(host, c)[i]);
            }
        }
        assert_true(energy > 0);
        assert_float_equal(host_get(host, "latency"), 0, 0);
        assert_float_equal(host_get(host, "underruns"), 0, 0);
        host_close(host);
    }
}

/* The dry path with the texture silent: what comes in goes out, to the bit. */
static void check_dry(bool in_place, bool crossed)
{
    float expected[2][8192];
    Host *host = host_open(host_tiny_bundle(), 48000, (HostKind){.promised = 8192});
    if (in_place)
        host_in_place(host, crossed);
    host_set(host, "wet", -90);
    host_activate(host);
    for (int s = 0; s < SIZES; s++) {
        for (int c = 0; c < 2; c++)
            for (uint32_t i = 0; i < sizes[s]; i++)
                expected[c][i] = host_in(host, c)[i] = sample(i + (size_t)c * 77);
        host_run(host, sizes[s]);
        for (int c = 0; c < 2; c++)
            assert_memory_equal(host_out(host, c), expected[c], sizes[s] * sizeof(float));
    }
    host_close(host);
}

static void test_dry_passes(void **state)
{
    (void)state;
    check_dry(false, false);
}

static void test_in_place(void **state)
{
    (void)state;
    check_dry(true, false);
}

static void test_in_place_crossed(void **state)
{
    (void)state;
    check_dry(true, true);
}

/* In place and apart, the same sum of input and texture. */
static void test_in_place_sounds_the_same(void **state)
{
    (void)state;
    enum { FRAMES = 4096 };
    static float sound[2][2 * FRAMES];
    for (int k = 0; k < 2; k++) {
        Host *host = host_open(host_tiny_bundle(), 48000, (HostKind){0});
        if (k == 1)
            host_in_place(host, false);
        host_activate(host);
        host_set(host, "freewheel", 1);
        for (int b = 0; b < FRAMES / 256; b++) {
            for (int c = 0; c < 2; c++)
                for (uint32_t i = 0; i < 256; i++)
                    host_in(host, c)[i] = sample(i + 256 * (size_t)b + 9 * (size_t)c);
            host_run(host, 256);
            for (int c = 0; c < 2; c++)
                memcpy(sound[k] + c * FRAMES + b * 256, host_out(host, c), 256 * sizeof(float));
        }
        host_close(host);
    }
    assert_memory_equal(sound[0], sound[1], sizeof sound[0]);
}

static void test_longer_than_promised(void **state)
{
    (void)state;
    Host *host = host_open(host_tiny_bundle(), 48000, (HostKind){.promised = 64});
    host_activate(host);
    host_run(host, 64);
    assert_null(strstr(host_status(host), "longer blocks"));
    host_run(host, HOST_ROOM);
    assert_non_null(strstr(host_status(host), "longer blocks"));
    assert_non_null(strstr(host_status(host), "Playing \"texture\""));
    /* The complaint goes away, what plays stays. */
    for (int i = 0; i < 48000 * 11 / 64; i++)
        host_run(host, 64);
    assert_null(strstr(host_status(host), "longer blocks"));
    host_close(host);
}

static void test_bad_input(void **state)
{
    (void)state;
    const float bad[] = {NAN, INFINITY, -INFINITY, FLT_MAX, -FLT_MAX, 1e-42F, -1e-40F, 1e20F};
    Host *host = host_open(host_tiny_bundle(), 48000, (HostKind){0});
    host_activate(host);
    host_set(host, "dry", 12);
    for (int b = 0; b < 200; b++) {
        for (int c = 0; c < 2; c++)
            for (uint32_t i = 0; i < 256; i++)
                host_in(host, c)[i] = bad[(i + (uint32_t)b) % 8];
        host_run(host, 256);
        for (int c = 0; c < 2; c++)
            assert_sane(host_out(host, c), 256);
    }
    assert_non_null(strstr(host_status(host), "NaN"));
    host_close(host);
}

static void test_bad_controls(void **state)
{
    (void)state;
    const char *const symbols[] = {"texture", "morph_to", "morph", "seed", "steps",   "go",
                                   "sync",    "width",    "dry",   "wet",  "enabled", "freewheel"};
    const float bad[] = {NAN, INFINITY, -INFINITY, 1e30F, -1e30F, -1, 1e9F};
    Host *host = host_open(host_tiny_bundle(), 48000, (HostKind){0});
    host_activate(host);
    for (size_t b = 0; b < sizeof bad / sizeof bad[0]; b++)
        for (size_t s = 0; s < sizeof symbols / sizeof symbols[0]; s++) {
            const float before = host_get(host, symbols[s]);
            const bool waits = !strcmp(symbols[s], "freewheel") && bad[b] > 1;
            host_set(host, symbols[s], bad[b]);
            for (int i = 0; i < (waits ? 1 : 4); i++) {
                host_run(host, 64);
                assert_sane(host_out(host, 0), 64);
            }
            host_set(host, symbols[s], before);
        }
    assert_non_null(strstr(host_status(host), "A control is not a number"));
    /* It still plays. */
    float sound[2 * 4096];
    double energy = 0;
    host_export(host, sound, 4096, 512);
    for (int i = 0; i < 2 * 4096; i++)
        energy += fabs((double)sound[i]);
    assert_true(isfinite(energy) && energy > 0);
    host_close(host);
}

static void test_malformed_events(void **state)
{
    (void)state;
    Host *host = host_open(host_tiny_bundle(), 48000, (HostKind){0});
    host_activate(host);
    host_run(host, 64);
    char model[4096];
    strncpy(model, host_model(host), sizeof model - 1);
    model[sizeof model - 1] = '\0';
    host_send_nonsense(host);
    host_run(host, 64);
    host_settle(host);
    host_ask(host, NULL);
    host_run(host, 0);
    assert_string_equal(host_model(host), model);
    assert_non_null(strstr(host_status(host), "no path"));
    /* Events behind the end of the block, and in no order. */
    host_midi(host, 60000, 0x90, 60, 100);
    host_midi(host, 3, 0x80, 60, 0);
    host_position(host, 1, -5, NAN, INFINITY);
    host_run(host, 64);
    assert_sane(host_out(host, 0), 64);
    host_close(host);
}

static void test_bypass(void **state)
{
    (void)state;
    Host *host = host_open(host_tiny_bundle(), 48000, (HostKind){0});
    host_activate(host);
    host_set(host, "freewheel", 1);
    host_set(host, "dry", -90);
    float last = 0, steepest = 0;
    for (int b = 0; b < 40; b++) {
        host_set(host, "enabled", b < 20 ? 1 : 0);
        for (int c = 0; c < 2; c++)
            for (uint32_t i = 0; i < 256; i++)
                host_in(host, c)[i] = 0.5F;
        host_set(host, "wet", -90);
        host_run(host, 256);
        for (uint32_t i = 0; i < 256; i++) {
            steepest = fmaxf(steepest, fabsf(host_out(host, 0)[i] - last));
            last = host_out(host, 0)[i];
        }
        if (b == 19)
            assert_float_equal(last, 0, 0);
    }
    /* Bypassed, the input passes as it is; and the way there took its 20 ms. */
    assert_float_equal(last, 0.5F, 0);
    assert_true(steepest < 0.6F / (0.02F * 48000));
    host_close(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sizes_and_rates),
        cmocka_unit_test(test_dry_passes),
        cmocka_unit_test(test_in_place),
        cmocka_unit_test(test_in_place_crossed),
        cmocka_unit_test(test_in_place_sounds_the_same),
        cmocka_unit_test(test_longer_than_promised),
        cmocka_unit_test(test_bad_input),
        cmocka_unit_test(test_bad_controls),
        cmocka_unit_test(test_malformed_events),
        cmocka_unit_test(test_bypass),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
