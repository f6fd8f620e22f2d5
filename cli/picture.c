#include "cli/picture.h"

#include "cli/canvas.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Pixels around the spectrogram of a panel, and above all panels when there is a title. */
enum { LEFT = 66, RIGHT = 78, ABOVE = 28, BELOW = 30, HEADING = 40 };

struct Picture {
    Canvas *canvas;
    size_t panel_height, heading;
};

/* Perceptually even, dark to bright: nine points of matplotlib's magma (Smith, van der Walt 2015).
 */
static uint32_t colour(double share)
{
    static const unsigned char points[9][3] = {
        {0, 0, 4},      {28, 16, 68},   {79, 18, 123},   {129, 37, 129},  {181, 54, 122},
        {229, 80, 100}, {251, 135, 97}, {254, 194, 135}, {252, 253, 191},
    };
    double place = 8 * fmin(fmax(share, 0), 1);
    size_t below = place < 8 ? (size_t)place : 7;
    uint32_t packed = 0;
    for (size_t i = 0; i < 3; i++) {
        double value =
            points[below][i] + (place - (double)below) * (points[below + 1][i] - points[below][i]);
        packed = packed << 8 | (uint32_t)(value + 0.5);
    }
    return packed;
}

Picture *picture_create(size_t width, size_t panel_height, size_t panels, const char *title,
                        Error *err)
{
    Picture *picture = calloc(1, sizeof *picture);
    if (picture == NULL) {
        error_set(err, "out of memory");
        return NULL;
    }
    picture->panel_height = panel_height;
    picture->heading = title != NULL ? HEADING : 0;
    picture->canvas = canvas_create(width, picture->heading + panels * panel_height, err);
    if (picture->canvas == NULL) {
        picture_destroy(picture);
        return NULL;
    }
    if (title != NULL) {
        cairo_t *context = canvas_context(picture->canvas);
        canvas_ink(context, 1);
        canvas_font(context, true, 17);
        canvas_text_fitting(context, LEFT, 28, (double)width - LEFT - 12, title);
    }
    return picture;
}

void picture_destroy(Picture *picture)
{
    if (picture == NULL)
        return;
    canvas_destroy(picture->canvas);
    free(picture);
}

size_t picture_columns(const Picture *picture)
{
    return canvas_width(picture->canvas) - LEFT - RIGHT;
}

size_t picture_rows(const Picture *picture)
{
    return picture->panel_height - ABOVE - BELOW;
}

static void draw_levels(Picture *picture, const CanvasArea *area, const Spectrogram *spectrogram)
{
    cairo_surface_t *surface = canvas_surface(picture->canvas);
    cairo_surface_flush(surface);
    unsigned char *pixels = cairo_image_surface_get_data(surface);
    size_t stride = (size_t)cairo_image_surface_get_stride(surface);
    size_t rows = spectrogram_rows(spectrogram), columns = spectrogram_columns(spectrogram);
    for (size_t row = 0; row < rows; row++) {
        unsigned char *line = pixels + ((size_t)area->y + rows - 1 - row) * stride;
        for (size_t column = 0; column < columns; column++) {
            float level = spectrogram_level(spectrogram, column, row);
            uint32_t pixel = colour(1.0 + (double)(level / SPECTROGRAM_RANGE_DB));
            memcpy(line + 4 * ((size_t)area->x + column), &pixel, 4);
        }
    }
    cairo_surface_mark_dirty(surface);
}

static void draw_frequencies(cairo_t *context, const CanvasArea *area, double lowest,
                             double highest)
{
    static const struct {
        double hz;
        const char *text;
    } ticks[] = {{50, "50 Hz"},   {100, "100 Hz"},   {200, "200 Hz"},
                 {500, "500 Hz"}, {1000, "1 kHz"},   {2000, "2 kHz"},
                 {5000, "5 kHz"}, {10000, "10 kHz"}, {20000, "20 kHz"}};
    double before = HUGE_VAL;
    for (size_t i = 0; i < sizeof ticks / sizeof ticks[0]; i++) {
        if (ticks[i].hz < lowest || ticks[i].hz > highest)
            continue;
        double share = log(ticks[i].hz / lowest) / log(highest / lowest);
        double y = area->y + area->height * (1 - share);
        y = canvas_centre(fmax(area->y, fmin(y, area->y + area->height - 1)));
        canvas_ink(context, 0.13);
        canvas_line(context, area->x, y, area->x + area->width, y);
        canvas_ink(context, 0.6);
        canvas_line(context, area->x - 5, y, area->x - 1, y);
        if (before - y < 13)
            continue;
        canvas_ink(context, 0.85);
        canvas_text(context, area->x - 9, y + 4, CANVAS_RIGHT, ticks[i].text);
        before = y;
    }
}

