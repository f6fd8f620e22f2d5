#include "cli/train_outlook.h"

#include "cli/interrupt.h"
#include "cli/train.h"

#include <math.h>
#include <sys/resource.h>

enum { LEAST_STEPS = 2, MOST_STEPS = 20 };
static const double MEASURE_SECONDS = 3.0;

/* What evaluations cost: forty of them, two steps each, or eight hundredths of all. */
static const double EVALUATING = 80.0, EVALUATING_SHARE = 0.08;

/* Windows for one class until a model is usable, and until little more is to be had: rough. From a
 * trained model (tests/bench/OWN.md): 400 steps of 8 windows came to a TOTAL of 1.16 for applause
 * and of 1.61 for bubbling, of which 1,120 learnt all that a minute of it gave (1.48). From
 * nothing: the first prototype was usable after 1,520 steps for 5 classes; the shipped model took
 * 14,200 for 15. More classes share what they learn: their number counts by its square root. */
static const double USABLE_FROM = 3200.0, GOOD_FROM = 9300.0;
static const double USABLE_NEW = 5400.0, GOOD_NEW = 30000.0;

/* Whether to rehearse once more after `taken` steps, of `most`, that took `took` seconds: 1, 0, or
 * -1 when somebody interrupts. */
static int decide(const Team *team, size_t taken, size_t most, double took, Error *err)
{
    int more = taken < LEAST_STEPS || (taken < most && took < MEASURE_SECONDS);
    const int stopped = interrupt_requested();
    if (stopped)
        error_set(err, "interrupted before the first step: nothing was written");
    if (team_agree(team, stopped, err) || team_share(team, 0, &more, sizeof more, err))
        return -1;
    return more;
}

int train_outlook_measure(const TrainRehearsal *rehearsal, TrainOutlook *outlook, Error *err)
{
    const size_t steps = rehearsal->steps;
    const size_t most = steps && steps / 4 < MOST_STEPS ? steps / 4 : MOST_STEPS;
    if (rehearsal->rehearse(rehearsal->trainer, err))
        return -1;
    const double start = train_now();
    size_t taken = 0;
    double took = 0.0;
    int more;
    while ((more = decide(rehearsal->team, taken, most, took, err)) > 0) {
        if (rehearsal->rehearse(rehearsal->trainer, err))
            return -1;
        taken++;
        took = train_now() - start;
    }
    if (more)
        return -1;
    struct rusage usage;
    outlook->seconds_per_step = took / (double)taken;
    outlook->bytes = getrusage(RUSAGE_SELF, &usage) ? 0.0 : 1024.0 * (double)usage.ru_maxrss;
    return team_share(rehearsal->team, 0, outlook, sizeof *outlook, err);
}

size_t train_outlook_steps(const TrainOutlook *outlook, double hours)
{
    const double all = hours * 3600.0 / outlook->seconds_per_step;
    const double steps = fmax(all / (1.0 + EVALUATING_SHARE), all - EVALUATING);
    return (size_t)fmax(1.0, fmin(steps, 1e8));
}

void train_outlook_print_speed(FILE *out, const TrainOutlook *outlook, size_t steps)
{
    char all[TRAIN_TIME_ROOM];
    train_print_time(all, outlook->seconds_per_step * (double)steps);
    fprintf(out, "this machine: %.2f steps/s, %.0f MB of memory; %zu steps take about %s\n",
            1.0 / outlook->seconds_per_step, outlook->bytes / 1e6, steps, all);
}

void train_outlook_print(FILE *out, const TrainOutlook *outlook, const TrainPlan *plan)
{
    const double share = sqrt((double)plan->classes) / (double)plan->batch;
    const double usable = ceil(share * (plan->from_model ? USABLE_FROM : USABLE_NEW));
    const double good = ceil(share * (plan->from_model ? GOOD_FROM : GOOD_NEW));
    char early[TRAIN_TIME_ROOM], late[TRAIN_TIME_ROOM];
    train_print_time(early, outlook->seconds_per_step * usable);
    train_print_time(late, outlook->seconds_per_step * good);
    train_outlook_print_speed(out, outlook, plan->steps);
    fprintf(out, "usable after about %s (%.0f steps), good after about %s (%.0f steps)\n", early,
            usable, late, good);
}
