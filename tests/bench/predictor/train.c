/* Trains the sample tier for a given time, on one core. */
#include "tests/bench/predictor/bench.h"
#include "tests/bench/predictor/clips.h"

#include "models/predictor_trainer.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { EVALUATE_EVERY = 120 }; /* seconds */

/* Time that this process has computed: others on the machine don't count. */
static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

static PredictorClip *load(const char *cache, const char *folder, size_t most, size_t *count)
{
    char **paths = clips_list(folder, count);
    PredictorClip *clips = calloc(*count + 1, sizeof *clips);
    size_t kept = 0;
    for (size_t i = 0; i < *count; i++) {
        char ready[4096];
        snprintf(ready, sizeof ready, "%s/%s.clip", cache, bench_name(paths[i]));
        if (kept < most && !access(ready, R_OK))
            clips_get(cache, paths[i], &clips[kept++]);
        free(paths[i]);
    }
    free(paths);
    *count = kept;
    return clips;
}

static void report(const PredictorTrainer *trainer, double start)
{
    const PredictorProgress p = predictor_trainer_progress(trainer);
    printf("%7.0f s  step %6zu  train %.3f %.3f  held out %.3f %.3f  (%.0f samples/s)\n", p.seconds,
           p.step, p.bits[0], p.bits[1], p.held_out[0], p.held_out[1],
           (double)p.step * 32768.0 / fmax(1.0, p.seconds - start));
    fflush(stdout);
}

int bench_train(int argc, char **argv)
{
    Error err = {""};
    const int recurrent = !strcmp(argv[0], "recurrent");
    const double minutes = atof(argv[1]);
    const char *checkpoint = argv[5];
    PredictorTrainerSettings settings = predictor_trainer_defaults();
    size_t count, held_out_count;
    PredictorClip *clips = load(argv[2], argv[3], 4000, &count);
    PredictorClip *held_out = load(argv[2], argv[4], 4000, &held_out_count);
    PredictorConfig config =
        predictor_config_default(recurrent ? PREDICTOR_RECURRENT : PREDICTOR_CONVOLUTION);
    PredictorNet *net = predictor_net_create(&config, &err);
    bench_need(net != NULL, &err);
    PredictorTrainer *trainer =
        predictor_trainer_create(net, clips, count, held_out, held_out_count, &settings, &err);
    bench_need(trainer != NULL, &err);
    if (argc > 6)
        bench_need(!predictor_trainer_resume(trainer, checkpoint, &err), &err);
    printf("%zu clips, %zu held out; %zu parameters, %.0f multiply-adds a sample\n", count,
           held_out_count, parameters_size(predictor_net_parameters(net)), predictor_net_cost(net));
    const double from = predictor_trainer_progress(trainer).seconds, began = seconds();
    double evaluated = began;
    for (double now = began; now - began < 60.0 * minutes;) {
        /* The rate falls over the time that is given. */
        const double each =
            (now - began) / fmax(1.0, (double)predictor_trainer_progress(trainer).step);
        if (argc <= 6 && each > 0.0)
            predictor_trainer_set_steps(trainer, (size_t)(60.0 * minutes / each) + 1);
        if (argc > 6)
            predictor_trainer_set_steps(
                trainer, (size_t)((double)predictor_trainer_progress(trainer).step *
                                  (from + 60.0 * minutes) / fmax(1.0, from + now - began)));
        bench_need(!predictor_trainer_step(trainer, &err), &err);
        const double after = seconds();
        predictor_trainer_add_seconds(trainer, after - now);
        now = after;
        if (now - evaluated > EVALUATE_EVERY || now - began >= 60.0 * minutes) {
            bench_need(!predictor_trainer_evaluate(trainer, &err), &err);
            bench_need(!predictor_trainer_save(trainer, checkpoint, &err), &err);
            report(trainer, 0.0);
            evaluated = now = seconds();
        }
    }
    predictor_trainer_destroy(trainer);
    predictor_net_destroy(net);
    for (size_t i = 0; i < count; i++)
        predictor_clip_clear(&clips[i]);
    for (size_t i = 0; i < held_out_count; i++)
        predictor_clip_clear(&held_out[i]);
    free(clips);
    free(held_out);
    return 0;
}
