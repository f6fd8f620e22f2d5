/* The listener: when somebody begins to play and falls silent, however the sound is cut. */
#include "plugin/listener.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

enum { RATE = 48000, SECONDS = 6 };

/* Notes of half a second that die away by 20 dB, from 1 s to 3 s; silence (-80 dB of hiss) else. */
static float *tune(void)
{
    float *x = malloc(SECONDS * RATE * sizeof *x);
    assert_non_null(x);
    for (size_t i = 0; i < SECONDS * RATE; i++) {
        const double t = (double)i / RATE;
        x[i] = 1e-4F * (float)(i * 7919 % 17) / 17;
        if (t >= 1 && t < 3)
            x[i] += 0.2F * (float)(exp(-4.6 * fmod(t, 0.5)) * sin(2764.6 * t));
    }
    return x;
}

typedef struct Event {
    ListenerEvent what;
    size_t frame;
} Event;

/* Events of x in pieces of `piece` frames, gain as given; returns how many. */
static size_t listen(const float *x, size_t piece, float gain, Event *events, size_t most)
{
    Listener listener;
    listener_reset(&listener, RATE);
    size_t count = 0;
    for (size_t at = 0; at < SECONDS * RATE;) {
        const size_t n = SECONDS * RATE - at < piece ? SECONDS * RATE - at : piece;
        float scaled[1024];
        for (size_t i = 0; i < n; i++)
            scaled[i] = gain * x[at + i];
        uint32_t used;
        const ListenerEvent event = listener_follow(&listener, scaled, scaled, (uint32_t)n, &used);
        at += used;
        if (event != LISTENER_NOTHING && count < most)
            events[count++] = (Event){event, at};
    }
    return count;
}

static void a_tune_begins_and_ends_once(void **state)
{
    (void)state;
    float *x = tune();
    Event events[8];
    for (int k = 0; k < 2; k++) {
        assert_int_equal(listen(x, 512, k ? 0.1F : 1.0F, events, 8), 2);
        assert_int_equal(events[0].what, LISTENER_BEGINS);
        assert_in_range(events[0].frame, RATE, RATE + RATE / 20);
        assert_int_equal(events[1].what, LISTENER_FALLS_SILENT);
        assert_in_range(events[1].frame, 3 * RATE + RATE / 3, 3 * RATE + RATE / 2);
    }
    free(x);
}

static void cutting_makes_no_difference(void **state)
{
    (void)state;
    float *x = tune();
    Event whole[8], cut[8];
    const size_t count = listen(x, 1024, 1, whole, 8);
    for (size_t piece = 1; piece < 1024; piece = piece * 3 + 1) {
        assert_int_equal(listen(x, piece, 1, cut, 8), count);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(cut[i].frame, whole[i].frame);
    }
    free(x);
}

static void hiss_is_nobody(void **state)
{
    (void)state;
    float *x = tune();
    Event events[8];
    for (size_t i = 0; i < SECONDS * RATE; i++)
        x[i] = 5e-4F * (float)((i * 2654435761U >> 7) % 1000) / 1000;
    assert_int_equal(listen(x, 256, 1, events, 8), 0);
    free(x);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tune_begins_and_ends_once),
        cmocka_unit_test(cutting_makes_no_difference),
        cmocka_unit_test(hiss_is_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
