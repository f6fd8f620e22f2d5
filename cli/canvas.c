#include "cli/canvas.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* cairo's own limit for an image. */
enum { SIDE_MOST = 32767 };

struct Canvas {
    cairo_surface_t *surface;
    cairo_t *context;
    size_t width, height;
};

static void prepare(cairo_t *context)
{
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    cairo_set_font_options(context, options);
    cairo_font_options_destroy(options);
    cairo_set_source_rgb(context, 0.075, 0.065, 0.095);
    cairo_paint(context);
    cairo_set_line_width(context, 1);
}

Canvas *canvas_create(size_t width, size_t height, Error *err)
{
    if (width > SIDE_MOST || height > SIDE_MOST) {
        error_set(err,
                  "the picture is %zu by %zu pixels: give a --width and --height for %d at most",
                  width, height, SIDE_MOST);
        return NULL;
    }
    Canvas *canvas = calloc(1, sizeof *canvas);
    if (canvas == NULL) {
        error_set(err, "out of memory");
        return NULL;
    }
    canvas->surface = cairo_image_surface_create(CAIRO_FORMAT_RGB24, (int)width, (int)height);
    canvas->context = cairo_create(canvas->surface);
    canvas->width = width;
    canvas->height = height;
    cairo_status_t status = cairo_status(canvas->context);
    if (status != CAIRO_STATUS_SUCCESS) {
        error_set(err, "the picture cannot be drawn (%s): give a smaller --width or --height",
                  cairo_status_to_string(status));
        canvas_destroy(canvas);
        return NULL;
    }
    prepare(canvas->context);
    return canvas;
}

void canvas_destroy(Canvas *canvas)
{
    if (canvas == NULL)
        return;
    cairo_destroy(canvas->context);
    cairo_surface_destroy(canvas->surface);
    free(canvas);
}

cairo_t *canvas_context(const Canvas *canvas)
{
    return canvas->context;
}

cairo_surface_t *canvas_surface(const Canvas *canvas)
{
    return canvas->surface;
}

size_t canvas_width(const Canvas *canvas)
{
    return canvas->width;
}

size_t canvas_height(const Canvas *canvas)
{
    return canvas->height;
}

void canvas_ink(cairo_t *context, double strength)
{
    cairo_set_source_rgba(context, 0.93, 0.91, 0.96, strength);
}

void canvas_font(cairo_t *context, bool bold, double size)
{
    cairo_select_font_face(context, "sans-serif", CAIRO_FONT_SLANT_NORMAL,
                           bold ? CAIRO_FONT_WEIGHT_BOLD : CAIRO_FONT_WEIGHT_NORMAL);
    cairo_set_font_size(context, size);
}

void canvas_text(cairo_t *context, double x, double y, CanvasAlign align, const char *text)
{
    cairo_text_extents_t extents;
    cairo_text_extents(context, text, &extents);
    double share = align == CANVAS_LEFT ? 0 : align == CANVAS_CENTRE ? 0.5 : 1;
    cairo_move_to(context, floor(x - share * extents.x_advance + 0.5), y);
    cairo_show_text(context, text);
}

void canvas_text_fitting(cairo_t *context, double x, double y, double room, const char *text)
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
    canvas_text(context, x, y, CANVAS_LEFT, cut);
    free(cut);
}

void canvas_ground(cairo_t *context, const CanvasArea *area)
{
    cairo_set_source_rgb(context, 0.11, 0.1, 0.135);
    cairo_rectangle(context, area->x, area->y, area->width, area->height);
    cairo_fill(context);
}

void canvas_line(cairo_t *context, double x0, double y0, double x1, double y1)
{
    cairo_move_to(context, x0, y0);
    cairo_line_to(context, x1, y1);
    cairo_stroke(context);
}

double canvas_centre(double position)
{
    return floor(position) + 0.5;
}

double canvas_step(double least)
{
    double power = pow(10, floor(log10(least)));
    double share = least / power;
    return power * (share <= 1 ? 1 : share <= 2 ? 2 : share <= 5 ? 5 : 10);
}

int canvas_digits(double step)
{
    return step < 1 ? (int)ceil(-log10(step) - 1e-9) : 0;
}

static cairo_status_t write_bytes(void *closure, const unsigned char *data, unsigned length)
{
    return output_write(closure, data, length) == length ? CAIRO_STATUS_SUCCESS
                                                         : CAIRO_STATUS_WRITE_ERROR;
}

int canvas_write(const Canvas *canvas, Output *output, Error *err)
{
    cairo_status_t status = cairo_status(canvas->context);
    if (status == CAIRO_STATUS_SUCCESS)
        status = cairo_surface_write_to_png_stream(canvas->surface, write_bytes, output);
    /* A write that failed is told, with its cause, by output_commit. */
    if (status == CAIRO_STATUS_SUCCESS || status == CAIRO_STATUS_WRITE_ERROR)
        return 0;
    return error_set(err, "the picture cannot be made (%s): give a smaller --width or --height",
                     cairo_status_to_string(status));
}
