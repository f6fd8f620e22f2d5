/* Mode 2: what comes in, transformed: the same as the command makes of it, late by what the latency
 * port says and not a frame more, without clicks, without gaps. */
#include "tests/host/host.h"
#include "tests/host/tune.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <math.h>
#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define IN_TIME (HOST_SLOW == 1)

enum { BLOCK = 512, LONGEST = 8 * 48000 };

static float in[2][LONGEST], out[2][LONGEST], other[2][LONGEST], again[2][LONGEST];

/* A tune on the left, and the same a beat later and softer on the right. */
static void make_input(size_t frames)
{
    memset(in, 0, sizeof in);
    tune_add(in[0], frames, 0);
    tune_add(in[1], frames, 12000);
    for (size_t i = 0; i < frames; i++)
        in[1][i] *= 0.7F;
}

static Host *open_host(const char *bundle, double rate, float strength)
{
    Host *host = host_open(bundle, rate, (HostKind){.promised = 4096});
    host_set(host, "mode", 2);
    host_set(host, "strength", strength);
    host_set(host, "texture", 0);
    host_set(host, "dry", -90);
    return host;
}

/* Frames from..from+n-1 of the input go in, in blocks; what comes out goes to `to`. */
static void pass(Host *host, float to[2][LONGEST], size_t from, size_t n, uint32_t block,
                 bool paced)
{
    for (size_t done = 0; done < n;) {
        const uint32_t m = n - done < block ? (uint32_t)(n - done) : block;
        for (int c = 0; c < 2; c++)
            memcpy(host_in(host, c), in[c] + from + done, m * sizeof(float));
        if (paced)
            host_run_paced(host, m);
        else
            host_run(host, m);
        for (int c = 0; c < 2; c++)
            memcpy(to[c] + from + done, host_out(host, c), m * sizeof(float));
        done += m;
    }
}

static void export_to(float to[2][LONGEST], const char *bundle, double rate, float strength,
                      size_t frames, uint32_t block)
{
    Host *host = open_host(bundle, rate, strength);
    host_set(host, "freewheel", 1);
    host_activate(host);
    pass(host, to, 0, frames, block, false);
    host_close(host);
}

static size_t latency_of(const char *bundle, double rate)
{
    Host *host = open_host(bundle, rate, 0);
    host_set(host, "freewheel", 1);
    host_activate(host);
    host_run(host, 64);
    const float latency = host_get(host, "latency");
    host_close(host);
    return (size_t)latency;
}

/* The input as a file, and what the command makes of it. */
static void command_to(float to[2][LONGEST], const char *bundle, int rate, double strength,
                       size_t frames)
{
    char folder[] = "/tmp/brume-transform-XXXXXX", path[64], command[12000];
    const char *build = getenv("BUILD");
    SF_INFO info = {.samplerate = rate, .channels = 2, .format = SF_FORMAT_WAV | SF_FORMAT_FLOAT};
    float *both = malloc(2 * frames * sizeof *both);
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/in.wav", folder);
    SNDFILE *file = sf_open(path, SFM_WRITE, &info);
    assert_non_null(file);
    for (size_t i = 0; i < frames; i++)
        both[2 * i] = in[0][i], both[2 * i + 1] = in[1][i];
    sf_writef_float(file, both, (sf_count_t)frames);
    sf_close(file);
    snprintf(
        command, sizeof command,
        "'%s/brume' transform %s --strength %g --model '%s/models/texture.safetensors' --quiet "
        "-o %s/out.wav",
        build ? build : "build", path, strength, bundle, folder);
    assert_int_equal(system(command), 0);
    unlink(path);
    snprintf(path, sizeof path, "%s/out.wav", folder);
    info = (SF_INFO){0};
    file = sf_open(path, SFM_READ, &info);
    assert_non_null(file);
    assert_int_equal(sf_readf_float(file, both, (sf_count_t)frames), (sf_count_t)frames);
    sf_close(file);
    unlink(path);
    rmdir(folder);
    for (size_t i = 0; i < frames; i++)
        to[0][i] = both[2 * i], to[1][i] = both[2 * i + 1];
    free(both);
}

static void check_command(const char *bundle, int rate, float strength)
{
    const size_t frames = 4 * (size_t)rate, latency = latency_of(bundle, rate);
    assert_in_range(latency, (size_t)rate, (size_t)(1.3 * rate));
    make_input(frames);
    export_to(out, bundle, rate, strength, frames, BLOCK);
    command_to(other, bundle, rate, strength, frames);
    for (int c = 0; c < 2; c++) {
        for (size_t i = 0; i < latency; i++)
            assert_true(out[c][i] == 0);
        for (size_t i = 0; i + latency < frames; i++)
            if (out[c][i + latency] != other[c][i])
                fail_msg("at %d Hz, strength %g: frame %zu of channel %d is %.9g, not %.9g", rate,
                         (double)strength, i, c, (double)out[c][i + latency], (double)other[c][i]);
    }
    export_to(other, bundle, rate, strength, frames, 1000);
    for (int c = 0; c < 2; c++)
        assert_memory_equal(out[c], other[c], frames * sizeof(float));
}

