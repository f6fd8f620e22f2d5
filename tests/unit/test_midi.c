/* Standard MIDI files: small ones made by hand, with the notes that the specification says are in
 * them; and broken ones, which must be refused with the byte where they break. */
#include "models/midi.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#define BYTES(...) ((const uint8_t[]){__VA_ARGS__}), sizeof((const uint8_t[]){__VA_ARGS__})
#define END        0x00, 0xff, 0x2f, 0x00

/* A file in the making. */
typedef struct File {
    uint8_t bytes[4096];
    size_t size;
} File;

static void put(File *file, const uint8_t *bytes, size_t n)
{
    assert_true(file->size + n <= sizeof file->bytes);
    memcpy(file->bytes + file->size, bytes, n);
    file->size += n;
}

static void header(File *file, uint8_t format, uint8_t tracks, uint16_t division)
{
    file->size = 0;
    put(file, BYTES('M', 'T', 'h', 'd', 0, 0, 0, 6, 0, format, 0, tracks, (uint8_t)(division >> 8),
                    (uint8_t)division));
}

static void track(File *file, const uint8_t *events, size_t n)
{
    put(file, BYTES('M', 'T', 'r', 'k', 0, 0, (uint8_t)(n >> 8), (uint8_t)n));
    put(file, events, n);
}

/* Parses exact copies, so that a sanitizer sees a read beyond the end. */
static int parse(const uint8_t *bytes, size_t size, MidiMelody *melody, Error *err)
{
    uint8_t *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    const int result = midi_parse(copy, size, melody, err);
    free(copy);
    return result;
}

static void near(double found, double expected)
{
    if (!(fabs(found - expected) < 1e-9))
        fail_msg("%.12g, not %.12g", found, expected);
}

typedef struct Expected {
    double beat, beats, second, seconds;
    int pitch, velocity;
} Expected;

static void expect(const File *file, const Expected *notes, size_t count)
{
    MidiMelody melody;
    Error err = {""};
    if (parse(file->bytes, file->size, &melody, &err))
        fail_msg("refused: %s", err.message);
    assert_int_equal(melody.count, count);
    for (size_t i = 0; i < count; i++) {
        const MidiNote *note = &melody.notes[i];
        near(note->beat, notes[i].beat);
        near(note->beats, notes[i].beats);
        near(note->second, notes[i].second);
        near(note->seconds, notes[i].seconds);
        assert_int_equal(note->pitch, notes[i].pitch);
        assert_int_equal(note->velocity, notes[i].velocity);
    }
    midi_free(&melody);
    assert_null(melody.notes);
}

static void refuse(const uint8_t *bytes, size_t size, const char *place, const char *fault)
{
    MidiMelody melody = {(MidiNote *)1, 1, 0};
    Error err = {""};
    assert_int_equal(parse(bytes, size, &melody, &err), -1);
    if (!strstr(err.message, place) || !strstr(err.message, fault))
        fail_msg("not \"%s ... %s\": %s", place, fault, err.message);
    assert_non_null(strstr(err.message, ": ")); /* the mend */
    assert_null(melody.notes);
    assert_int_equal(melody.count, 0);
}

static void refuse_file(const File *file, const char *place, const char *fault)
{
    refuse(file->bytes, file->size, place, fault);
}

/* Format 0, running status, note-on of velocity 0 as the end of a note, default tempo. */
static void running_status_and_default_tempo(void **state)
{
    (void)state;
    File file;
    header(&file, 0, 1, 96);
    track(&file, BYTES(0x00, 0x90, 60, 100, 48, 60, 0, 48, 62, 90, 0x60, 62, 0, END));
    const Expected notes[] = {{0, 0.5, 0, 0.25, 60, 100}, {1, 1, 0.5, 0.5, 62, 90}};
    expect(&file, notes, 2);
}

/* Format 1: tempo in a track of its own, changed while a note sounds: one beat of 1 s, then 0.25 s.
 */
static void tempo_map_of_another_track(void **state)
{
    (void)state;
    File file;
    header(&file, 1, 2, 480);
    track(&file, BYTES(0x00, 0xff, 0x51, 3, 0x0f, 0x42, 0x40, 0x83, 0x60, 0xff, 0x51, 3, 0x03, 0xd0,
                       0x90, END));
    track(&file, BYTES(0x00, 0x91, 70, 1, 0x87, 0x40, 0x81, 70, 64, 0x00, 0x91, 71, 127, 0x83, 0x60,
                       0x81, 71, 0, END));
    const Expected notes[] = {{0, 2, 0, 1.25, 70, 1}, {2, 1, 1.25, 0.25, 71, 127}};
    expect(&file, notes, 2);
}

/* 25 frames a second, 40 ticks a frame: 1000 ticks a second, whatever tempo is set. */
static void smpte_division_counts_seconds(void **state)
{
    (void)state;
    File file;
    header(&file, 0, 1, 0xe728);
    track(&file,
          BYTES(0x00, 0xff, 0x51, 3, 0x0f, 0x42, 0x40, 0x00, 0x90, 60, 9, 0x87, 0x68, 60, 0, END));
    const Expected notes[] = {{0, 2, 0, 1, 60, 9}};
    expect(&file, notes, 1);
}

