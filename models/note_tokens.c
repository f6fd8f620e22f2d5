#include "models/note_tokens.h"

#include <math.h>
#include <stdlib.h>

static const uint8_t UNITS[NOTE_STEPS] = {1,  2,  3,  4,  5,  6,  7,  8,  9,   10,  11, 12, 14,
                                          15, 16, 18, 20, 21, 24, 27, 28, 30,  32,  33, 36, 42,
                                          45, 48, 54, 60, 66, 72, 84, 96, 120, 144, 192};

int note_step_units(unsigned step)
{
    return UNITS[step];
}

unsigned note_step_nearest(double units)
{
    unsigned step = 0;
    while (step + 1 < NOTE_STEPS && units > 0.5 * (double)(UNITS[step] + UNITS[step + 1]))
        step++;
    return step;
}

unsigned note_length_category(double sounding, double step)
{
    const double eighths = ceil(NOTE_LENGTHS * sounding / step - 0.5);
    return (unsigned)fmin(fmax(eighths, 1.0), NOTE_LENGTHS) - 1;
}

double note_length_share(unsigned length)
{
    return (double)(length + 1) / NOTE_LENGTHS;
}

int note_octaves(const double *pitches, size_t count)
{
    /* The median by counting: half of the pitches lie at or below it. */
    size_t below = 0;
    int median = 0;
    for (; median < 127; median++) {
        below = 0;
        for (size_t i = 0; i < count; i++)
            below += pitches[i] < (double)median + 0.5;
        if (2 * below >= count)
            break;
    }
    int octaves = 0;
    while (median + octaves < 57)
        octaves += 12;
    while (median + octaves > 80)
        octaves -= 12;
    return octaves;
}

uint8_t note_pitch_category(int midi_pitch)
{
    int pitch = midi_pitch - NOTE_LOWEST;
    while (pitch < 0)
        pitch += 12;
    while (pitch >= NOTE_PITCHES)
        pitch -= 12;
    return (uint8_t)pitch;
}

int note_tokens_from_midi(const MidiMelody *melody, NoteToken *tokens)
{
    double pitches[512];
    const size_t judged = melody->count < 512 ? melody->count : 512;
    for (size_t i = 0; i < judged; i++)
        pitches[i] = melody->notes[i].pitch;
    const int octaves = note_octaves(pitches, judged);
    double grid = NOTE_GRID * melody->notes[0].beat;
    for (size_t i = 0; i < melody->count; i++) {
        const MidiNote *note = &melody->notes[i];
        const double step = i + 1 < melody->count ? note[1].beat - note->beat : note->beats;
        NoteToken *token = &tokens[i];
        token->step = (uint8_t)note_step_nearest(NOTE_GRID * (note->beat + step) - grid);
        token->length = (uint8_t)note_length_category(note->beats, step);
        token->pitch = note_pitch_category(note->pitch + octaves);
        grid += UNITS[token->step];
    }
    return octaves;
}
