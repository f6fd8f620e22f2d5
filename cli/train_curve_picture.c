#include "cli/train_curve.h"

#include "cli/canvas.h"
#include "dsp/rank.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/* Pixels: of the picture, and around each panel's axes. */
enum { WIDTH = 960, HEIGHT = 400, LEFT = 70, RIGHT = 28, ABOVE = 58, BELOW = 48 };

/* With fewer points than this, each is a dot. */
enum { DOTS_MOST = 80 };

typedef struct Scale {
    CanvasArea area;
    double least, most; /* losses at the bottom and at the top */
    double steps;       /* at the right edge */
} Scale;

typedef struct Colour {
    double red, green, blue;
} Colour;
static const Colour LEARNT = {0.98, 0.53, 0.38}, HELD_OUT = {0.45, 1.0, 0.85};

static double loss_of(const CurvePoint *point)
{
    return point->loss;
}

static double held_out_of(const CurvePoint *point)
{
    return point->held_out;
}

static double place_x(const Scale *scale, double step)
{
    return scale->area.x + scale->area.width * step / scale->steps;
}

static double place_y(const Scale *scale, double loss)
{
    const double share = (loss - scale->least) / (scale->most - scale->least);
    return scale->area.y + scale->area.height * (1.0 - share);
}

/* Losses from the least to the most, but for the steep start, which would flatten all else: that
 * runs out of the picture. -1 out of memory. */
static int fit_losses(const TrainCurve *curve, Scale *scale)
{
    float *values = malloc((2 * curve->count + 1) * sizeof *values);
    size_t n = 0;
    if (!values)
        return -1;
    for (size_t i = 0; i < curve->count; i++) {
        values[n++] = (float)curve->points[i].loss;
        if (!isnan(curve->points[i].held_out))
            values[n++] = (float)curve->points[i].held_out;
    }
    double least = INFINITY, most = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        least = fmin(least, (double)values[i]);
        most = fmax(most, (double)values[i]);
    }
    if (n > 6)
        most = fmin(most, least + 5.0 * ((double)rank_median(values, n) - least));
    free(values);
    if (!n)
        least = most = 0.5;
    const double margin = fmax(0.06 * (most - least), fmax(1e-3, 0.01 * most));
    scale->least = fmax(0.0, least - margin);
    scale->most = most + margin;
    return 0;
}

static void draw_losses_axis(cairo_t *context, const Scale *scale)
{
    const CanvasArea *area = &scale->area;
    const double step = canvas_step(40.0 * (scale->most - scale->least) / area->height);
    for (double i = ceil(scale->least / step - 1e-9); i * step <= scale->most; i++) {
        char text[64];
        const double y = canvas_centre(place_y(scale, i * step));
        canvas_ink(context, 0.13);
        canvas_line(context, area->x, y, area->x + area->width, y);
        canvas_ink(context, 0.85);
        snprintf(text, sizeof text, "%.*f", canvas_digits(step), i * step);
        canvas_text(context, area->x - 9, y + 4, CANVAS_RIGHT, text);
    }
}

static void draw_steps_axis(cairo_t *context, const Scale *scale)
{
    const CanvasArea *area = &scale->area;
    const double bottom = area->y + area->height;
    const double step = fmax(1.0, canvas_step(90.0 * scale->steps / area->width));
    for (double at = 0.0; at <= scale->steps; at += step) {
        char text[64];
        const double x = canvas_centre(place_x(scale, at));
        canvas_ink(context, 0.6);
        canvas_line(context, x, bottom + 1, x, bottom + 5);
        canvas_ink(context, 0.85);
        snprintf(text, sizeof text, "%.0f", at);
        canvas_text(context, x, bottom + 18, CANVAS_CENTRE, text);
    }
    canvas_text(context, area->x + area->width, bottom + 36, CANVAS_RIGHT, "steps");
}

static void draw_curve(cairo_t *context, const Scale *scale, const TrainCurve *curve,
                       double (*value)(const CurvePoint *point), const Colour *colour)
{
    const bool dots = curve->count < DOTS_MOST;
    cairo_set_source_rgb(context, colour->red, colour->green, colour->blue);
    for (size_t i = 0; i < curve->count; i++) {
        const double x = place_x(scale, (double)curve->points[i].step);
        const double loss = value(&curve->points[i]);
        if (!isnan(loss))
            cairo_line_to(context, x, place_y(scale, loss));
    }
    cairo_set_line_width(context, 2);
    cairo_stroke(context);
    for (size_t i = 0; dots && i < curve->count; i++) {
        const double loss = value(&curve->points[i]);
        if (isnan(loss))
            continue;
        cairo_arc(context, place_x(scale, (double)curve->points[i].step), place_y(scale, loss), 2.5,
                  0, 2 * acos(-1.0));
        cairo_fill(context);
    }
    cairo_set_line_width(context, 1);
}

