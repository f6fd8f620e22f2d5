#include "models/schedule.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int MAX_STEPS = 100000;
static const double MAX_BETA = 0.999;
static const double HALF_PI = 1.57079632679489661923;
static const char *const NAMES[] = {[SCHEDULE_LINEAR] = "linear", [SCHEDULE_COSINE] = "cosine"};
enum { KINDS = sizeof NAMES / sizeof NAMES[0] };

typedef struct Point {
    double beta, alpha, alpha_bar;
} Point;

struct Schedule {
    int steps;
    Point at[]; /* t = 0..steps */
};

static double linear_beta(int t, int steps)
{
    const double scale = 1000.0 / steps;
    const double first = 1e-4 * scale;
    const double last = 0.02 * scale;
    const double share = steps > 1 ? (double)(t - 1) / (steps - 1) : 1.0;
    return first + (last - first) * share;
}

static double cosine_signal(int t, int steps)
{
    const double offset = 0.008;
    const double root = cos(((double)t / steps + offset) / (1.0 + offset) * HALF_PI);
    return root * root;
}

static double cosine_beta(int t, int steps)
{
    return 1.0 - cosine_signal(t, steps) / cosine_signal(t - 1, steps);
}

Schedule *schedule_create(ScheduleKind kind, int steps, Error *err)
{
    if ((size_t)kind >= KINDS) {
        error_set(err, "schedule: there is no kind %d; take linear or cosine", (int)kind);
        return NULL;
    }
    if (steps < 1 || steps > MAX_STEPS) {
        error_set(err, "schedule: %d steps; give 1 to %d", steps, MAX_STEPS);
        return NULL;
    }
    Schedule *schedule = malloc(sizeof *schedule + ((size_t)steps + 1) * sizeof schedule->at[0]);
    if (!schedule) {
        error_set(err, "schedule: no memory for %d steps; free some, or take fewer", steps);
        return NULL;
    }
    schedule->steps = steps;
    schedule->at[0] = (Point){.beta = 0.0, .alpha = 1.0, .alpha_bar = 1.0};
    for (int t = 1; t <= steps; t++) {
        const double wanted =
            kind == SCHEDULE_LINEAR ? linear_beta(t, steps) : cosine_beta(t, steps);
        Point *point = &schedule->at[t];
        point->beta = fmin(wanted, MAX_BETA);
        point->alpha = 1.0 - point->beta;
        point->alpha_bar = schedule->at[t - 1].alpha_bar * point->alpha;
    }
    return schedule;
}

void schedule_destroy(Schedule *schedule)
{
    free(schedule);
}

int schedule_steps(const Schedule *schedule)
{
    return schedule->steps;
}

double schedule_beta(const Schedule *schedule, int t)
{
    return schedule->at[t].beta;
}

double schedule_alpha(const Schedule *schedule, int t)
{
    return schedule->at[t].alpha;
}

double schedule_alpha_bar(const Schedule *schedule, int t)
{
    return schedule->at[t].alpha_bar;
}

double schedule_half_log_snr(const Schedule *schedule, int t)
{
    const double signal = schedule->at[t].alpha_bar;
    return 0.5 * (log(signal) - log1p(-signal));
}

const char *schedule_kind_name(ScheduleKind kind)
{
    return NAMES[kind];
}

int schedule_kind_parse(const char *name, ScheduleKind *kind, Error *err)
{
    for (int i = 0; i < KINDS; i++) {
        if (strcmp(name, NAMES[i]) == 0) {
            *kind = (ScheduleKind)i;
            return 0;
        }
    }
    return error_set(err, "schedule: there is no '%s'; take linear or cosine", name);
}

void diffusion_scales(double half_log_snr, double *alpha, double *sigma)
{
    *alpha = sqrt(1.0 / (1.0 + exp(-2.0 * half_log_snr)));
    *sigma = sqrt(1.0 / (1.0 + exp(2.0 * half_log_snr)));
}
