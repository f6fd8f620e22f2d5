#include "dsp/rank.h"

#include <stdlib.h>

static int compare(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

void rank_sort(float *values, size_t n)
{
    qsort(values, n, sizeof *values, compare);
}

float rank_median(float *values, size_t n)
{
    rank_sort(values, n);
    return values[n / 2];
}
