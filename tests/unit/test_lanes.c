/* Lanes: hand-overs, fades and underruns, with frames that say their own number. */
#include "plugin/lanes.h"

#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { RATE = 8000, FADE = 161, RESERVE = 41, BLOCK = 64 };

static Lanes *create(void)
{
    Error err = {""};
    Lanes *lanes = lanes_create(RATE, 1.0, &err);
    assert_non_null(lanes);
    return lanes;
}

/* Frames first..first+n-1 of a stream: value base + number * 1e-4 on the left, its negative on the
 * right. */
static void write(Lanes *lanes, float base, uint64_t first, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const float value = base + 1e-4f * (float)(first + i);
        assert_int_equal(lanes_write(lanes, (float[]){value, -value}, 1), 1);
    }
}

/* Reads n frames in blocks; returns the left channel, and checks that the right mirrors it. */
static float *read_blocks(Lanes *lanes, size_t n)
{
    float *left = calloc(n + BLOCK, sizeof *left), right[BLOCK];
    assert_non_null(left);
    for (size_t i = 0; i < n; i += BLOCK) {
        lanes_read(lanes, left + i, right, BLOCK);
        for (size_t j = 0; j < BLOCK; j++)
            assert_true(fabsf(left[i + j] + right[j]) < 1e-6f);
    }
    return left;
}

static void silence_until_there_is_enough(void **state)
{
    (void)state;
    Lanes *lanes = create();
    float *nothing = read_blocks(lanes, 256);
    for (size_t i = 0; i < 256; i++)
        assert_true(nothing[i] == 0.0f);
    assert_int_equal(lanes_underruns(lanes), 0);
    assert_false(lanes_playing(lanes));
    /* The first sound is not faded: a stream fades itself in. */
    write(lanes, 0.5f, 0, 2000);
    float *sound = read_blocks(lanes, 640);
    for (size_t i = 0; i < 640; i++)
        assert_true(sound[i] == 0.5f + 1e-4f * (float)i);
    assert_int_equal(lanes_position(lanes), 640);
    assert_int_equal(lanes_horizon(lanes), 640);
    assert_true(lanes_playing(lanes));
    free(nothing);
    free(sound);
    lanes_destroy(lanes);
}

static void an_underrun_fades_and_comes_back(void **state)
{
    (void)state;
    Lanes *lanes = create();
    write(lanes, 0.5f, 0, 1000);
    float *sound = read_blocks(lanes, 2048);
    /* No step is larger than the fade's, and then there is silence. */
    for (size_t i = 1; i < 2048; i++)
        assert_true(fabsf(sound[i] - sound[i - 1]) < 1.5f * 0.6f / RESERVE);
    assert_true(sound[2047] == 0.0f);
    assert_int_equal(lanes_underruns(lanes), 1);
    assert_false(lanes_playing(lanes));
    write(lanes, 0.5f, lanes_position(lanes), 3000);
    float *again = read_blocks(lanes, 1024);
    assert_true(fabsf(again[0]) < 1.5f * 0.6f / RESERVE);
    for (size_t i = 1; i < 1024; i++)
        assert_true(fabsf(again[i] - again[i - 1]) < 1.5f * 0.7f / RESERVE);
    assert_true(again[1023] > 0.5f);
    assert_int_equal(lanes_underruns(lanes), 1);
    free(sound);
    free(again);
    lanes_destroy(lanes);
}

