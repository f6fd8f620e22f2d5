/* How every module reports a failure: a return value, and a sentence that says what, where and the
 * mend. Any thread; allocates nothing. */
#ifndef BRUME_DSP_ERROR_H
#define BRUME_DSP_ERROR_H

/* One failure in words. `message` is always terminated; it is empty while nothing failed. */
typedef struct Error {
    char message[1024];
} Error;

/* Writes a printf-style message into `err` (which may be NULL: then nothing is written).
 * Always returns -1, so that a caller can `return error_set(err, ...)`. */
int error_set(Error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Puts "prefix: " before the message that `err` holds already. Returns -1. err may be NULL. */
int error_prefix(Error *err, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The analyser looks at one file at a time, and would follow paths on which these return 0. */
#ifdef __clang_analyzer__
#define error_set(...)    (error_set(__VA_ARGS__), -1)
#define error_prefix(...) (error_prefix(__VA_ARGS__), -1)
#endif

#endif
