/* Lanes: whatever the reader does, at whatever moment, the lane that is offered is soon taken, the
 * writer gets the spare one back, and what was waited for in silence is heard. Acts are drawn at
 * random, also within a crossfade; BRUME_SEED draws others. */
#include "plugin/lanes.h"

#include "dsp/random.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

enum { RATE = 8000, NIGHTS = 300, ACTS = 200, MOST = 600 };

typedef struct Night {
    Lanes *lanes;
    uint64_t seed, draws, serial, next; /* `next`: number of the writer's next frame */
    bool timed;
} Night;

static uint64_t pick(Night *night, uint64_t below)
{
    return random_below(night->seed, 0, night->draws++, below);
}

static void fill(Night *night, size_t n)
{
    static const float frame[2] = {0.5f, -0.5f};
    while (n-- && lanes_write(night->lanes, frame, 1))
        night->next++;
}

/* As a generator does, which fills ahead of the reader while it reads. */
static void play(Night *night, size_t n)
{
    float left[MOST], right[MOST];
    lanes_expect(night->lanes, n);
    fill(night, 2 * n);
    lanes_read(night->lanes, left, right, n);
}

static void play_waiting(Night *night, size_t n)
{
    float left[MOST], right[MOST];
    fill(night, 2 * n);
    lanes_read_there(night->lanes, left, right, n);
}

/* The same stream from where it will be heard, or another one; with enough in it to begin. */
static void offer(Night *night)
{
    Lanes *lanes = night->lanes;
    if (!lanes_spare(lanes))
        return;
    const bool aligned = night->timed || pick(night, 2);
    night->next = aligned ? lanes_horizon(lanes) + pick(night, 300) : 0;
    lanes_begin(lanes, night->next);
    fill(night, lanes_least(lanes) + 300);
    lanes_offer(lanes,
                aligned          ? LANES_ALIGNED
                : pick(night, 2) ? LANES_ANEW
                                 : LANES_HARD,
                ++night->serial);
}

static void hush(Night *night)
{
    lanes_hush(night->lanes, night->serial + 1);
}

static void keep_time(Night *night)
{
    night->timed = pick(night, 2);
    if (night->timed)
        lanes_keep_time(night->lanes, lanes_position(night->lanes));
    else
        lanes_lose_time(night->lanes);
}

static void act(Night *night)
{
    switch (pick(night, 12)) {
    case 0:
        hush(night);
        break;
    case 1:
        lanes_hold(night->lanes, night->serial + pick(night, 2), pick(night, 2000));
        break;
    case 2:
        keep_time(night);
        break;
    case 3:
        lanes_settle(night->lanes, night->serial + 1);
        break;
    case 4:
        play_waiting(night, pick(night, MOST) + 1);
        break;
    case 5:
    case 6:
    case 7:
        offer(night);
        break;
    default:
        play(night, pick(night, pick(night, 2) ? 64 : MOST) + 1);
    }
}

static void check_comes_back(Night *night)
{
    for (int i = 0; i < 100 && !lanes_spare(night->lanes); i++)
        play(night, 200);
    if (!lanes_spare(night->lanes))
        fail_msg("seed %llu: the lane offered is never taken", (unsigned long long)night->seed);
    lanes_lose_time(night->lanes);
    night->timed = false;
    hush(night);
    offer(night);
    for (int i = 0; i < 20; i++)
        play(night, 200);
    if (!lanes_playing(night->lanes) || lanes_hushed(night->lanes))
        fail_msg("seed %llu: silence for good", (unsigned long long)night->seed);
}

static void what_is_offered_is_taken(void **state)
{
    (void)state;
    const char *given = getenv("BRUME_SEED");
    const uint64_t seed = given ? strtoull(given, NULL, 10) : 1;
    for (uint64_t i = 0; i < NIGHTS; i++) {
        Error err = {""};
        Night night = {.lanes = lanes_create(RATE, 1.0, &err), .seed = seed + i};
        assert_non_null(night.lanes);
        fill(&night, 2000);
        for (int a = 0; a < ACTS; a++)
            act(&night);
        check_comes_back(&night);
        lanes_destroy(night.lanes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_offered_is_taken)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