static void an_aligned_lane_takes_over_frame_by_frame(void **state)
{
    (void)state;
    /* Offered early and late: `start` before and after the frame that the reader has come to. */
    for (int late = 0; late < 2; late++) {
        Lanes *lanes = create();
        write(lanes, 0.0f, 0, 4000);
        free(read_blocks(lanes, 640));
        const uint64_t start = late ? 500 : 700;
        assert_true(lanes_spare(lanes));
        lanes_begin(lanes, start);
        write(lanes, 0.0f, start, 4000);
        lanes_offer(lanes, LANES_ALIGNED, 1);
        assert_false(lanes_spare(lanes));
        float *sound = read_blocks(lanes, 1024);
        assert_true(lanes_spare(lanes));
        /* Both lanes hold the same frames, so only the equal-power bump (3 dB) may show. */
        for (size_t i = 0; i < 1024; i++) {
            const float value = 1e-4f * (float)(640 + i);
            const bool fades = i + 640 >= 640 + (late ? 0 : 60) && i < (late ? 0 : 60) + FADE;
            assert_true(sound[i] >= 0.999f * value);
            assert_true(sound[i] <= (fades ? 1.42f : 1.001f) * value);
        }
        assert_int_equal(lanes_position(lanes), 640 + 1024);
        free(sound);
        lanes_destroy(lanes);
    }
}

static void a_new_stream_fades_in(void **state)
{
    (void)state;
    Lanes *lanes = create();
    write(lanes, 0.5f, 0, 4000);
    free(read_blocks(lanes, 640));
    lanes_begin(lanes, 0);
    write(lanes, -0.5f, 0, 4000);
    lanes_offer(lanes, LANES_ANEW, 1);
    float *sound = read_blocks(lanes, 512);
    assert_true(sound[0] > 0.4f);
    assert_true(sound[FADE] == -0.5f + 1e-4f * (float)FADE);
    assert_int_equal(lanes_position(lanes), 512);
    free(sound);
    lanes_destroy(lanes);
}

/* What is asked for while one stream fades into another is counted in the one that comes. */
static void the_position_is_of_the_stream_that_comes(void **state)
{
    (void)state;
    Lanes *lanes = create();
    float left[2 * FADE], right[2 * FADE];
    write(lanes, 0.5f, 0, 1000);
    assert_int_equal(lanes_read_there(lanes, left, right, 300), 300);
    lanes_begin(lanes, 5000);
    write(lanes, 0.25f, 5000, 1000);
    lanes_offer(lanes, LANES_ANEW, 1);
    assert_int_equal(lanes_position(lanes), 300);
    lanes_take(lanes);
    assert_int_equal(lanes_position(lanes), 5000);
    assert_int_equal(lanes_read_there(lanes, left, right, 100), 100);
    assert_int_equal(lanes_position(lanes), 5100);
    while (lanes_read_there(lanes, left, right, FADE) > 0 && lanes_offered(lanes))
        ;
    assert_in_range(lanes_position(lanes), 5000 + FADE, 5000 + 3 * FADE);
    lanes_destroy(lanes);
}

static void a_held_lane_waits_for_its_frame(void **state)
{
    (void)state;
    Lanes *lanes = create();
    write(lanes, 0.5f, 0, 4000);
    free(read_blocks(lanes, 640));
    lanes_hold(lanes, 7, 1000);
    lanes_begin(lanes, 0);
    write(lanes, -0.5f, 0, 4000);
    lanes_offer(lanes, LANES_ANEW, 7);
    float *sound = read_blocks(lanes, 1536);
    for (size_t i = 0; i < 1000; i++)
        assert_true(sound[i] == 0.5f + 1e-4f * (float)(640 + i));
    assert_true(sound[1010] < sound[999]);
    assert_true(sound[1000 + FADE] == -0.5f + 1e-4f * (float)FADE);
    free(sound);
    lanes_destroy(lanes);
}

static void a_held_lane_comes_before_the_old_one_runs_dry(void **state)
{
    (void)state;
    Lanes *lanes = create();
    write(lanes, 0.5f, 0, 2000);
    free(read_blocks(lanes, 640));
    lanes_hold(lanes, 7, 100000);
    lanes_begin(lanes, 0);
    write(lanes, -0.5f, 0, 4000);
    lanes_offer(lanes, LANES_ANEW, 7);
    float *sound = read_blocks(lanes, 2048);
    assert_true(sound[2047] < 0.0f);
    assert_int_equal(lanes_underruns(lanes), 0);
    free(sound);
    lanes_destroy(lanes);
}

