#include "models/note_history.h"

enum { MOST_ALIKE = 6, SHORT_LOOP = 16, LONG_LOOP = 48, LOOKED_AT = 48, LEAST_PITCHES = 5 };

void note_history_add(NoteHistory *history, NoteToken note)
{
    history->recent[history->count++ % NOTE_RECENT] = note;
}

const NoteToken *note_history_before(const NoteHistory *history, uint64_t back)
{
    return &history->recent[(history->count - back) % NOTE_RECENT];
}

bool note_history_is_stuck(const NoteHistory *history, size_t pitch)
{
    if (history->count < MOST_ALIKE)
        return false;
    for (uint64_t back = 1; back <= MOST_ALIKE; back++)
        if (note_history_before(history, back)->pitch != pitch)
            return false;
    return true;
}

static bool repeats(const NoteHistory *history, uint64_t period, uint64_t times)
{
    if (history->count < period * times)
        return false;
    for (uint64_t back = 1; back <= period * (times - 1); back++) {
        const NoteToken *one = note_history_before(history, back);
        const NoteToken *other = note_history_before(history, back + period);
        if (one->pitch != other->pitch || one->step != other->step)
            return false;
    }
    return true;
}

bool note_history_is_loop(const NoteHistory *history, size_t pitch)
{
    for (uint64_t period = 2; period <= LONG_LOOP; period++)
        if (history->count >= period && note_history_before(history, period)->pitch == pitch &&
            repeats(history, period, period <= SHORT_LOOP ? 3 : 4))
            return true;
    return false;
}

bool note_history_is_narrow(const NoteHistory *history)
{
    uint64_t seen = 0;
    int pitches = 0;
    if (history->count < LOOKED_AT)
        return false;
    for (uint64_t back = 1; back <= LOOKED_AT; back++)
        seen |= (uint64_t)1 << note_history_before(history, back)->pitch;
    for (; seen; seen &= seen - 1)
        pitches++;
    return pitches < LEAST_PITCHES;
}
