#include "plugin/listener.h"

#include <math.h>

enum { WINDOW = 64 };

/* Mean squares: under FLOOR (-60 dBFS) nothing is music; 20 dB under the loudest somebody still
 * plays, 32 dB under it nobody does. */
static const float FLOOR = 1e-6F, PLAYS = 1e-2F, SILENT = 6.3e-4F;

/* It takes so long to be sure; and the loudest is forgotten by 3 dB a second. */
static const double BEGIN_SECONDS = 0.02, END_SECONDS = 0.35;
static const float FORGET_DB = 3.0F;

void listener_reset(Listener *listener, double rate)
{
    *listener = (Listener){.rate = rate};
}

/* How many windows in a row say so. */
static bool for_long(const Listener *listener, uint32_t windows, double seconds)
{
    return (double)windows * WINDOW >= seconds * listener->rate;
}

static ListenerEvent end_window(Listener *listener)
{
    const float level = listener->sum / (2 * WINDOW);
    const float forget = 1.0F - FORGET_DB * 0.2302585F * (float)(WINDOW / listener->rate);
    listener->loud = fmaxf(level, listener->loud * forget);
    listener->sum = 0;
    listener->frames = 0;
    const bool plays = level > FLOOR && level > PLAYS * listener->loud;
    const bool silent = level < FLOOR || level < SILENT * listener->loud;
    listener->loud_windows = plays ? listener->loud_windows + 1 : 0;
    listener->quiet_windows = silent ? listener->quiet_windows + 1 : 0;
    if (!listener->playing && for_long(listener, listener->loud_windows, BEGIN_SECONDS)) {
        listener->playing = true;
        return LISTENER_BEGINS;
    }
    if (listener->playing && for_long(listener, listener->quiet_windows, END_SECONDS)) {
        listener->playing = false;
        return LISTENER_FALLS_SILENT;
    }
    return LISTENER_NOTHING;
}

ListenerEvent listener_follow(Listener *listener, const float *left, const float *right, uint32_t n,
                              uint32_t *used)
{
    for (uint32_t i = 0; i < n; i++) {
        listener->sum += left[i] * left[i] + right[i] * right[i];
        if (++listener->frames < WINDOW)
            continue;
        const ListenerEvent event = end_window(listener);
        if (event != LISTENER_NOTHING) {
            *used = i + 1;
            return event;
        }
    }
    *used = n;
    return LISTENER_NOTHING;
}
