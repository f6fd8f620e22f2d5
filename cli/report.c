#include "cli/report.h"

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Bytes of the printable character that `text` starts with (Unicode 15, table 3-7); 0 for none. */
static size_t character_length(const unsigned char *text)
{
    if (text[0] < 0x80)
        return text[0] >= 0x20 && text[0] != 0x7f;
    size_t length = text[0] >= 0xf0 ? 4 : text[0] >= 0xe0 ? 3 : 2;
    if (text[0] < 0xc2 || text[0] > 0xf4)
        return 0;
    uint32_t code = text[0] & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((text[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | (text[i] & 0x3fu);
    }
    static const uint32_t least[] = {0, 0, 0xa0, 0x800, 0x10000};
    bool surrogate = code >= 0xd800 && code <= 0xdfff;
    return code >= least[length] && code <= 0x10ffff && !surrogate ? length : 0;
}

void report_clean(char *text)
{
    while (*text != '\0') {
        size_t length = character_length((const unsigned char *)text);
        if (length == 0)
            *text = '?';
        text += length > 0 ? length : 1;
    }
}

void report_text(FILE *out, const char *text, size_t width)
{
    size_t printed = 0;
    while (*text != '\0') {
        size_t length = character_length((const unsigned char *)text);
        if (length == 0)
            putc('?', out);
        else
            fwrite(text, 1, length, out);
        length = length > 0 ? length : 1;
        text += length;
        printed += length;
    }
    for (; printed < width; printed++)
        putc(' ', out);
}

void report_json_string(FILE *out, const char *text)
{
    putc('"', out);
    while (*text != '\0') {
        size_t length = character_length((const unsigned char *)text);
        if (length == 0)
            putc('?', out);
        else if (*text == '"' || *text == '\\')
            fprintf(out, "\\%c", *text);
        else
            fwrite(text, 1, length, out);
        text += length > 0 ? length : 1;
    }
    putc('"', out);
}

void report_json_number(FILE *out, const char *name, double value, const char *after)
{
    if (isfinite(value))
        fprintf(out, "\"%s\": %.5g%s", name, value, after);
    else
        fprintf(out, "\"%s\": null%s", name, after);
}

static void print_line(const char *verb, const char *message)
{
    char line[sizeof((Error *)0)->message + 64];
    snprintf(line, sizeof line, "brume%s%s: %s", verb ? " " : "", verb ? verb : "", message);
    report_clean(line);
    fprintf(stderr, "%s\n", line);
}

int report_failure(const char *verb, const Error *err)
{
    print_line(verb, err->message);
    return EXIT_FAILED;
}

int report_usage(const char *verb, const char *format, ...)
{
    char message[sizeof((Error *)0)->message];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    print_line(verb, message);
    return EXIT_USAGE;
}
