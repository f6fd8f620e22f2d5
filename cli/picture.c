#include "cli/picture.h"

#include <cairo.h>
#include <math.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Pixels around the spectrogram of a panel, and above all panels when there is a title. */
enum { LEFT = 66, RIGHT = 78, ABOVE = 28, BELOW = 30, HEADING = 40 };

/* cairo's own limit for an image. */
enum { SIDE_MOST = 32767 };

struct Picture {
    cairo_surface_t *surface;
    cairo_t *context;
    size_t width, height, panel_height, heading;
};

/* Where a panel's spectrogram lies. */
typedef struct Area {
    double x, y, width, height;
} Area;

typedef enum Align { ALIGN_LEFT, ALIGN_CENTRE, ALIGN_RIGHT } Align;

static void set_ink(cairo_t *context, double strength)
{
    cairo_set_source_rgba(context, 0.93, 0.91, 0.96, strength);
}

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

static void set_font(cairo_t *context, bool bold, double size)
{
    cairo_select_font_face(context, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                           bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(context, size);
}

/* `y` is the base line. */
static void draw_text(cairo_t *context, double x, double y, Align align, const char *text)
{
    cairo_text_extents_t extents;
    cairo_text_extents(context, text, &extents);
    double share = align == ALIGN_LEFT ? 0 : align == ALIGN_CENTRE ? 0.5 : 1;
    cairo_move_to(context, floor(x - share * extents.x_advance + 0.5), y);
    cairo_show_text(context, text);
}

/* Draws `text` from x on, its middle cut out until it is at most `room` pixels wide. */
static void draw_fitting(cairo_t *context, double x, double y, double room, const char *text)
{
    size_t length = strlen(text);
    char *cut = malloc(length + sizeof "…");
    if (cut == NULL)
        return;
    strcpy(cut, text);
    size_t head = length / 2, tail = head;
    cairo_text_extents_t extents;
    cairo_text_extents(context, cut, &extents);
    while (extents.x_advance > room && head > 0 && tail < length) {
        do
            head--;
        while (head > 0 && ((unsigned char)text[head] & 0xc0) == 0x80);
        do
            tail++;
        while (((unsigned char)text[tail] & 0xc0) == 0x80);
        sprintf(cut, "%.*s…%s", (int)head, text, text + tail);
        cairo_text_extents(context, cut, &extents);
    }
    draw_text(context, x, y, ALIGN_LEFT, cut);
    free(cut);
}

static void draw_line(cairo_t *context, double x0, double y0, double x1, double y1)
{
    cairo_move_to(context, x0, y0);
    cairo_line_to(context, x1, y1);
    cairo_stroke(context);
}

/* Middle of the pixel, so that a line one pixel wide stays sharp. */
static double centre(double position)
{
    return floor(position) + 0.5;
}

Picture *picture_create(size_t width, size_t panel_height, size_t panels, const char *title,
                        Error *err)
{
    size_t heading = title != NULL ? HEADING : 0, height = heading + panels * panel_height;
    if (width > SIDE_MOST || height > SIDE_MOST) {
        error_set(err,
                  "the picture is %zu by %zu pixels: give a --width and --height for %d at most",
                  width, height, SIDE_MOST);
        return NULL;
    }
    Picture *picture = calloc(1, sizeof *picture);
    if (picture == NULL) {
        error_set(err, "out of memory");
        return NULL;
    }
    picture->surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)width, (int)height);
    picture->context = cairo_create(picture->surface);
    picture->width = width;
    picture->height = height;
    picture->panel_height = panel_height;
    picture->heading = heading;
    cairo_status_t status = cairo_status(picture->context);
    if (status != CAIRO_STATUS_SUCCESS) {
        error_set(err, "the picture cannot be drawn (%s): give a smaller --width or --height",
                  cairo_status_to_string(status));
        picture_destroy(picture);
        return NULL;
    }
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    cairo_set_font_options(picture->context, options);
    cairo_font_options_destroy(options);
    cairo_set_source_rgb(picture->context, 0.075, 0.065, 0.095);
    cairo_paint(picture->context);
    cairo_set_line_width(picture->context, 1);
    if (title != NULL) {
        set_ink(picture->context, 1);
        set_font(picture->context, true, 17);
        draw_fitting(picture->context, LEFT, 28, (double)width - LEFT - 12, title);
    }
    return picture;
}

void picture_destroy(Picture *picture)
{
    if (picture == NULL)
        return;
    cairo_destroy(picture->context);
    cairo_surface_destroy(picture->surface);
    free(picture);
}

size_t picture_columns(const Picture *picture)
{
    return picture->width - LEFT - RIGHT;
}

size_t picture_rows(const Picture *picture)
{
    return picture->panel_height - ABOVE - BELOW;
}

size_t picture_width(const Picture *picture)
{
    return picture->width;
}

size_t picture_height(const Picture *picture)
{
    return picture->height;
}

static void draw_levels(Picture *picture, const Area *area, const Spectrogram *spectrogram)
{
    cairo_surface_flush(picture->surface);
    unsigned char *pixels = cairo_image_surface_get_data(picture->surface);
    size_t stride = (size_t)cairo_image_surface_get_stride(picture->surface);
    size_t rows = spectrogram_rows(spectrogram), columns = spectrogram_columns(spectrogram);
    for (size_t row = 0; row < rows; row++) {
        unsigned char *line = pixels + ((size_t)area->y + rows - 1 - row) * stride;
        for (size_t column = 0; column < columns; column++) {
            float level = spectrogram_level(spectrogram, column, row);
            uint32_t pixel = colour(1.0 + (double)(level / SPECTROGRAM_RANGE_DB));
            memcpy(line + 4 * ((size_t)area->x + column), &pixel, 4);
        }
    }
    cairo_surface_mark_dirty(picture->surface);
}

