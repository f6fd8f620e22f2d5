/* Measures the sample tier on recordings: see usage(). */
#include "tests/bench/predictor/bench.h"
#include "tests/bench/predictor/clips.h"

#include <sndfile.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void bench_need(int ok, const Error *err)
{
    if (ok)
        return;
    fprintf(stderr, "predictor: %s\n", err->message);
    exit(1);
}

const char *bench_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

float *bench_read(const char *path, size_t *n)
{
    Error err;
    SF_INFO info = {0};
    SNDFILE *file = sf_open(path, SFM_READ, &info);
    if (!file || info.channels != 1 || info.samplerate != 16000 || info.frames < 1) {
        error_set(&err, "%s: give a mono file of 16 kHz", path);
        bench_need(0, &err);
    }
    float *x = malloc((size_t)info.frames * sizeof *x);
    error_set(&err, "%s: cannot be read", path);
    bench_need(x && sf_readf_float(file, x, info.frames) == info.frames, &err);
    sf_close(file);
    *n = (size_t)info.frames;
    return x;
}

/* Makes recordings ready, in the order given, so that training need not wait. */
static int prepare(const char *folder, int files, char **paths)
{
    for (int i = 0; i < files; i++) {
        PredictorClip clip;
        clips_get(folder, paths[i], &clip);
        printf("%s: %zu samples, %s\n", bench_name(paths[i]), clip.samples,
               clip.planned ? "a melody" : "no sure melody");
        fflush(stdout);
        predictor_clip_clear(&clip);
    }
    return 0;
}

static int usage(void)
{
    fprintf(stderr, "predictor classical FILE...   bits a sample of the adaptive coders\n"
                    "predictor prepare CACHE FILE...   analyses recordings for training\n"
                    "predictor train recurrent|convolution MINUTES CACHE TRAIN_FOLDER "
                    "HELD_OUT_FOLDER CHECKPOINT [--resume]\n"
                    "predictor bits CHECKPOINT FILE...   bits a sample without a plan\n"
                    "predictor copy CHECKPOINT TEMPERATURE[:SEED] CACHE OUT_FOLDER FILE...\n"
                    "predictor soak CHECKPOINT TEMPERATURE[:SEED] CACHE FILE [SECONDS]\n"
                    "predictor inputs MODEL FILE FRAMES OUT   what the network is shown of it\n"
                    "predictor worker steps|graph|play MODEL FILE   see worker.c\n");
    return 2;
}

int main(int argc, char **argv)
{
    if (argc > 2 && !strcmp(argv[1], "classical"))
        return bench_classical(argc - 2, argv + 2);
    if (argc > 3 && !strcmp(argv[1], "prepare"))
        return prepare(argv[2], argc - 3, argv + 3);
    if (argc > 7 && !strcmp(argv[1], "train"))
        return bench_train(argc - 2, argv + 2);
    if (argc > 3 && !strcmp(argv[1], "bits"))
        return bench_bits(argc - 2, argv + 2);
    if (argc > 6 && !strcmp(argv[1], "copy"))
        return bench_copy(argc - 2, argv + 2);
    if (argc > 5 && !strcmp(argv[1], "soak"))
        return bench_soak(argc - 2, argv + 2);
    if (argc == 6 && !strcmp(argv[1], "inputs"))
        return bench_inputs(argc - 2, argv + 2);
    if (argc == 5 && !strcmp(argv[1], "worker"))
        return bench_worker(argc - 2, argv + 2);
    return usage();
}
