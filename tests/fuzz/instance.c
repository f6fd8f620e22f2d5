#include "tests/fuzz/instance.h"

#include <lv2/atom/atom.h>
#include <lv2/log/log.h>
#include <lv2/midi/midi.h>
#include <lv2/patch/patch.h>
#include <lv2/time/time.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { URIS = 256 };

/* As low as can be: buffers are short, and an instance is made soon. */
static const double RATE = 1000.0;

/* Numbers that the corpus is written with: more may be added at the end. */
static const char *const FIRST[] = {LV2_ATOM__Int,
                                    LV2_ATOM__Long,
                                    LV2_ATOM__Float,
                                    LV2_ATOM__Double,
                                    LV2_ATOM__URID,
                                    LV2_ATOM__Path,
                                    LV2_ATOM__String,
                                    LV2_ATOM__Object,
                                    LV2_ATOM__Blank,
                                    LV2_ATOM__Sequence,
                                    LV2_MIDI__MidiEvent,
                                    LV2_PATCH__Get,
                                    LV2_PATCH__Set,
                                    LV2_PATCH__subject,
                                    LV2_PATCH__property,
                                    LV2_PATCH__value,
                                    LV2_TIME__Position,
                                    LV2_TIME__speed,
                                    LV2_TIME__frame,
                                    LV2_TIME__beatsPerMinute,
                                    LV2_TIME__beatsPerBar,
                                    LV2_TIME__barBeat,
                                    "urn:brume:brume",
                                    "urn:brume:brume#model",
                                    "urn:brume:brume#status",
                                    "urn:brume:brume#melody"};

static LV2_URID map_uri(LV2_URID_Map_Handle handle, const char *uri)
{
    static char *known[URIS];
    static LV2_URID count;
    (void)handle;
    for (; count < sizeof FIRST / sizeof FIRST[0]; count++)
        known[count] = strdup(FIRST[count]);
    for (LV2_URID i = 0; i < count; i++)
        if (!strcmp(known[i], uri))
            return i + 1;
    if (count == URIS || !(known[count] = strdup(uri)))
        abort();
    return ++count;
}

LV2_URID_Map *instance_map(void)
{
    static LV2_URID_Map map = {NULL, map_uri};
    return &map;
}

/* What is logged is made, since it may hold what a hostile host said, and passed over. */
static int log_vprintf(LV2_Log_Handle handle, LV2_URID type, const char *format, va_list arguments)
{
    char line[4096];
    (void)handle;
    (void)type;
    return vsnprintf(line, sizeof line, format, arguments);
}

static int log_printf(LV2_Log_Handle handle, LV2_URID type, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const int n = log_vprintf(handle, type, format, arguments);
    va_end(arguments);
    return n;
}

const LV2_Descriptor *instance_descriptor(void)
{
    return lv2_descriptor(0);
}

LV2_Handle instance_open(void)
{
    static const char *const homes[] = {"HOME", "XDG_DATA_HOME", "BRUME_MODELS"};
    static LV2_Log_Log silent = {NULL, log_printf, log_vprintf};
    const LV2_Feature map = {LV2_URID__map, instance_map()}, log = {LV2_LOG__log, &silent};
    const LV2_Feature *features[] = {&map, &log, NULL};
    for (size_t i = 0; i < sizeof homes / sizeof homes[0]; i++)
        setenv(homes[i], "/nonexistent", 1);
    LV2_Handle handle =
        instance_descriptor()->instantiate(instance_descriptor(), RATE, "/nonexistent", features);
    if (!handle) {
        fputs("the plugin cannot be instantiated\n", stderr);
        abort();
    }
    return handle;
}