static void hushed_until_the_offer_that_is_waited_for(void **state)
{
    (void)state;
    Lanes *lanes = create();
    write(lanes, 0.5f, 0, 4000);
    free(read_blocks(lanes, 640));
    lanes_hush(lanes, 2);
    assert_int_equal(lanes_hushed(lanes), 2);
    float *nothing = read_blocks(lanes, 640);
    for (size_t i = 0; i < 640; i++)
        assert_true(nothing[i] == 0.0f);
    lanes_begin(lanes, 0);
    write(lanes, -0.5f, 0, 4000);
    lanes_offer(lanes, LANES_ANEW, 2);
    float *sound = read_blocks(lanes, 640);
    assert_true(sound[0] == -0.5f);
    assert_int_equal(lanes_hushed(lanes), 0);
    assert_int_equal(lanes_underruns(lanes), 0);
    free(nothing);
    free(sound);
    lanes_destroy(lanes);
}

/* In the middle of a crossfade, whose lane is then free for the offer that is waited for. */
static void hushed_while_one_lane_fades_into_another(void **state)
{
    (void)state;
    Lanes *lanes = create();
    write(lanes, 0.5f, 0, 2000);
    free(read_blocks(lanes, 256));
    lanes_begin(lanes, 0);
    write(lanes, 0.1f, 0, 2000);
    lanes_offer(lanes, LANES_ANEW, 1);
    free(read_blocks(lanes, BLOCK)); /* of a fade of FADE */
    assert_false(lanes_spare(lanes));
    lanes_hush(lanes, 2);
    assert_true(lanes_spare(lanes));
    float *nothing = read_blocks(lanes, 256);
    for (size_t i = 0; i < 256; i++)
        assert_true(nothing[i] == 0.0f);
    lanes_begin(lanes, 0);
    write(lanes, 0.3f, 0, 2000);
    lanes_offer(lanes, LANES_ANEW, 2);
    float *sound = read_blocks(lanes, 256);
    for (size_t i = 0; i < 256; i++)
        assert_true(sound[i] == 0.3f + 1e-4f * (float)i);
    free(nothing);
    free(sound);
    lanes_destroy(lanes);
}

static void waiting_readers_join_hard_and_exactly(void **state)
{
    (void)state;
    Lanes *lanes = create();
    write(lanes, 0.5f, 0, 4000);
    free(read_blocks(lanes, 640));
    lanes_begin(lanes, 0);
    write(lanes, 0.25f, 0, 1000);
    lanes_offer(lanes, LANES_HARD, 7);
    assert_int_equal(lanes_offered(lanes), 7);
    lanes_settle(lanes, 7); /* not below 7: stays */
    assert_int_equal(lanes_offered(lanes), 7);
    lanes_take(lanes);
    assert_int_equal(lanes_offered(lanes), 0);
    float left[2000], right[2000];
    /* As many as there are, none of them touched. */
    assert_int_equal(lanes_read_there(lanes, left, right, 2000), 1000);
    for (size_t i = 0; i < 1000; i++)
        assert_true(left[i] == 0.25f + 1e-4f * (float)i);
    assert_int_equal(lanes_read_there(lanes, left, right, 2000), 0);
    assert_int_equal(lanes_underruns(lanes), 0);
    lanes_destroy(lanes);
}

/* A host that exported plays on: what it has used up is not the generator's fault, but what runs
 * dry later is. */
static void after_waiting_there_may_be_nothing(void **state)
{
    (void)state;
    Lanes *lanes = create();
    float left[1000], right[1000];
    write(lanes, 0.5f, 0, 1000);
    assert_int_equal(lanes_read_there(lanes, left, right, 1000), 1000);
    lanes_read(lanes, left, right, 100);
    assert_false(lanes_playing(lanes));
    assert_int_equal(lanes_underruns(lanes), 0);
    write(lanes, 0.5f, 1000, 1000);
    lanes_read(lanes, left, right, 100);
    assert_true(lanes_playing(lanes));
    lanes_read(lanes, left, right, 1000);
    assert_int_equal(lanes_underruns(lanes), 1);
    lanes_destroy(lanes);
}