static void draw_times(cairo_t *context, const CanvasArea *area, double from, double seconds)
{
    double step = canvas_step(80 * seconds / area->width);
    int digits = canvas_digits(step);
    double bottom = area->y + area->height;
    double first = ceil(from / step - 1e-9);
    for (double i = 0; (first + i) * step <= from + seconds * (1 + 1e-9); i++) {
        double time = (first + i) * step;
        double x = canvas_centre(area->x + (time - from) / seconds * area->width);
        char text[64];
        snprintf(text, sizeof text, "%.*f s", digits, time);
        canvas_ink(context, 0.6);
        canvas_line(context, x, bottom + 1, x, bottom + 5);
        canvas_ink(context, 0.85);
        canvas_text(context, x, bottom + 18, CANVAS_CENTRE, text);
    }
}

static void draw_marks(cairo_t *context, const CanvasArea *area, const PictureLabels *labels)
{
    static const double dashes[] = {5, 4};
    for (size_t i = 0; i < labels->mark_count; i++) {
        double share = (labels->marks[i] - labels->from) / labels->seconds;
        if (!(share >= 0 && share <= 1))
            continue;
        double x = canvas_centre(area->x + share * area->width);
        cairo_save(context);
        cairo_set_source_rgb(context, 0.45, 1, 0.85);
        cairo_move_to(context, x - 5, area->y - 6);
        cairo_line_to(context, x + 5, area->y - 6);
        cairo_line_to(context, x, area->y + 1);
        cairo_fill(context);
        cairo_set_dash(context, dashes, 2, 0);
        canvas_line(context, x, area->y, x, area->y + area->height);
        cairo_restore(context);
    }
}

/* The scale of colours at the right edge, with its ends told. */
static void draw_scale(cairo_t *context, const CanvasArea *area)
{
    double x = area->x + area->width + 14;
    for (double i = 0; i < area->height; i++) {
        uint32_t pixel = colour(1 - (i + 0.5) / area->height);
        cairo_set_source_rgb(context, (pixel >> 16 & 255) / 255.0, (pixel >> 8 & 255) / 255.0,
                             (pixel & 255) / 255.0);
        cairo_rectangle(context, x, area->y + i, 9, 1);
        cairo_fill(context);
    }
    canvas_ink(context, 0.85);
    size_t parts = area->height >= 100 ? 4 : 2;
    for (size_t i = 0; i <= parts; i++) {
        double share = (double)i / (double)parts, level = share * (double)SPECTROGRAM_RANGE_DB;
        char text[32];
        snprintf(text, sizeof text, i == 0 ? "%.0f dB" : "−%.0f", level);
        double y = area->y + 4 + share * (area->height - 1);
        canvas_text(context, x + 14, floor(y), CANVAS_LEFT, text);
    }
}

void picture_draw(Picture *picture, size_t index, const Spectrogram *spectrogram,
                  const PictureLabels *labels)
{
    cairo_t *context = canvas_context(picture->canvas);
    CanvasArea area = {.x = LEFT,
                       .y = (double)(picture->heading + index * picture->panel_height + ABOVE),
                       .width = (double)picture_columns(picture),
                       .height = (double)picture_rows(picture)};
    canvas_ground(context, &area);
    draw_levels(picture, &area, spectrogram);
    canvas_ink(context, 1);
    canvas_font(context, true, 13);
    canvas_text_fitting(context, area.x, area.y - 10, area.width, labels->title);
    canvas_font(context, false, 11);
    draw_frequencies(context, &area, spectrogram_lowest(spectrogram),
                     spectrogram_highest(spectrogram));
    draw_times(context, &area, labels->from, labels->seconds);
    draw_scale(context, &area);
    draw_marks(context, &area, labels);
}

int picture_write(const Picture *picture, Output *output, Error *err)
{
    return canvas_write(picture->canvas, output, err);
}
