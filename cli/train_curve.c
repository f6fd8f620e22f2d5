#include "cli/train_curve.h"

#include "cli/output.h"
#include "cli/train_folder.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { LINE_ROOM = 256, LARGEST = 1 << 24 /* bytes: 400,000 evaluations */ };
static const char heading[] = "step,loss,held_out,seconds\n";

void train_curve_free(TrainCurve *curve)
{
    free(curve->points);
    *curve = (TrainCurve){NULL, 0};
}

int train_curve_add(TrainCurve *curve, CurvePoint point, Error *err)
{
    while (curve->count && curve->points[curve->count - 1].step >= point.step)
        curve->count--;
    CurvePoint *points = realloc(curve->points, (curve->count + 1) * sizeof *points);
    if (!points)
        return error_set(err, "out of memory for the loss curve");
    curve->points = points;
    curve->points[curve->count++] = point;
    return 0;
}

/* A number of 0 or more at *text, which then stands after it and `end`. False if there is none. */
static bool take_number(char **text, char end, double *value)
{
    char *after;
    if (**text < '0' || **text > '9')
        return false;
    *value = strtod(*text, &after);
    if (*after != end || !isfinite(*value))
        return false;
    *text = after + 1;
    return true;
}

static bool parse_line(char *line, CurvePoint *point)
{
    double step;
    point->held_out = NAN;
    if (!take_number(&line, ',', &step) || step != floor(step) || step > 1e15 ||
        !take_number(&line, ',', &point->loss))
        return false;
    point->step = (size_t)step;
    if (*line == ',')
        line++;
    else if (!take_number(&line, ',', &point->held_out))
        return false;
    return take_number(&line, '\n', &point->seconds) && !*line;
}

static int read_lines(TrainCurve *curve, FILE *file, const char *path, Error *err)
{
    char line[LINE_ROOM];
    if (!fgets(line, sizeof line, file) || strcmp(line, heading))
        return error_set(err, "%s: is not the loss curve of a training", path);
    for (size_t number = 2; fgets(line, sizeof line, file); number++) {
        CurvePoint point;
        if (!parse_line(line, &point) ||
            (curve->count && curve->points[curve->count - 1].step >= point.step))
            return error_set(err, "%s: line %zu: is not of the loss curve of a training", path,
                             number);
        if (train_curve_add(curve, point, err))
            return -1;
    }
    return ferror(file) ? error_set(err, "%s: cannot be read: %s", path, strerror(errno)) : 0;
}

/* Opens an ordinary file of a sensible size. NULL without a message where there is none. */
static FILE *open_curve(const char *path, Error *err)
{
    struct stat status;
    /* A pipe must not be waited for. */
    const int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        if (errno != ENOENT)
            error_set(err, "%s: cannot be read: %s", path, strerror(errno));
        return NULL;
    }
    const bool fits = !fstat(fd, &status) && S_ISREG(status.st_mode) && status.st_size <= LARGEST;
    FILE *file = fits ? fdopen(fd, "r") : NULL;
    if (file)
        return file;
    close(fd);
    error_set(err, "%s: is not the loss curve of a training", path);
    return NULL;
}

/* Reads a file that train_curve_write wrote; *curve is empty before. Trusts nothing of it: *err
 * tells of what is no ordinary file, not of this form, or absurdly large, and then *curve is empty.
 * A file that is not there is an empty curve. */
static void read_curve(TrainCurve *curve, const char *path, Error *err)
{
    FILE *file = open_curve(path, err);
    if (!file)
        return;
    if (read_lines(curve, file, path, err))
        train_curve_free(curve);
    fclose(file);
}

int train_curve_take_up(TrainCurve *curve, const char *folder, const char *name, size_t step,
                        Error *err)
{
    char path[TRAIN_PATH_ROOM];
    Error fault = {""};
    if (train_folder_file(folder, name, path, err))
        return -1;
    read_curve(curve, path, &fault);
    if (fault.message[0])
        train_warn("%s: a new curve begins", fault.message);
    while (curve->count && curve->points[curve->count - 1].step > step)
        curve->count--;
    return 0;
}

int train_curve_write(const TrainCurve *curve, const char *path, Error *err)
{
    Output *output = output_create(path, err);
    if (!output)
        return -1;
    output_write(output, heading, sizeof heading - 1);
    for (size_t i = 0; i < curve->count; i++) {
        const CurvePoint *point = &curve->points[i];
        char line[LINE_ROOM], held_out[32] = "";
        if (!isnan(point->held_out))
            snprintf(held_out, sizeof held_out, "%.9g", point->held_out);
        const int length = snprintf(line, sizeof line, "%zu,%.9g,%s,%.3f\n", point->step,
                                    point->loss, held_out, point->seconds);
        output_write(output, line, (size_t)length);
    }
    return output_commit(output, err);
}