/* A host that takes long blocks, each in pieces one right after another: a lane is offered with a
 * whole block beyond the fade, and no more than that is missed after waiting. */
static void long_blocks_are_there_at_once(void **state)
{
    (void)state;
    enum { LONG = 1024, LONGEST = 3200 };
    Lanes *lanes = create();
    const size_t least = lanes_least(lanes);
    lanes_expect(lanes, LONG);
    lanes_expect(lanes, BLOCK);
    assert_int_equal(lanes_least(lanes), least + LONG);
    write(lanes, 0.5f, 0, 4 * LONG);
    free(read_blocks(lanes, LONG));
    lanes_begin(lanes, 2 * LONG);
    write(lanes, 0.25f, 2 * LONG, lanes_least(lanes));
    lanes_offer(lanes, LANES_ALIGNED, 1);
    free(read_blocks(lanes, LONG));
    float *sound = read_blocks(lanes, LONG);
    assert_true(sound[LONG - 1] == 0.25f + 1e-4f * (float)(3 * LONG - 1));
    free(sound);
    assert_int_equal(lanes_underruns(lanes), 0);
    /* An export left less than a block, so that it is no underrun when that one runs dry. */
    float left[LONG], right[LONG];
    while (lanes_read_there(lanes, left, right, LONG))
        ;
    write(lanes, 0.25f, lanes_position(lanes), LONG / 2 + 500);
    free(read_blocks(lanes, LONG));
    assert_int_equal(lanes_underruns(lanes), 0);
    /* Blocks without end are not waited for. */
    lanes_expect(lanes, 100000);
    assert_int_equal(lanes_least(lanes), least + LONGEST);
    lanes_destroy(lanes);
}

static void an_abandoned_lane_leaves_the_old_one(void **state)
{
    (void)state;
    Lanes *lanes = create();
    write(lanes, 0.5f, 0, 1000);
    lanes_begin(lanes, 0);
    write(lanes, -0.5f, 0, 100);
    lanes_abandon(lanes);
    write(lanes, 0.5f, 1000, 1000);
    float *sound = read_blocks(lanes, 1600);
    for (size_t i = 0; i < 1600; i++)
        assert_true(sound[i] == 0.5f + 1e-4f * (float)i);
    free(sound);
    lanes_destroy(lanes);
}

/* Two threads: the writer fills lanes and offers one now and then; each frame carries its number,
 * so the reader can tell order and mixture. */
typedef struct Stress {
    Lanes *lanes;
    _Atomic bool done;
    _Atomic unsigned offers;
} Stress;

static void *stress_writer(void *user)
{
    Stress *stress = user;
    Lanes *lanes = stress->lanes;
    uint64_t at = 0;
    for (unsigned round = 0; !stress->done; round++) {
        if (round % 50 == 49 && stress->offers < 40 && lanes_spare(lanes)) {
            at = lanes_horizon(lanes) + round % 300;
            lanes_begin(lanes, at);
            while (lanes_waiting(lanes) < lanes_least(lanes) + 500)
                at += lanes_write(lanes, (float[]){(float)at, -(float)at}, 1);
            lanes_offer(lanes, LANES_ALIGNED, round);
            stress->offers++;
        }
        for (int i = 0; i < 40; i++)
            at += lanes_write(lanes, (float[]){(float)at, -(float)at}, 1);
    }
    return NULL;
}

static void threads_agree(void **state)
{
    (void)state;
    Stress stress = {.lanes = create()};
    pthread_t writer;
    assert_int_equal(pthread_create(&writer, NULL, stress_writer, &stress), 0);
    float left[256], right[256];
    for (unsigned i = 0; stress.offers < 40 && i < 100000000; i++) {
        const size_t n = i * 7919 % 256 + 1;
        lanes_read(stress.lanes, left, right, n);
        const float most = 1.5f * (float)(lanes_position(stress.lanes) + 1);
        for (size_t j = 0; j < n; j++)
            if (!(left[j] >= 0.0f && left[j] <= most && left[j] == -right[j]))
                fail_msg("frame %zu of block %u is %g, %g", j, i, (double)left[j],
                         (double)right[j]);
    }
    stress.done = true;
    pthread_join(writer, NULL);
    assert_int_equal(stress.offers, 40);
    lanes_destroy(stress.lanes);
}

