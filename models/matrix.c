#include "models/matrix.h"

#include <cblas.h>
#include <pthread.h>

/* The serial OpenBLAS of Debian 12 hands the same buffer to two threads that call it at once: results
 * then differ from run to run. One product at a time is right; it costs parallel training its gain. */
static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;

static void gemm(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, size_t m, size_t n, size_t k,
                 const real *a, size_t lda, const real *b, size_t ldb, real beta, real *c)
{
    pthread_mutex_lock(&one_at_a_time);
#ifdef BRUME_DOUBLE
    cblas_dgemm
#else
    cblas_sgemm
#endif
        (CblasRowMajor, ta, tb, (blasint)m, (blasint)n, (blasint)k, 1, a, (blasint)lda, b,
         (blasint)ldb, beta, c, (blasint)n);
    pthread_mutex_unlock(&one_at_a_time);
}

void matrix_times_transposed(size_t m, size_t n, size_t k, const real *a, const real *b, real beta,
                             real *c)
{
    gemm(CblasNoTrans, CblasTrans, m, n, k, a, k, b, k, beta, c);
}

void matrix_times(size_t m, size_t n, size_t k, const real *a, const real *b, real beta, real *c)
{
    gemm(CblasNoTrans, CblasNoTrans, m, n, k, a, k, b, n, beta, c);
}

void matrix_transposed_times_add(size_t m, size_t n, size_t k, const real *a, const real *b,
                                 real *c)
{
    gemm(CblasTrans, CblasNoTrans, m, n, k, a, m, b, n, 1, c);
}
