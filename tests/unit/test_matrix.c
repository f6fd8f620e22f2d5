#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "dsp/random.h"
#include "models/matrix.h"

#include <dirent.h>
#include <math.h>
#include <pthread.h>
#include <string.h>

/* Small shapes: many products a second is what makes threads meet inside the library. */
enum { M = 48, N = 64, K = 96, THREADS = 4, TIMES = 20000 };

typedef struct Job {
    float a[M * K], b[N * K], alone[M * N], c[M * N];
    int differing;
} Job;

static void *multiply_often(void *data)
{
    Job *job = data;
    for (int i = 0; i < TIMES; i++) {
        matrix_times_transposed(M, N, K, job->a, job->b, 0, job->c);
        job->differing += memcmp(job->c, job->alone, sizeof job->c) != 0;
    }
    return NULL;
}

static size_t threads_of_process(void)
{
    size_t count = 0;
    DIR *tasks = opendir("/proc/self/task");
    assert_non_null(tasks);
    for (struct dirent *entry; (entry = readdir(tasks));)
        count += entry->d_name[0] != '.';
    closedir(tasks);
    return count;
}

static void products_equal_sums_in_double(void **state)
{
    (void)state;
    static float a[M * K], b[N * K], c[M * N];
    random_gaussian(1, 1, 0, a, M * K);
    random_gaussian(1, 2, 0, b, N * K);
    matrix_times_transposed(M, N, K, a, b, 0, c);
    for (size_t m = 0; m < M; m++)
        for (size_t n = 0; n < N; n++) {
            double sum = 0;
            for (size_t k = 0; k < K; k++)
                sum += (double)a[m * K + k] * (double)b[n * K + k];
            assert_true(fabs(sum - (double)c[m * N + n]) < 1e-4);
        }
}

static void threads_at_once_get_what_each_gets_alone(void **state)
{
    (void)state;
    static Job jobs[THREADS];
    pthread_t threads[THREADS];
    for (size_t i = 0; i < THREADS; i++) {
        random_gaussian(2, i, 0, jobs[i].a, M * K);
        random_gaussian(3, i, 0, jobs[i].b, N * K);
        matrix_times_transposed(M, N, K, jobs[i].a, jobs[i].b, 0, jobs[i].alone);
    }
    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, multiply_often, &jobs[i]), 0);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(jobs[i].differing, 0);
    }
}

static void large_product_starts_no_thread(void **state)
{
    (void)state;
    enum { LARGE = 512 };
    static float a[LARGE * LARGE], c[LARGE * LARGE];
    const size_t before = threads_of_process();
    random_gaussian(4, 0, 0, a, LARGE * LARGE);
    matrix_times(LARGE, LARGE, LARGE, a, a, 0, c);
    assert_int_equal(threads_of_process(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(products_equal_sums_in_double),
        cmocka_unit_test(threads_at_once_get_what_each_gets_alone),
        cmocka_unit_test(large_product_starts_no_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
