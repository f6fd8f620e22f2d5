#include "dsp/products.h"

#include "dsp/kernel.h"

enum { LANES = 16, WIDE_LANES = 8 };

KERNEL static float dot(size_t n, const float *a, const float *b)
{
    float lanes[LANES] = {0.0f}, rest = 0.0f;
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        for (size_t l = 0; l < LANES; l++)
            lanes[l] += a[i + l] * b[i + l];
    for (; i < n; i++)
        rest += a[i] * b[i];
    for (size_t l = 0; l < LANES; l++)
        rest += lanes[l];
    return rest;
}

KERNEL static double dot_double(size_t n, const float *a, const float *b)
{
    double lanes[WIDE_LANES] = {0.0}, rest = 0.0;
    size_t i = 0;
    for (; i + WIDE_LANES <= n; i += WIDE_LANES)
        for (size_t l = 0; l < WIDE_LANES; l++)
            lanes[l] += (double)a[i + l] * (double)b[i + l];
    for (; i < n; i++)
        rest += (double)a[i] * (double)b[i];
    for (size_t l = 0; l < WIDE_LANES; l++)
        rest += lanes[l];
    return rest;
}

KERNEL static void add(size_t n, float factor, const float *x, float *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] += factor * x[i];
}

KERNEL static void add_double(size_t n, double factor, const double *x, double *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] += factor * x[i];
}

KERNEL static void forget(size_t n, double keep, double factor, const double *x, double *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] = keep * y[i] + factor * x[i];
}

float products_dot(size_t n, const float *a, const float *b)
{
    return dot(n, a, b);
}

double products_dot_double(size_t n, const float *a, const float *b)
{
    return dot_double(n, a, b);
}

void products_add(size_t n, float factor, const float *x, float *y)
{
    add(n, factor, x, y);
}

void products_add_double(size_t n, double factor, const double *x, double *y)
{
    add_double(n, factor, x, y);
}

void products_forget(size_t n, double keep, double factor, const double *x, double *y)
{
    forget(n, keep, factor, x, y);
}
