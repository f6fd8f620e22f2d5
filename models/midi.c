#include "models/midi.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PITCHES = 128, CHANNELS = 16, DRUMS = 9, MICROSECONDS_A_BEAT = 500000 };

/* Beyond a day of quarter notes at any tempo in use: no tune, and far from what a double counts. */
static const double LONGEST_BEATS = 1e6;

typedef enum { NOTE_OFF, TEMPO, NOTE_ON } EventKind; /* in this order within a tick */

typedef struct Event {
    uint64_t tick;
    uint32_t value; /* channel * 128 + pitch, or microseconds a beat */
    uint32_t order; /* of reading */
    EventKind kind;
    uint8_t velocity;
} Event;

/* What is being read: bytes at..end of a chunk, and the events found so far. */
typedef struct Reader {
    const uint8_t *bytes;
    size_t at, end;
    Event *events;
    size_t count, room;
    double ticks_a_beat;
    bool smpte;
} Reader;

static uint32_t big_endian(const uint8_t *bytes, size_t n)
{
    uint32_t value = 0;
    for (size_t i = 0; i < n; i++)
        value = value << 8 | bytes[i];
    return value;
}

/* A variable-length quantity: at most four bytes, seven bits each. */
static int read_quantity(Reader *reader, uint32_t *value, Error *err)
{
    const size_t start = reader->at;
    *value = 0;
    for (int i = 0; i < 4; i++) {
        if (reader->at >= reader->end)
            return error_set(err,
                             "byte %zu: the track ends within a number: it was cut off, get "
                             "the whole file",
                             start);
        const uint8_t byte = reader->bytes[reader->at++];
        *value = *value << 7 | (byte & 0x7fU);
        if (byte < 0x80)
            return 0;
    }
    return error_set(err, "byte %zu: a number of more than four bytes: save the file again", start);
}

static int add_event(Reader *reader, Event event, Error *err)
{
    if (reader->count == 2 * MIDI_MAX_NOTES)
        return error_set(err, "byte %zu: more than %zu notes: split the file", reader->at,
                         MIDI_MAX_NOTES);
    if (reader->count == reader->room) {
        const size_t room = reader->room ? 2 * reader->room : 256;
        Event *events = realloc(reader->events, room * sizeof *events);
        if (!events)
            return error_set(err, "out of memory for %zu notes", room);
        reader->events = events;
        reader->room = room;
    }
    event.order = (uint32_t)reader->count;
    reader->events[reader->count++] = event;
    return 0;
}

/* A meta or system exclusive event after its status byte; `ended` is set by an end of track. */
static int read_block(Reader *reader, uint8_t status, uint64_t tick, bool *ended, Error *err)
{
    const size_t start = reader->at - 1;
    uint8_t type = 0;
    uint32_t length;
    if (status == 0xff) {
        if (reader->at >= reader->end)
            return error_set(err,
                             "byte %zu: the track ends within an event: it was cut off, get "
                             "the whole file",
                             start);
        type = reader->bytes[reader->at++];
    }
    if (read_quantity(reader, &length, err))
        return -1;
    if (length > reader->end - reader->at)
        return error_set(err,
                         "byte %zu: an event of %u bytes where the track has %zu left: get the "
                         "whole file, or save it again",
                         start, length, reader->end - reader->at);
    const uint8_t *data = reader->bytes + reader->at;
    reader->at += length;
    *ended = status == 0xff && type == 0x2f;
    if (status != 0xff || type != 0x51)
        return 0;
    if (length != 3 || big_endian(data, 3) == 0)
        return error_set(err, "byte %zu: a tempo that is none: save the file again", start);
    return add_event(reader, (Event){.tick = tick, .kind = TEMPO, .value = big_endian(data, 3)},
                     err);
}

/* A channel event, whose data begin at reader->at. */
static int read_channel_event(Reader *reader, uint8_t status, uint64_t tick, Error *err)
{
    const size_t length = status >= 0xc0 && status < 0xe0 ? 1 : 2, start = reader->at;
    if (reader->end - start < length)
        return error_set(err,
                         "byte %zu: the track ends within an event: it was cut off, get the "
                         "whole file",
                         start);
    for (size_t i = 0; i < length; i++)
        if (reader->bytes[start + i] >= 0x80)
            return error_set(err,
                             "byte %zu: %u where a value below 128 must be: save the file again",
                             start + i, reader->bytes[start + i]);
    reader->at += length;
    const uint8_t kind = status & 0xf0, channel = status & 0x0f;
    if ((kind != 0x80 && kind != 0x90) || channel == DRUMS)
        return 0;
    const uint8_t pitch = reader->bytes[start], velocity = reader->bytes[start + 1];
    const bool on = kind == 0x90 && velocity > 0;
    return add_event(reader,
                     (Event){.tick = tick,
                             .kind = on ? NOTE_ON : NOTE_OFF,
                             .value = (uint32_t)channel * PITCHES + pitch,
                             .velocity = velocity},
                     err);
}