/* The highest of a chord; the next note cuts off the last; a late end of a note that was cut off
 * says nothing; a note that ends at once lasts until the next; drums are no melody; what never
 * ends, ends at last. */
static void overlaps_become_one_voice(void **state)
{
    (void)state;
    File file;
    header(&file, 0, 1, 2);
    track(&file,
          BYTES(0x00, 0x90, 60, 80, 0x00, 67, 81, 0x00, 64, 82, 0x00, 0x99, 90, 83, /* chord */
                0x04, 0x90, 65, 84,                          /* cuts 67 off */
                0x02, 0x80, 67, 0, 0x00, 60, 0, 0x02, 65, 0, /* 65: two beats */
                0x00, 0x90, 50, 85, 0x00, 0x80, 50, 0,       /* ends at once */
                0x02, 0x90, 72, 86, 0x06, 0xb0, 1, 2, 0x00, 0x80, 1, 0, END));
    const Expected notes[] = {{0, 2, 0, 1, 67, 81},
                              {2, 2, 1, 1, 65, 84},
                              {4, 1, 2, 0.5, 50, 85},
                              {5, 3, 2.5, 1.5, 72, 86}};
    expect(&file, notes, 4);
    MidiMelody melody;
    assert_int_equal(midi_parse(file.bytes, file.size, &melody, NULL), 0);
    assert_int_equal(melody.covered, 2); /* 60 and 64 */
    midi_free(&melody);
}

/* Other chunks, system exclusive and text are passed over; bytes after the last track too. */
static void what_is_not_music_is_passed_over(void **state)
{
    (void)state;
    File file;
    header(&file, 1, 1, 1);
    file.bytes[7] = 8; /* a longer header, as later versions may have */
    put(&file, BYTES(1, 2, 'X', 'F', 'I', 'H', 0, 0, 0, 3, 9, 9, 9));
    track(&file, BYTES(0x00, 0xff, 0x01, 2, 'h', 'i', 0x00, 0xf0, 3, 1, 2, 0xf7, 0x00, 0xf7, 1, 5,
                       0x00, 0xc0, 5, 0x00, 0xe0, 0, 64, 0x01, 0x90, 1, 1, 0x01, 1, 0, END, 99));
    put(&file, BYTES('r', 'e', 's', 't'));
    const Expected notes[] = {{1, 1, 0.5, 0.5, 1, 1}};
    expect(&file, notes, 1);
}

static void wrong_headers_are_refused(void **state)
{
    (void)state;
    File file;
    header(&file, 0, 1, 96);
    track(&file, BYTES(0x00, 0x90, 60, 100, 48, 60, 0, END));
    refuse(file.bytes, 0, "byte 0", "does not begin");
    refuse(file.bytes, 13, "byte 0", "does not begin");
    File bad = file;
    bad.bytes[0] = 'm';
    refuse_file(&bad, "byte 0", "does not begin");
    bad = file;
    bad.bytes[7] = 5;
    refuse_file(&bad, "byte 4", "header of 5 bytes");
    memset(bad.bytes + 4, 0xff, 4);
    refuse_file(&bad, "byte 4", "header of 4294967295 bytes");
    bad = file;
    bad.bytes[9] = 2;
    refuse_file(&bad, "byte 8", "format 2");
    bad = file;
    bad.bytes[11] = 0;
    refuse_file(&bad, "byte 10", "no track");
    bad = file;
    bad.bytes[13] = 0;
    refuse_file(&bad, "byte 12", "no ticks");
    bad.bytes[12] = 0xe8; /* 24 frames of no ticks */
    refuse_file(&bad, "byte 12", "no ticks");
    bad = file;
    bad.bytes[11] = 2;
    refuse_file(&bad, "byte 33", "before track 2 of 2");
}