static void draw_frequencies(cairo_t *context, const Area *area, double lowest, double highest)
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
        y = centre(fmax(area->y, fmin(y, area->y + area->height - 1)));
        set_ink(context, 0.13);
        draw_line(context, area->x, y, area->x + area->width, y);
        set_ink(context, 0.6);
        draw_line(context, area->x - 5, y, area->x - 1, y);
        if (before - y < 13)
            continue;
        set_ink(context, 0.85);
        draw_text(context, area->x - 9, y + 4, ALIGN_RIGHT, ticks[i].text);
        before = y;
    }
}

/* 1, 2 or 5 times a power of ten, at least `least`. */
static double round_step(double least)
{
    double power = pow(10, floor(log10(least)));
    double share = least / power;
    return power * (share <= 1 ? 1 : share <= 2 ? 2 : share <= 5 ? 5 : 10);
}

static void draw_times(cairo_t *context, const Area *area, double from, double seconds)
{
    double step = round_step(80 * seconds / area->width);
    int digits = step < 1 ? (int)ceil(-log10(step) - 1e-9) : 0;
    double bottom = area->y + area->height;
    double first = ceil(from / step - 1e-9);
    for (double i = 0; (first + i) * step <= from + seconds * (1 + 1e-9); i++) {
        double time = (first + i) * step;
        double x = centre(area->x + (time - from) / seconds * area->width);
        char text[64];
        snprintf(text, sizeof text, "%.*f s", digits, time);
        set_ink(context, 0.6);
        draw_line(context, x, bottom + 1, x, bottom + 5);
        set_ink(context, 0.85);
        draw_text(context, x, bottom + 18, ALIGN_CENTRE, text);
    }
}

static void draw_marks(cairo_t *context, const Area *area, const PictureLabels *labels)
{
    static const double dashes[] = {5, 4};
    for (size_t i = 0; i < labels->mark_count; i++) {
        double share = (labels->marks[i] - labels->from) / labels->seconds;
        if (!(share >= 0 && share <= 1))
            continue;
        double x = centre(area->x + share * area->width);
        cairo_save(context);
        cairo_set_source_rgb(context, 0.45, 1, 0.85);
        cairo_move_to(context, x - 5, area->y - 6);
        cairo_line_to(context, x + 5, area->y - 6);
        cairo_line_to(context, x, area->y + 1);
        cairo_fill(context);
        cairo_set_dash(context, dashes, 2, 0);
        draw_line(context, x, area->y, x, area->y + area->height);
        cairo_restore(context);
    }
}

/* The scale of colours at the right edge, with its ends told. */
static void draw_scale(cairo_t *context, const Area *area)
{
    double x = area->x + area->width + 14;
    for (double i = 0; i < area->height; i++) {
        uint32_t pixel = colour(1 - (i + 0.5) / area->height);
        cairo_set_source_rgb(context, (pixel >> 16 & 255) / 255.0, (pixel >> 8 & 255) / 255.0,
                             (pixel & 255) / 255.0);
        cairo_rectangle(context, x, area->y + i, 9, 1);
        cairo_fill(context);
    }
    set_ink(context, 0.85);
    size_t parts = area->height >= 100 ? 4 : 2;
    for (size_t i = 0; i <= parts; i++) {
        double share = (double)i / (double)parts, level = share * (double)SPECTROGRAM_RANGE_DB;
        char text[32];
        snprintf(text, sizeof text, i == 0 ? "%.0f dB" : "−%.0f", level);
        double y = area->y + 4 + share * (area->height - 1);
        draw_text(context, x + 14, floor(y), ALIGN_LEFT, text);
    }
}

void picture_draw(Picture *picture, size_t index, const Spectrogram *spectrogram,
                  const PictureLabels *labels)
{
    cairo_t *context = picture->context;
    Area area = {.x = LEFT,
                 .y = (double)(picture->heading + index * picture->panel_height + ABOVE),
                 .width = (double)picture_columns(picture),
                 .height = (double)picture_rows(picture)};
    cairo_set_source_rgb(context, 0.11, 0.1, 0.135);
    cairo_rectangle(context, area.x, area.y, area.width, area.height);
    cairo_fill(context);
    draw_levels(picture, &area, spectrogram);
    set_ink(context, 1);
    set_font(context, true, 13);
    draw_fitting(context, area.x, area.y - 10, area.width, labels->title);
    set_font(context, false, 11);
    draw_frequencies(context, &area, spectrogram_lowest(spectrogram),
                     spectrogram_highest(spectrogram));
    draw_times(context, &area, labels->from, labels->seconds);
    draw_scale(context, &area);
    draw_marks(context, &area, labels);
}

static cairo_status_t write_bytes(void *closure, const unsigned char *data, unsigned length)
{
    return output_write(closure, data, length) == length ? CAIRO_STATUS_SUCCESS
                                                         : CAIRO_STATUS_WRITE_ERROR;
}

int picture_write(Picture *picture, Output *output, Error *err)
{
    cairo_status_t status = cairo_status(picture->context);
    if (status == CAIRO_STATUS_SUCCESS)
        status = cairo_surface_write_to_png_stream(picture->surface, write_bytes, output);
    /* A write that failed is told, with its cause, by output_commit. */
    if (status == CAIRO_STATUS_SUCCESS || status == CAIRO_STATUS_WRITE_ERROR)
        return 0;
    return error_set(err, "the picture cannot be made (%s): give a smaller --width or --height",
                     cairo_status_to_string(status));
}
