/* The plot's picture: panels one under another, each with a title, axes and a scale of colours. */
#ifndef BRUME_CLI_PICTURE_H
#define BRUME_CLI_PICTURE_H

#include <stddef.h>

#include "cli/output.h"
#include "cli/spectrogram.h"
#include "dsp/error.h"

typedef struct Picture Picture;

/* What a panel shows beside its spectrogram, whose columns fill it from the left. */
typedef struct PictureLabels {
    const char *title;   /* printable UTF-8 */
    double from;         /* seconds at the left edge */
    double seconds;      /* from the left edge to the right one, > 0 */
    const double *marks; /* seconds: upright lines; those outside are not drawn */
    size_t mark_count;
} PictureLabels;

/* A picture `width` pixels wide, at least 320, of `panels` of `panel_height` pixels each, at least
 * 120, below `title` (printable UTF-8) unless that is NULL. NULL when too large. One thread. The
 * pixels depend on what is drawn and on the fonts of the system. */
Picture *picture_create(size_t width, size_t panel_height, size_t panels, const char *title,
                        Error *err);

/* Frees; NULL is allowed. */
void picture_destroy(Picture *picture);

/* The columns and rows of a spectrogram that fills a panel. */
size_t picture_columns(const Picture *picture);
size_t picture_rows(const Picture *picture);

/* Draws panel `index` (0 is the uppermost); `spectrogram` has picture_rows rows and at most
 * picture_columns columns. Failures come out of picture_write. */
void picture_draw(Picture *picture, size_t index, const Spectrogram *spectrogram,
                  const PictureLabels *labels);

/* Writes the picture as PNG. 0, or -1 if it could not be drawn; a write that fails is told by
 * output_commit. */
int picture_write(const Picture *picture, Output *output, Error *err);

#endif