static int read_track(Reader *reader, Error *err)
{
    uint64_t tick = 0;
    uint8_t running = 0;
    bool ended = false;
    while (reader->at < reader->end && !ended) {
        uint32_t delta;
        if (read_quantity(reader, &delta, err))
            return -1;
        tick += delta;
        if ((double)tick / reader->ticks_a_beat > LONGEST_BEATS)
            return error_set(err, "byte %zu: a time of more than %.0f beats: save the file again",
                             reader->at, LONGEST_BEATS);
        if (reader->at >= reader->end)
            return error_set(err,
                             "byte %zu: a time without an event: the file was cut off, get the "
                             "whole file",
                             reader->at);
        uint8_t status = reader->bytes[reader->at];
        if (status >= 0x80)
            reader->at++;
        else if (running)
            status = running;
        else
            return error_set(err, "byte %zu: %u where an event must begin: save the file again",
                             reader->at, status);
        if (status > 0xf0 && status != 0xf7 && status != 0xff)
            return error_set(err, "byte %zu: event %02x has no place in a file: save it again",
                             reader->at - 1, status);
        running = status < 0xf0 ? status : 0;
        if (status < 0xf0 ? read_channel_event(reader, status, tick, err)
                          : read_block(reader, status, tick, &ended, err))
            return -1;
    }
    return 0;
}

static int read_header(Reader *reader, size_t size, unsigned *tracks, Error *err)
{
    const uint8_t *bytes = reader->bytes;
    if (size < 14 || memcmp(bytes, "MThd", 4))
        return error_set(err, "byte 0: it does not begin as a MIDI file does: give a .mid file");
    const uint32_t length = big_endian(bytes + 4, 4);
    if (length < 6 || length > size - 8)
        return error_set(err, "byte 4: a header of %u bytes: get the whole file, or save it again",
                         length);
    const uint32_t format = big_endian(bytes + 8, 2), division = big_endian(bytes + 12, 2);
    if (format > 1)
        return error_set(err, "byte 8: format %u: save it as format 0 or 1", format);
    *tracks = big_endian(bytes + 10, 2);
    if (*tracks == 0)
        return error_set(err, "byte 10: no track: give a file that holds a melody");
    reader->smpte = division >= 0x8000;
    reader->ticks_a_beat = (double)division;
    if (reader
            ->smpte) /* frames a second (-29 means 30 drop), ticks a frame; half a second a beat */
        reader->ticks_a_beat = 0.5 * (double)(256 - (division >> 8)) * (double)(division & 0xff);
    if (reader->ticks_a_beat <= 0.0)
        return error_set(err, "byte 12: a beat of no ticks: save the file again");
    reader->at = 8 + length;
    return 0;
}

/* All chunks; those that are no tracks are passed over, as the specification asks. */
static int read_chunks(Reader *reader, size_t size, Error *err)
{
    unsigned tracks = 0, found = 0;
    if (read_header(reader, size, &tracks, err))
        return -1;
    while (found < tracks) {
        const size_t start = reader->at;
        if (size - start < 8)
            return error_set(err,
                             "byte %zu: the file ends before track %u of %u: get the whole file",
                             start, found + 1, tracks);
        const uint32_t length = big_endian(reader->bytes + start + 4, 4);
        if (length > size - start - 8)
            return error_set(err,
                             "byte %zu: a track of %u bytes where the file has %zu left: get "
                             "the whole file",
                             start + 4, length, size - start - 8);
        reader->at = start + 8;
        reader->end = reader->at + length;
        if (!memcmp(reader->bytes + start, "MTrk", 4)) {
            found++;
            if (read_track(reader, err))
                return -1;
        }
        reader->at = reader->end;
    }
    return 0;
}

static int compare_events(const void *a, const void *b)
{
    const Event *left = a, *right = b;
    if (left->tick != right->tick)
        return left->tick < right->tick ? -1 : 1;
    if (left->kind != right->kind)
        return left->kind < right->kind ? -1 : 1;
    return left->order < right->order ? -1 : left->order > right->order;
}

/* Where a melody is being made from events in order. */
typedef struct Melody {
    MidiNote *notes;
    size_t count, covered;
    uint32_t sounding; /* the last note's Event.value */
    bool open;         /* it has not ended yet */
} Melody;

