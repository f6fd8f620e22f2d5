/* The denoiser's step when it plays, beside the matrix products that it has by definition. */
#include "tests/bench/bench.h"

#include "dsp/random.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 15, SHAPES = 4, MOST = 256 };

static const size_t shapes[SHAPES] = {16, 32, 64, MOST};

/* What is measured at each shape: the window's condition at DENOISER_LEVELS noise levels, a step,
 * and the products over OpenBLAS. */
enum { TELL, STEP, PRODUCTS, KINDS };

/* A network on one path, and a window of noise for it. */
typedef struct Player {
    DenoiserSteps *steps;
    DenoiserTold *told;
    DenoiserSpace *space;
    float *x, *known, *out;
} Player;

static Player player_create(const TextureModel *model, PanelsPath path)
{
    Error err = {""};
    const Denoiser *denoiser = texture_model_denoiser(model);
    const DenoiserConfig *config = denoiser_config(denoiser);
    Player p = {.steps = denoiser_steps_create(denoiser, texture_model_values(model), path, &err)};
    bench_need(p.steps != NULL, &err);
    p.told = denoiser_told_create(p.steps, &err);
    p.space = denoiser_space_create(p.steps, MOST, &err);
    bench_need(p.told && p.space, &err);
    p.x = bench_values(MOST * config->bands);
    p.out = bench_values(MOST * config->bands);
    p.known = bench_values(MOST);
    random_gaussian(5, 0, 0, p.x, MOST * config->bands);
    float *mix = bench_values(config->classes), *past = bench_values(config->past);
    mix[0] = 1.0f;
    denoiser_tell(p.told, &(DenoiserWindow){mix, p.x, past});
    free(mix);
    free(past);
    return p;
}

static void player_destroy(Player *p)
{
    denoiser_space_destroy(p->space);
    denoiser_told_destroy(p->told);
    denoiser_steps_destroy(p->steps);
    free(p->x);
    free(p->known);
    free(p->out);
}

static double time_tell(const Player *p)
{
    double levels[DENOISER_LEVELS];
    for (size_t l = 0; l < DENOISER_LEVELS; l++)
        levels[l] = -5.5 + (double)l;
    const double start = bench_seconds();
    denoiser_tell_levels(p->told, levels, DENOISER_LEVELS);
    return bench_seconds() - start;
}

static double time_step(const Player *p, size_t frames)
{
    const DenoiserStep step = {.frames = frames, .x = p->x, .known = p->known};
    const double start = bench_seconds();
    denoiser_step(p->space, p->told, &step, p->out);
    return bench_seconds() - start;
}

static void print(const BenchTimes *times, const Denoiser *denoiser, PanelsPath path)
{
    printf("%s:\n\n"
           "| frames | ms a step | of it the condition | GFLOP/s by definition "
           "| its products over OpenBLAS, ms | products / step |\n"
           "|---|---|---|---|---|---|\n",
           panels_name(path));
    for (size_t s = 0; s < SHAPES; s++) {
        const double tell = bench_median(times, KINDS * s + TELL) / DENOISER_LEVELS;
        const double step = bench_median(times, KINDS * s + STEP) + tell;
        const double products = bench_median(times, KINDS * s + PRODUCTS);
        printf("| %zu | %.2f | %.2f | %.0f | %.2f | **%.2f** |\n", shapes[s], 1e3 * step,
               1e3 * tell, 2e-9 * denoiser_cost(denoiser) * (double)shapes[s] / step,
               1e3 * products, products / step);
    }
    printf("\n");
}

void bench_forward(void)
{
    TextureModel *model = bench_model();
    const Denoiser *denoiser = texture_model_denoiser(model);
    BenchWalk *walk = bench_walk_create(denoiser_config(denoiser), MOST);
    for (int path = panels_best(); path >= PANELS_BASELINE; path--) {
        Player player = player_create(model, (PanelsPath)path);
        BenchTimes times = {{0}, {{0.0}}};
        for (size_t round = 0; round < ROUNDS; round++)
            for (size_t s = 0; s < SHAPES; s++) {
                bench_add(&times, KINDS * s + TELL, time_tell(&player));
                bench_add(&times, KINDS * s + STEP, time_step(&player, shapes[s]));
                bench_add(&times, KINDS * s + PRODUCTS, bench_walk(walk, shapes[s]));
            }
        print(&times, denoiser, (PanelsPath)path);
        player_destroy(&player);
    }
    bench_walk_destroy(walk);
    texture_model_destroy(model);
}