static void test_equals_the_command(void **state)
{
    (void)state;
    check_command(host_tiny_bundle(), 44100, 0.5F);
    check_command(host_tiny_bundle(), 48000, 1);
    check_command(host_tiny_bundle(), 48000, 0);
    check_command(host_shipped_bundle(), 48000, 0.4F);
}

/* How far `sound`, `latency` frames late, is from the input in frames from..to, in dB. */
static double difference(float sound[2][LONGEST], size_t latency, size_t from, size_t to)
{
    double error = 0, all = 0;
    for (int c = 0; c < 2; c++)
        for (size_t i = from; i < to; i++) {
            const double wrong = (double)sound[c][i + latency] - (double)in[c][i];
            error += wrong * wrong;
            all += (double)in[c][i] * (double)in[c][i];
        }
    return 10 * log10(error / all);
}

/* Mean of both channels' squares in frames from..to. */
static double power(float sound[2][LONGEST], size_t from, size_t to)
{
    double sum = 0;
    for (int c = 0; c < 2; c++)
        for (size_t i = from; i < to; i++)
            sum += (double)sound[c][i] * (double)sound[c][i];
    return sum / (2 * (double)(to - from));
}

/* As in Ardour: in an export the transport starts when as much of the input has come in as the
 * sound is late, and from there on the sound is due; after some silent blocks, or none. */
static void test_from_the_transport_s_start(void **state)
{
    (void)state;
    enum { RATE = 48000, FRAMES = 3 * RATE };
    const size_t latency = latency_of(host_tiny_bundle(), RATE), played = FRAMES - latency;
    make_input(FRAMES);
    command_to(other, host_tiny_bundle(), RATE, 0.5, FRAMES);
    for (int silent = 0; silent < 3; silent++) {
        Host *host = open_host(host_tiny_bundle(), RATE, 0.5F);
        host_set(host, "freewheel", 1);
        host_activate(host);
        host_position(host, 0, 0, 0, 0);
        for (int i = 0; i < silent * 7; i++)
            host_run(host, 512);
        pass(host, out, 0, latency, BLOCK, false);
        host_position(host, 0, 0, 1, 0);
        pass(host, out, latency, played, BLOCK, false);
        for (int c = 0; c < 2; c++)
            assert_memory_equal(out[c] + latency, other[c], played * sizeof(float));
        /* Once more, from a start that less of the input comes before: the same each time. */
        host_position(host, 0, 0, 0, 0);
        host_set(host, "freewheel", 0);
        host_run(host, 512);
        host_set(host, "freewheel", 1);
        host_run(host, 512);
        host_position(host, 0, 0, 1, 0);
        pass(host, out, 0, FRAMES, BLOCK, false);
        if (silent == 0)
            memcpy(again, out, sizeof out);
        for (int c = 0; c < 2; c++)
            assert_memory_equal(again[c], out[c], FRAMES * sizeof(float));
        /* From other noise, but as loud as what the command makes of it. */
        const double louder = power(out, latency, FRAMES) / power(other, 0, played);
        printf("from the start again: %.2f dB louder\n", 10 * log10(louder));
        assert_true(fabs(10 * log10(louder)) < 1);
        host_close(host);
    }
}

static void test_latency(void **state)
{
    (void)state;
    const int rates[] = {8000, 22050, 44100, 48000, 96000, 192000};
    for (size_t k = 0; k < sizeof rates / sizeof rates[0]; k++) {
        const size_t rate = (size_t)rates[k], frames = 2 * rate;
        const size_t latency = latency_of(host_tiny_bundle(), rates[k]);
        make_input(frames);
        export_to(out, host_tiny_bundle(), rates[k], 0, frames, BLOCK);
        const double wrong = difference(out, latency, 0, frames - latency);
        printf("%zu Hz, strength 0: late by %zu frames, then the input but for %.1f dB\n", rate,
               latency, wrong);
        assert_true(wrong < -40);
    }
    /* What passes dry is as late; in the other modes nothing is. */
    make_input(LONGEST);
    const size_t latency = latency_of(host_tiny_bundle(), 48000);
    Host *host = open_host(host_tiny_bundle(), 48000, 1);
    host_set(host, "dry", 0);
    host_set(host, "wet", -90);
    host_set(host, "freewheel", 1);
    host_activate(host);
    pass(host, out, 0, 3 * 48000, BLOCK, false);
    assert_memory_equal(out[0] + latency, in[0], (3 * 48000 - latency) * sizeof(float));
    host_set(host, "enabled", 0);
    pass(host, out, 3 * 48000, 48000, BLOCK, false);
    assert_memory_equal(out[1] + 3 * 48000 + 4800, in[1] + 3 * 48000 + 4800 - latency,
                        43200 * sizeof(float));
    for (int mode = 1; mode >= 0; mode--) {
        host_set(host, "mode", (float)mode);
        pass(host, out, 0, 9600, BLOCK, false);
        assert_float_equal(host_get(host, "latency"), 0, 0);
        assert_memory_equal(out[0] + 7200, in[0] + 7200, 2400 * sizeof(float));
    }
    host_close(host);
}

