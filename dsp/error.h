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

#endif
