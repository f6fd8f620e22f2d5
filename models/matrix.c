#include "models/matrix.h"

#include <cblas.h>

/* Of libgomp; declared here because clang has no omp.h of its own without an extra package. */
extern void omp_set_num_threads(int threads);

/* OpenMP's number of threads belongs to the thread that sets it: with one, a product runs where it
 * was called, no pool is started in a host, and the result does not depend on the machine. */
static void stay_on_this_thread(void)
{
    static _Thread_local int settled;
    if (!settled) {
        omp_set_num_threads(1);
        settled = 1;
    }
}

static void gemm(CBLAS_TRANSPOSE ta, CBLAS_TRANSPOSE tb, size_t m, size_t n, size_t k,
                 const real *a, size_t lda, const real *b, size_t ldb, real beta, real *c)
{
    stay_on_this_thread();
#ifdef BRUME_DOUBLE
    cblas_dgemm
#else
    cblas_sgemm
#endif
        (CblasRowMajor, ta, tb, (blasint)m, (blasint)n, (blasint)k, 1, a, (blasint)lda, b,
         (blasint)ldb, beta, c, (blasint)n);
}

/* One row: the product of matrices would first copy all of b into another order. */
static void row_times_transposed(size_t n, size_t k, const real *a, const real *b, real beta,
                                 real *c)
{
    stay_on_this_thread();
#ifdef BRUME_DOUBLE
    cblas_dgemv
#else
    cblas_sgemv
#endif
        (CblasRowMajor, CblasNoTrans, (blasint)n, (blasint)k, 1, b, (blasint)k, a, 1, beta, c, 1);
}

void matrix_times_transposed(size_t m, size_t n, size_t k, const real *a, const real *b, real beta,
                             real *c)
{
    if (m == 1)
        row_times_transposed(n, k, a, b, beta, c);
    else
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