static void end_note(Melody *melody, double beat, double second)
{
    MidiNote *last = &melody->notes[melody->count - 1];
    last->beats = beat - last->beat;
    last->seconds = second - last->second;
    melody->open = false;
    if (last->beats <= 0.0)
        melody->count--;
}

static void begin_note(Melody *melody, const Event *event, double beat, double second)
{
    const uint8_t pitch = (uint8_t)(event->value % PITCHES);
    if (melody->open) {
        const bool together = melody->notes[melody->count - 1].beat >= beat;
        melody->covered += together;
        if (together && melody->notes[melody->count - 1].pitch >= pitch)
            return;
        end_note(melody, beat, second);
    }
    melody->notes[melody->count++] =
        (MidiNote){.beat = beat, .second = second, .pitch = pitch, .velocity = event->velocity};
    melody->sounding = event->value;
    melody->open = true;
}

/* Events in order -> notes. What still sounds at the end ends with the last event. */
static void make_notes(const Reader *reader, Melody *melody)
{
    double beat = 0.0, second = 0.0, seconds_a_beat = 1e-6 * MICROSECONDS_A_BEAT;
    for (size_t i = 0; i < reader->count; i++) {
        const Event *event = &reader->events[i];
        const double now = (double)event->tick / reader->ticks_a_beat;
        second += (now - beat) * seconds_a_beat;
        beat = now;
        if (event->kind == NOTE_ON)
            begin_note(melody, event, beat, second);
        else if (event->kind == TEMPO && !reader->smpte)
            seconds_a_beat = 1e-6 * (double)event->value;
        else if (event->kind == NOTE_OFF && melody->open && event->value == melody->sounding)
            end_note(melody, beat, second);
    }
    if (melody->open)
        end_note(melody, beat, second);
}

int midi_parse(const uint8_t *bytes, size_t size, MidiMelody *melody, Error *err)
{
    *melody = (MidiMelody){NULL, 0, 0};
    Reader reader = {.bytes = bytes};
    if (read_chunks(&reader, size, err)) {
        free(reader.events);
        return -1;
    }
    if (reader.count)
        qsort(reader.events, reader.count, sizeof *reader.events, compare_events);
    Melody made = {.notes = calloc(reader.count + 1, sizeof *made.notes)};
    if (made.notes)
        make_notes(&reader, &made);
    free(reader.events);
    if (!made.notes)
        return error_set(err, "out of memory for %zu notes", reader.count);
    if (!made.count) {
        free(made.notes);
        return error_set(err, "byte %zu: there is no note in it: give a file that holds a melody",
                         size);
    }
    *melody = (MidiMelody){made.notes, made.count, made.covered};
    return 0;
}

/* The whole regular file at `path`; NULL with `err` set. */
static uint8_t *read_file(const char *path, size_t *size, Error *err)
{
    struct stat status;
    const int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (file < 0 || fstat(file, &status)) {
        error_set(err, "cannot be opened (%s): check the path", strerror(errno));
        if (file >= 0)
            close(file);
        return NULL;
    }
    uint8_t *bytes = NULL;
    *size = (size_t)status.st_size;
    if (!S_ISREG(status.st_mode))
        error_set(err, "is not a regular file: give a .mid file");
    else if (*size > MIDI_MAX_FILE)
        error_set(err, "is larger than %zu bytes: give a file of one melody", MIDI_MAX_FILE);
    else if (!(bytes = malloc(*size + 1)))
        error_set(err, "out of memory for %zu bytes", *size);
    for (size_t done = 0; bytes && done < *size;) {
        const ssize_t got = read(file, bytes + done, *size - done);
        if (got < 0 && errno == EINTR)
            continue;
        if (got <= 0) {
            error_set(err, "byte %zu: cannot be read (%s): check the disk", done,
                      got ? strerror(errno) : "it became shorter");
            free(bytes);
            bytes = NULL;
            break;
        }
        done += (size_t)got;
    }
    close(file);
    return bytes;
}

int midi_read(const char *path, MidiMelody *melody, Error *err)
{
    size_t size;
    *melody = (MidiMelody){NULL, 0, 0};
    uint8_t *bytes = read_file(path, &size, err);
    const int failed = !bytes || midi_parse(bytes, size, melody, err);
    free(bytes);
    return failed ? error_prefix(err, "%s", path) : 0;
}

void midi_free(MidiMelody *melody)
{
    if (!melody)
        return;
    free(melody->notes);
    *melody = (MidiMelody){NULL, 0, 0};
}
