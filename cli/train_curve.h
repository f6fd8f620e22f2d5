/* The course of a training: its losses by step, kept as text and drawn as a picture. */
#ifndef BRUME_CLI_TRAIN_CURVE_H
#define BRUME_CLI_TRAIN_CURVE_H

#include "dsp/error.h"

#include <stddef.h>

/* What one evaluation found. */
typedef struct CurvePoint {
    size_t step;
    double loss;     /* in training */
    double held_out; /* NaN: nothing held out */
    double seconds;  /* of training until then */
} CurvePoint;

/* Points in the order of their steps. {NULL, 0} is an empty one. */
typedef struct TrainCurve {
    CurvePoint *points; /* (count,) */
    size_t count;
} TrainCurve;

void train_curve_free(TrainCurve *curve);

/* Adds a point, in the place of those that are not before it. -1 out of memory. */
int train_curve_add(TrainCurve *curve, CurvePoint point, Error *err);

/* Reads `name` in `folder` as far as `step`, for a training that goes on from there: what it will
 * pass again is forgotten. A file that is no curve is told of on standard error, and a new curve
 * begins. -1 when the path is too long. */
int train_curve_take_up(TrainCurve *curve, const char *folder, const char *name, size_t step,
                        Error *err);

/* Writes "step,loss,held_out,seconds" and a line for each point, whole or not at all. */
int train_curve_write(const TrainCurve *curve, const char *path, Error *err);

/* One panel of a picture of curves. */
typedef struct CurvePanel {
    const TrainCurve *curve;
    const char *title; /* printable UTF-8 */
} CurvePanel;

/* Draws curves one under another, the best moment of each marked, and writes them as PNG, whole or
 * not at all (cli/train_curve_picture.c). */
int train_curve_draw(const CurvePanel *panels, size_t count, const char *path, Error *err);

#endif