/* The point of the least held-out loss; NULL where there is none. */
static const CurvePoint *find_best(const TrainCurve *curve)
{
    const CurvePoint *best = NULL;
    for (size_t i = 0; i < curve->count; i++) {
        const CurvePoint *point = &curve->points[i];
        if (!isnan(point->held_out) && (!best || point->held_out < best->held_out))
            best = point;
    }
    return best;
}

static void mark_best(cairo_t *context, const Scale *scale, const CurvePoint *best)
{
    static const double dashes[] = {5, 4};
    const double x = canvas_centre(place_x(scale, (double)best->step));
    const double y = place_y(scale, best->held_out);
    cairo_set_source_rgba(context, HELD_OUT.red, HELD_OUT.green, HELD_OUT.blue, 0.5);
    cairo_set_dash(context, dashes, 2, 0);
    canvas_line(context, x, y + 7, x, scale->area.y + scale->area.height);
    cairo_set_dash(context, NULL, 0, 0);
    cairo_set_source_rgb(context, HELD_OUT.red, HELD_OUT.green, HELD_OUT.blue);
    cairo_set_line_width(context, 2);
    cairo_arc(context, x, y, 6, 0, 2 * acos(-1.0));
    cairo_stroke(context);
    cairo_set_line_width(context, 1);
}

/* A word of the legend in its colour; where the next one begins. */
static double draw_word(cairo_t *context, double x, double y, const Colour *colour,
                        const char *text)
{
    cairo_text_extents_t extents;
    cairo_set_source_rgb(context, colour->red, colour->green, colour->blue);
    cairo_rectangle(context, x, y - 6, 16, 3);
    cairo_fill(context);
    canvas_text(context, x + 22, y, CANVAS_LEFT, text);
    cairo_text_extents(context, text, &extents);
    return x + 22 + extents.x_advance + 26;
}

static void draw_legend(cairo_t *context, const CanvasArea *area, const TrainCurve *curve,
                        const CurvePoint *best)
{
    const CurvePoint *last = &curve->points[curve->count - 1];
    const double y = area->y - 12;
    char text[128];
    canvas_font(context, false, 12);
    snprintf(text, sizeof text, "on what it learns from: %.4f", last->loss);
    const double x = draw_word(context, area->x, y, &LEARNT, text);
    if (!best)
        snprintf(text, sizeof text, "nothing held out");
    else
        snprintf(text, sizeof text, "held out: %.4f, best %.4f at step %zu", last->held_out,
                 best->held_out, best->step);
    draw_word(context, x, y, &HELD_OUT, text);
}

static int draw_panel(cairo_t *context, const CurvePanel *panel, double top, Error *err)
{
    const TrainCurve *curve = panel->curve;
    Scale scale = {.area = {LEFT, top + ABOVE, WIDTH - LEFT - RIGHT, HEIGHT - ABOVE - BELOW},
                   .steps = 1.0};
    if (curve->count)
        scale.steps = fmax(1.0, (double)curve->points[curve->count - 1].step);
    if (fit_losses(curve, &scale))
        return error_set(err, "out of memory for the loss curve");
    canvas_ground(context, &scale.area);
    canvas_ink(context, 1);
    canvas_font(context, true, 14);
    canvas_text_fitting(context, LEFT, top + 24, scale.area.width, panel->title);
    canvas_font(context, false, 11);
    draw_losses_axis(context, &scale);
    draw_steps_axis(context, &scale);
    if (!curve->count)
        return 0;
    const CurvePoint *best = find_best(curve);
    draw_legend(context, &scale.area, curve, best);
    cairo_save(context);
    cairo_rectangle(context, scale.area.x - 4, scale.area.y, scale.area.width + 12,
                    scale.area.height);
    cairo_clip(context);
    draw_curve(context, &scale, curve, loss_of, &LEARNT);
    draw_curve(context, &scale, curve, held_out_of, &HELD_OUT);
    if (best)
        mark_best(context, &scale, best);
    cairo_restore(context);
    return 0;
}

int train_curve_draw(const CurvePanel *panels, size_t count, const char *path, Error *err)
{
    Output *output = output_create(path, err);
    if (!output)
        return -1;
    Canvas *canvas = canvas_create(WIDTH, count * HEIGHT, err);
    int failed = canvas ? 0 : -1;
    for (size_t i = 0; !failed && i < count; i++)
        failed = draw_panel(canvas_context(canvas), &panels[i], (double)(i * HEIGHT), err);
    failed = failed || canvas_write(canvas, output, err);
    canvas_destroy(canvas);
    if (failed) {
        output_discard(output);
        return -1;
    }
    return output_commit(output, err);
}
