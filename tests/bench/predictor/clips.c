#include "tests/bench/predictor/clips.h"

#include "tests/bench/predictor/bench.h"

#include "models/predictor.h"

#include <dirent.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The arrays of a clip, as they lie in a file after the struct. */
enum { ARRAYS = 7 };

typedef struct Array {
    void **values;
    size_t size;
} Array;

static int arrays_of(PredictorClip *clip, Array arrays[ARRAYS])
{
    const Array all[ARRAYS] = {
        {(void **)&clip->x, clip->samples * sizeof *clip->x},
        {(void **)&clip->base, clip->samples * sizeof *clip->base},
        {(void **)&clip->past, clip->samples * (2 + CASCADE_CANDIDATES) * sizeof *clip->past},
        {(void **)&clip->told, clip->frames * 3 * sizeof *clip->told},
        {(void **)&clip->anchor, clip->samples * sizeof *clip->anchor},
        {(void **)&clip->condition, clip->frames * MELODY_CONDITION * sizeof *clip->condition},
        {(void **)&clip->period, clip->frames * sizeof *clip->period}};
    memcpy(arrays, all, sizeof all);
    return clip->planned ? ARRAYS : 4;
}

static int read_clip(const char *path, PredictorClip *clip)
{
    Array arrays[ARRAYS];
    FILE *file = fopen(path, "rb");
    if (!file)
        return -1;
    int ok = fread(clip, sizeof *clip, 1, file) == 1;
    clip->x = NULL, clip->base = NULL, clip->past = NULL, clip->told = NULL;
    clip->anchor = NULL, clip->condition = NULL, clip->period = NULL;
    for (int i = 0, n = ok ? arrays_of(clip, arrays) : 0; ok && i < n; i++) {
        *arrays[i].values = malloc(arrays[i].size);
        ok = *arrays[i].values && fread(*arrays[i].values, arrays[i].size, 1, file) == 1;
    }
    fclose(file);
    return ok ? 0 : -1;
}

static void write_clip(const char *path, PredictorClip *clip)
{
    char beside[5120];
    Array arrays[ARRAYS];
    Error err;
    snprintf(beside, sizeof beside, "%s.part", path);
    FILE *file = fopen(beside, "wb");
    int ok = file && fwrite(clip, sizeof *clip, 1, file) == 1;
    for (int i = 0, n = arrays_of(clip, arrays); ok && i < n; i++)
        ok = fwrite(*arrays[i].values, arrays[i].size, 1, file) == 1;
    error_set(&err, "%s: cannot be written", path);
    bench_need(file && !fclose(file) && ok && !rename(beside, path), &err);
}

/* Folders to train on and held out may have recordings of one name. */
static int same(const PredictorClip *clip, const float *x, size_t n)
{
    int alike = clip->samples == n - n % PREDICTOR_FRAME;
    for (size_t t = 0; alike && t < clip->samples; t++)
        alike = fabsf((float)clip->x[t] - 32768.0f * x[t]) <= 1.0f;
    return alike;
}

void clips_get(const char *folder, const char *path, PredictorClip *clip)
{
    char kept[4096];
    Error err = {""};
    snprintf(kept, sizeof kept, "%s/%s.clip", folder, bench_name(path));
    size_t n;
    float *x = bench_read(path, &n);
    if (!read_clip(kept, clip)) {
        error_set(&err, "%s: another recording than %s; keep recordings of one name apart", kept,
                  path);
        bench_need(same(clip, x, n), &err);
        free(x);
        return;
    }
    bench_need(!predictor_clip_make(x, n, true, clip, &err), &err);
    free(x);
    write_clip(kept, clip);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

char **clips_list(const char *folder, size_t *count)
{
    Error err;
    char **paths = NULL;
    DIR *directory = opendir(folder);
    *count = 0;
    error_set(&err, "%s: cannot be read", folder);
    bench_need(directory != NULL, &err);
    for (struct dirent *entry; (entry = readdir(directory));) {
        const size_t length = strlen(entry->d_name);
        if (length < 4 || strcmp(entry->d_name + length - 4, ".wav"))
            continue;
        const size_t room = strlen(folder) + length + 2;
        paths = realloc(paths, (*count + 1) * sizeof *paths);
        bench_need(paths && (paths[*count] = malloc(room)), &err);
        snprintf(paths[(*count)++], room, "%s/%s", folder, entry->d_name);
    }
    closedir(directory);
    if (paths)
        qsort(paths, *count, sizeof *paths, by_name);
    return paths;
}
