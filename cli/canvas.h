/* What all pictures are drawn on: dark paper, light ink, the system's sans-serif, PNG at the end.
 */
#ifndef BRUME_CLI_CANVAS_H
#define BRUME_CLI_CANVAS_H

#include <cairo.h>
#include <stdbool.h>
#include <stddef.h>

#include "cli/output.h"
#include "dsp/error.h"

typedef struct Canvas Canvas;

/* Where a panel's drawing lies, in pixels. */
typedef struct CanvasArea {
    double x, y, width, height;
} CanvasArea;

typedef enum CanvasAlign { CANVAS_LEFT, CANVAS_CENTRE, CANVAS_RIGHT } CanvasAlign;

/* Empty paper of that many pixels. NULL when too large for cairo or for the memory. One thread. */
Canvas *canvas_create(size_t width, size_t height, Error *err);

/* Frees; NULL is allowed. */
void canvas_destroy(Canvas *canvas);

/* The canvas's own, to draw with; lines are one pixel wide. Failures come out of canvas_write. */
cairo_t *canvas_context(const Canvas *canvas);
cairo_surface_t *canvas_surface(const Canvas *canvas);
size_t canvas_width(const Canvas *canvas);
size_t canvas_height(const Canvas *canvas);

/* Ink of strength 0..1. */
void canvas_ink(cairo_t *context, double strength);
void canvas_font(cairo_t *context, bool bold, double size);

/* Printable UTF-8; `y` is the base line. */
void canvas_text(cairo_t *context, double x, double y, CanvasAlign align, const char *text);

/* The same from x on, its middle cut out until it is at most `room` pixels wide. */
void canvas_text_fitting(cairo_t *context, double x, double y, double room, const char *text);

/* The ground that a panel is drawn on. */
void canvas_ground(cairo_t *context, const CanvasArea *area);
void canvas_line(cairo_t *context, double x0, double y0, double x1, double y1);

/* Middle of the pixel, so that a line one pixel wide stays sharp. */
double canvas_centre(double position);

/* For the ticks of an axis: 1, 2 or 5 times a power of ten, at least `least`, which is > 0; and the
 * digits after the point that its multiples need. */
double canvas_step(double least);
int canvas_digits(double step);

/* Writes it as PNG. 0, or -1 if it could not be drawn; a write that fails is told by output_commit.
 */
int canvas_write(const Canvas *canvas, Output *output, Error *err);

#endif
