#include "cli/progress.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cli/report.h"

static double seconds_since(const struct timespec *start)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)(now.tv_sec - start->tv_sec) + 1e-9 * (double)(now.tv_nsec - start->tv_nsec);
}

/* A line that wraps could not be cleared by a carriage return. */
static int terminal_columns(void)
{
    struct winsize size;
    if (ioctl(STDERR_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 2)
        return 80;
    return size.ws_col;
}

void progress_begin(Progress *progress, bool quiet)
{
    const char *terminal = getenv("TERM");
    bool can_clear = terminal != NULL && strcmp(terminal, "dumb") != 0;
    *progress = (Progress){.shown = !quiet && can_clear && isatty(STDERR_FILENO)};
    clock_gettime(CLOCK_MONOTONIC, &progress->started);
}

static void format_left(char *text, size_t size, double left)
{
    unsigned long total = left < 3.6e6 ? (unsigned long)(left + 0.5) : 3600000ul;
    unsigned long hours = total / 3600, minutes = total / 60 % 60, seconds = total % 60;
    if (hours > 0)
        snprintf(text, size, "  %lu:%02lu:%02lu left", hours, minutes, seconds);
    else
        snprintf(text, size, "  %lu:%02lu left", minutes, seconds);
}

void progress_update(Progress *progress, double share, const char *format, ...)
{
    if (!progress->shown || (progress->drawn && seconds_since(&progress->updated) < 0.1))
        return;
    clock_gettime(CLOCK_MONOTONIC, &progress->updated);
    progress->drawn = true;

    char text[256], left[64] = "", line[384];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    share = share > 0 ? share < 1 ? share : 1 : 0;
    double elapsed = seconds_since(&progress->started);
    const double done = share - progress->first;
    if (done > 0.001 && elapsed > 1)
        format_left(left, sizeof left, elapsed / done * (1 - share));
    snprintf(line, sizeof line, "%3.0f %%  %s%s", 100 * share, text, left);
    report_clean(line);
    fprintf(stderr, "\r%.*s\033[K", terminal_columns() - 1, line);
    fflush(stderr);
}

void progress_end(Progress *progress)
{
    if (!progress->drawn)
        return;
    fputs("\r\033[K", stderr);
    fflush(stderr);
    progress->drawn = false;
}