/* Live it is the same as in an export, from the same input, if the machine keeps up; where it does
 * not, it is silent, but never late. */
static void test_live(void **state)
{
    (void)state;
    enum { RATE = 48000, FRAMES = 4 * RATE };
    const size_t latency = latency_of(host_shipped_bundle(), RATE);
    bool exact = !IN_TIME, in_time = false;
    make_input(FRAMES);
    export_to(other, host_shipped_bundle(), RATE, 0.6F, FRAMES, BLOCK);
    for (int tries = 0; tries < 4 && (!exact || tries == 0); tries++) {
        Host *host = open_host(host_shipped_bundle(), RATE, 0.6F);
        host_activate(host);
        host_pace_begin(host);
        pass(host, out, 0, FRAMES, BLOCK, true);
        const size_t faded = latency + RATE / 10;
        in_time = in_time || host_get(host, "underruns") == 0;
        printf("live: %g underruns, load %.2f\n", (double)host_get(host, "underruns"),
               (double)host_get(host, "load"));
        exact =
            exact || (host_get(host, "underruns") == 0 &&
                      !memcmp(out[0] + faded, other[0] + faded, (FRAMES - faded) * sizeof(float)));
        /* What is heard at the end is what belongs there. */
        double wrong = 0, all = 1e-9;
        for (size_t i = FRAMES - RATE / 4; i < FRAMES; i++) {
            const double there = (double)out[0][i];
            wrong += there * (there - (double)other[0][i]);
            all += there * there;
        }
        assert_true(fabs(wrong) < 0.05 * all || all < 1e-6 || !IN_TIME);
        host_close(host);
    }
    if (!in_time)
        printf("not compared with an export: the machine is too busy to keep up\n");
    assert_true(exact || !in_time);
}

/* Modes change while a sine comes in: no step is larger than a sine's and a fade's. */
static void test_modes_change_without_clicks(void **state)
{
    (void)state;
    enum { RATE = 48000, STAY = 2 * RATE, CHANGES = 4 };
    const float modes[CHANGES] = {2, 1, 2, 1};
    const float levels[2][2] = {{0, -90}, {-90, 0}};
    for (size_t i = 0; i < LONGEST; i++)
        in[0][i] = in[1][i] = (float)(0.5 * sin(6.283185307 * 200 * (double)i / RATE));
    for (int k = 0; k < 2; k++) {
        Host *host = open_host(host_tiny_bundle(), RATE, 0);
        host_set(host, "dry", levels[k][0]);
        host_set(host, "wet", levels[k][1]);
        host_activate(host);
        host_pace_begin(host);
        float loudest = 0;
        for (int change = 0; change < CHANGES; change++) {
            host_set(host, "mode", modes[change]);
            pass(host, out, (size_t)change * STAY, STAY, 256, true);
        }
        for (size_t i = RATE / 10; i < (size_t)CHANGES * STAY; i++) {
            const float step = fabsf(out[0][i] - out[0][i - 1]);
            loudest = fmaxf(loudest, fabsf(out[0][i]));
            if (step > 0.5F * 0.0262F * 1.5F + 0.004F)
                fail_msg("a step of %.3g at frame %zu", (double)step, i);
        }
        assert_true(loudest > 0.45F || !IN_TIME);
        host_close(host);
    }
}

/* Strength and texture move in an export: the same each time, and heard with the next chunk. */
static void export_moving(float to[2][LONGEST], size_t frames, size_t moved)
{
    Host *host = open_host(host_tiny_bundle(), 48000, 0);
    host_set(host, "freewheel", 1);
    host_activate(host);
    pass(host, to, 0, moved, BLOCK, false);
    for (size_t at = moved; at < frames; at += 2000) {
        host_set(host, "strength", at < moved + 20000 ? (float)(at - moved) / 20000.0F : 1);
        host_set(host, "texture", at > moved + 30000);
        pass(host, to, at, 2000, 333, false);
    }
    host_close(host);
}