static void wrong_lengths_are_refused(void **state)
{
    (void)state;
    File file;
    header(&file, 0, 1, 96);
    track(&file, BYTES(0x00, 0x90, 60, 100, 48, 60, 0, END));
    file.bytes[21]++;
    refuse_file(&file, "byte 18", "a track of 12 bytes where the file has 11 left");
    memset(file.bytes + 18, 0xff, 4);
    refuse_file(&file, "byte 18", "a track of 4294967295 bytes");
    const struct {
        uint8_t events[16];
        size_t n;
        const char *place, *fault;
    } cases[] = {
        {{0x80}, 1, "byte 22", "within a number"},
        {{0xff, 0xff, 0xff, 0xff, 0x00}, 5, "byte 22", "more than four bytes"},
        {{0x00}, 1, "byte 23", "a time without an event"},
        {{0x00, 60, 60}, 3, "byte 23", "where an event must begin"},
        {{0x00, 0x90, 60}, 3, "byte 24", "within an event"},
        {{0x00, 0x90, 60, 0x90}, 4, "byte 25", "144 where a value below 128"},
        {{0x00, 0xc0}, 2, "byte 24", "within an event"},
        {{0x00, 0xff}, 2, "byte 23", "within an event"},
        {{0x00, 0xff, 0x01}, 3, "byte 25", "within a number"},
        {{0x00, 0xff, 0x01, 3, 'a'}, 5, "byte 23", "an event of 3 bytes where the track has 1"},
        {{0x00, 0xf0, 0x8f, 0xff, 0xff, 0x7f, 1}, 7, "byte 23", "where the track has 1 left"},
        {{0x00, 0xff, 0x51, 3, 0, 0, 0}, 7, "byte 23", "a tempo that is none"},
        {{0x00, 0xff, 0x51, 2, 1, 1}, 6, "byte 23", "a tempo that is none"},
        {{0x00, 0xf8}, 2, "byte 23", "event f8 has no place"},
        /* Running status does not outlive another event. */
        {{0x00, 0x90, 60, 60, 0x00, 0xff, 1, 0, 0x00, 60, 0}, 11, "byte 31", "an event must begin"},
        {{0xff, 0xff, 0xff, 0x7f, 0x90, 1, 1}, 7, "byte 26", "beats"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        header(&file, 0, 1, 96);
        track(&file, cases[i].events, cases[i].n);
        refuse_file(&file, cases[i].place, cases[i].fault);
    }
    header(&file, 0, 1, 96);
    track(&file, BYTES(0x00, 0xc0, 1, 0x00, 0x90, 60, 1, 0x00, 60, 0, END));
    refuse_file(&file, "byte 36", "no note");
}

/* Every beginning of a good file, and every byte of it spoilt, is read or refused, no more. */
static void spoilt_files_do_no_harm(void **state)
{
    (void)state;
    File file;
    header(&file, 1, 2, 480);
    track(&file, BYTES(0x00, 0xff, 0x51, 3, 0x0f, 0x42, 0x40, END));
    track(&file, BYTES(0x00, 0x91, 70, 1, 0x87, 0x40, 0x81, 70, 64, 0x00, 0xf0, 2, 1, 0xf7, 0x00,
                       0x91, 71, 127, 0x83, 0x60, 71, 0, END));
    for (size_t size = 0; size < file.size; size++) {
        MidiMelody melody;
        Error err = {""};
        assert_int_equal(parse(file.bytes, size, &melody, &err), -1);
        assert_non_null(strstr(err.message, "byte "));
    }
    size_t read = 0;
    for (size_t at = 0; at < file.size; at++)
        for (unsigned value = 0; value < 256; value++) {
            File bad = file;
            bad.bytes[at] = (uint8_t)value;
            MidiMelody melody;
            Error err = {""};
            if (!parse(bad.bytes, bad.size, &melody, &err)) {
                read++;
                assert_true(melody.count >= 1);
                double end = 0.0;
                for (size_t i = 0; i < melody.count; i++) {
                    assert_true(melody.notes[i].beat >= end && melody.notes[i].beats > 0.0);
                    assert_true(melody.notes[i].pitch < 128 && melody.notes[i].velocity > 0);
                    end = melody.notes[i].beat + melody.notes[i].beats;
                }
                midi_free(&melody);
            } else {
                assert_non_null(strstr(err.message, "byte "));
            }
        }
    assert_true(read > file.size);
}

static void files_are_named_in_errors(void **state)
{
    (void)state;
    char path[] = "/tmp/brume-midi-XXXXXX";
    MidiMelody melody;
    Error err = {""};
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    assert_int_equal(midi_read(path, &melody, &err), -1);
    assert_memory_equal(err.message, path, strlen(path));
    assert_non_null(strstr(err.message, "byte 0"));
    File file;
    header(&file, 0, 1, 96);
    track(&file, BYTES(0x00, 0x90, 60, 100, 48, 60, 0, END));
    assert_int_equal(write(fd, file.bytes, file.size), file.size);
    assert_int_equal(midi_read(path, &melody, &err), 0);
    assert_int_equal(melody.count, 1);
    midi_free(&melody);
    assert_int_equal(ftruncate(fd, (off_t)MIDI_MAX_FILE + 1), 0);
    assert_int_equal(midi_read(path, &melody, &err), -1);
    assert_non_null(strstr(err.message, "larger than"));
    close(fd);
    unlink(path);
    assert_int_equal(midi_read(path, &melody, &err), -1);
    assert_non_null(strstr(err.message, "No such file"));
    assert_int_equal(midi_read("/tmp", &melody, &err), -1);
    assert_non_null(strstr(err.message, "not a regular file"));
    midi_free(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(running_status_and_default_tempo),
        cmocka_unit_test(tempo_map_of_another_track),
        cmocka_unit_test(smpte_division_counts_seconds),
        cmocka_unit_test(overlaps_become_one_voice),
        cmocka_unit_test(what_is_not_music_is_passed_over),
        cmocka_unit_test(wrong_headers_are_refused),
        cmocka_unit_test(wrong_lengths_are_refused),
        cmocka_unit_test(spoilt_files_do_no_harm),
        cmocka_unit_test(files_are_named_in_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
