/* Sums of products for filters that adapt: fixed order of addition on every processor. Any thread;
 * no allocation. */
#ifndef BRUME_DSP_PRODUCTS_H
#define BRUME_DSP_PRODUCTS_H

#include <stddef.h>

/* sum of a[i] b[i], n values, in 16 partial sums. */
float products_dot(size_t n, const float *a, const float *b);

/* The same with every product and sum in double, 8 partial sums. */
double products_dot_double(size_t n, const float *a, const float *b);

/* y += factor x, n values. */
void products_add(size_t n, float factor, const float *x, float *y);
void products_add_double(size_t n, double factor, const double *x, double *y);

/* y = keep y + factor x, n values. */
void products_forget(size_t n, double keep, double factor, const double *x, double *y);

#endif
