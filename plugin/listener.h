/* Whether somebody plays at the input. Audio thread.
 *
 * The level is taken over windows of 64 frames, counted from the start and not from the host's
 * block, so that the answer does not depend on how the sound is cut. Somebody plays while the level
 * is near what it was at its loudest of late, and has fallen silent when it has been far under it
 * for a while. */
#ifndef BRUME_PLUGIN_LISTENER_H
#define BRUME_PLUGIN_LISTENER_H

#include <stdbool.h>
#include <stdint.h>

typedef enum { LISTENER_NOTHING, LISTENER_BEGINS, LISTENER_FALLS_SILENT } ListenerEvent;

typedef struct Listener {
    double rate;
    float loud;                           /* mean square of the loudest of late; dies away slowly */
    float sum;                            /* of squares in the window under way */
    uint32_t frames;                      /* in it */
    uint32_t loud_windows, quiet_windows; /* in a row */
    bool playing;
} Listener;

void listener_reset(Listener *listener, double rate);

/* Listens to up to n frames, finite, of both channels; stops after the frame at which something
 * happened. *used (not more than n) says how many frames that were. */
ListenerEvent listener_follow(Listener *listener, const float *left, const float *right, uint32_t n,
                              uint32_t *used);

#endif