static void test_knobs(void **state)
{
    (void)state;
    enum { FRAMES = 4 * 48000, MOVED = 96000 };
    const size_t latency = latency_of(host_tiny_bundle(), 48000);
    make_input(FRAMES);
    export_moving(out, FRAMES, MOVED);
    export_moving(other, FRAMES, MOVED);
    for (int c = 0; c < 2; c++)
        assert_memory_equal(out[c], other[c], FRAMES * sizeof(float));
    assert_true(difference(out, latency, 0, MOVED - latency) < -40);
    assert_true(difference(out, latency, MOVED + 30000, FRAMES - latency) > -10);
}

/* Another model takes over in the middle, without a gap: at strength 0 nothing is heard of it. */
static void test_model_changes(void **state)
{
    (void)state;
    enum { RATE = 48000, FRAMES = 6 * RATE };
    const size_t latency = latency_of(host_tiny_bundle(), RATE);
    char path[4096];
    const char *build = getenv("BUILD");
    snprintf(path, sizeof path, "%s/tests/host/tiny/other.safetensors", build ? build : "build");
    char *other_model = realpath(path, NULL);
    assert_non_null(other_model);
    make_input(FRAMES);
    Host *host = open_host(host_tiny_bundle(), RATE, 0);
    host_activate(host);
    host_pace_begin(host);
    pass(host, out, 0, 3 * RATE, BLOCK, true);
    host_choose(host, other_model);
    pass(host, out, 3 * RATE, 3 * RATE, BLOCK, true);
    assert_non_null(strstr(host_status(host), "hail"));
    const double wrong = difference(out, latency, RATE / 10, FRAMES - latency);
    printf("another model: the input but for %.1f dB, %g underruns\n", wrong,
           (double)host_get(host, "underruns"));
    assert_true(wrong < -30 || host_get(host, "underruns") > 0 || !IN_TIME);
    host_close(host);
    free(other_model);
}

/* Switched off at once after something was asked for: it is not done when it is switched on again.
 */
static void test_nothing_is_left_over(void **state)
{
    (void)state;
    enum { RATE = 48000, SHORT = RATE };
    memset(in, 0, sizeof in);
    Host *host = open_host(host_tiny_bundle(), RATE, 0.5F);
    host_set(host, "mode", 0);
    host_set(host, "freewheel", 1);
    host_activate(host);
    pass(host, other, 0, SHORT, BLOCK, false);
    host_deactivate(host);
    for (int tries = 0; tries < 5; tries++) {
        host_set(host, "freewheel", 0);
        host_set(host, "mode", 2);
        host_set(host, "texture", 1);
        host_activate(host);
        host_run(host, 64);
        host_set(host, "texture", 0);
        host_run(host, 64);
        host_deactivate(host);
        host_set(host, "mode", 0);
        host_activate(host);
        host_pace_begin(host);
        float loudest = 0;
        for (int blocks = 0; blocks < 1000 * HOST_SLOW && loudest == 0; blocks++) {
            pass(host, out, 0, 256, 256, true);
            for (size_t i = 0; i < 256; i++)
                loudest = fmaxf(loudest, fabsf(out[0][i]));
        }
        assert_true(loudest > 0);
        host_deactivate(host);
    }
    /* Nor are settings that were asked for then in force now. */
    host_set(host, "freewheel", 1);
    host_activate(host);
    pass(host, out, 0, SHORT, BLOCK, false);
    for (int c = 0; c < 2; c++)
        assert_memory_equal(out[c], other[c], SHORT * sizeof(float));
    host_close(host);
}

/* While it exports, too: there is not always enough of what was transformed to fade out from, and
 * nothing more comes of it while the host waits. */
static void test_an_export_changes_modes_in_time(void **state)
{
    (void)state;
    enum { RATE = 48000, PIECE = 600, LONG = 3 * RATE };
    Host *host = open_host(host_tiny_bundle(), RATE, 0.5F);
    host_set(host, "freewheel", 1);
    host_activate(host);
    make_input(LONGEST);
    for (int turn = 0; turn < 6; turn++) {
        host_set(host, "mode", 2);
        pass(host, out, 0, LONG + (size_t)turn * RATE / 12, PIECE, false);
        host_set(host, "mode", (float)(turn % 2));
        for (int i = 0; i < 20; i++) {
            host_run(host, PIECE);
            assert_true(host_took(host).seconds < 10);
        }
    }
    host_close(host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equals_the_command),
        cmocka_unit_test(test_from_the_transport_s_start),
        cmocka_unit_test(test_latency),
        cmocka_unit_test(test_live),
        cmocka_unit_test(test_modes_change_without_clicks),
        cmocka_unit_test(test_knobs),
        cmocka_unit_test(test_model_changes),
        cmocka_unit_test(test_nothing_is_left_over),
        cmocka_unit_test(test_an_export_changes_modes_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