/* Where time is kept: what is there too early waits, what comes too late is passed over. */
static void time_is_kept(void **state)
{
    (void)state;
    enum { START = 1000, NOW = 5000 };
    Lanes *lanes = create();
    lanes_keep_time(lanes, NOW);
    lanes_begin(lanes, NOW + START);
    lanes_offer(lanes, LANES_HARD, 1);
    write(lanes, 0.0f, NOW + START, 2000);
    float *sound = read_blocks(lanes, 3840);
    for (size_t i = 0; i < START; i++)
        assert_true(sound[i] == 0.0f);
    for (size_t i = START + RESERVE + BLOCK; i < START + 1900; i++)
        assert_true(sound[i] == 1e-4f * (float)(NOW + i));
    assert_true(sound[3839] == 0.0f);
    assert_int_equal(lanes_underruns(lanes), 1);
    assert_int_equal(lanes_horizon(lanes), NOW + 3840);
    /* The frames that were missed come late, and are not heard any more. */
    write(lanes, 0.0f, NOW + 3000, 3000);
    float *again = read_blocks(lanes, 1280);
    for (size_t i = RESERVE + BLOCK; i < 1280; i++)
        assert_true(again[i] == 1e-4f * (float)(NOW + 3840 + i));
    /* Another lane of the same time fades in where it belongs. */
    lanes_begin(lanes, NOW + 5300);
    lanes_offer(lanes, LANES_ALIGNED, 2);
    write(lanes, 0.25f, NOW + 5300, 3000);
    float *next = read_blocks(lanes, 1280);
    for (size_t i = 0; i < 180; i++)
        assert_true(next[i] == 1e-4f * (float)(NOW + 5120 + i));
    for (size_t i = 180 + FADE; i < 1280; i++)
        assert_true(next[i] == 0.25f + 1e-4f * (float)(NOW + 5120 + i));
    free(sound);
    free(again);
    free(next);
    lanes_destroy(lanes);
}

/* A waiting reader hears the same. */
static void time_is_kept_while_waiting(void **state)
{
    (void)state;
    Lanes *lanes = create();
    float left[2000], right[2000];
    lanes_keep_time(lanes, 100);
    lanes_begin(lanes, 400);
    lanes_offer(lanes, LANES_HARD, 1);
    write(lanes, 0.0f, 400, 1000);
    lanes_take(lanes);
    assert_int_equal(lanes_read_there(lanes, left, right, 2000), 1300);
    for (size_t i = 0; i < 1300; i++)
        assert_true(left[i] == (i < 300 ? 0.0f : 1e-4f * (float)(100 + i)));
    lanes_lose_time(lanes);
    lanes_destroy(lanes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(silence_until_there_is_enough),
        cmocka_unit_test(an_underrun_fades_and_comes_back),
        cmocka_unit_test(an_aligned_lane_takes_over_frame_by_frame),
        cmocka_unit_test(a_new_stream_fades_in),
        cmocka_unit_test(the_position_is_of_the_stream_that_comes),
        cmocka_unit_test(a_held_lane_waits_for_its_frame),
        cmocka_unit_test(a_held_lane_comes_before_the_old_one_runs_dry),
        cmocka_unit_test(hushed_until_the_offer_that_is_waited_for),
        cmocka_unit_test(hushed_while_one_lane_fades_into_another),
        cmocka_unit_test(waiting_readers_join_hard_and_exactly),
        cmocka_unit_test(after_waiting_there_may_be_nothing),
        cmocka_unit_test(long_blocks_are_there_at_once),
        cmocka_unit_test(an_abandoned_lane_leaves_the_old_one),
        cmocka_unit_test(threads_agree),
        cmocka_unit_test(time_is_kept),
        cmocka_unit_test(time_is_kept_while_waiting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
