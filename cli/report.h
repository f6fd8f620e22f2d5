/* What the command says of its own accord: exit codes, one-line failures, text made fit to print.
 */
#ifndef BRUME_CLI_REPORT_H
#define BRUME_CLI_REPORT_H

#include <stdio.h>

#include "dsp/error.h"

/* The command's exit codes. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* Prints "brume VERB: message" as one line on standard error. Returns EXIT_FAILED. */
int report_failure(const char *verb, const Error *err);

/* The same for a wrong use of `verb`, which may be NULL ("brume: message"). Returns EXIT_USAGE. */
int report_usage(const char *verb, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Replaces, in place, each control character and each byte that is not UTF-8 by '?', so that any
 * file name can be printed, drawn and put into JSON. */
void report_clean(char *text);

/* Prints `text`, cleaned, and spaces up to `width` bytes. */
void report_text(FILE *out, const char *text, size_t width);

/* Prints `text` as a JSON string, quotes included; what report_clean would replace becomes '?'. */
void report_json_string(FILE *out, const char *text);

/* Prints a member of a JSON object: a name, its number (null if it is not finite), and `after`. */
void report_json_number(FILE *out, const char *name, double value, const char *after);

#endif
