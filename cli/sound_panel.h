/* A sound as a panel of a picture: its spectrogram, measured column by column. */
#ifndef BRUME_CLI_SOUND_PANEL_H
#define BRUME_CLI_SOUND_PANEL_H

#include "cli/picture.h"
#include "cli/progress.h"

#include <stdatomic.h>

typedef struct SoundPanel {
    const float *mono; /* (frames,), full scale near 1 */
    size_t frames;     /* 1 or more, at most labels.seconds of them */
    unsigned rate;
    PictureLabels labels; /* labels.seconds: what the panel's whole width stands for */
} SoundPanel;

/* Who waits for it. */
typedef struct PanelWatch {
    const atomic_bool *cancel; /* gives up when it becomes true; may be NULL */
    Progress *progress;
    double first, part; /* shares of all: done before, and this panel's */
} PanelWatch;

/* Draws panel `index`. -1 when out of memory, or cancelled. */
int sound_panel_draw(Picture *picture, size_t index, const SoundPanel *panel,
                     const PanelWatch *watch, Error *err);

#endif
