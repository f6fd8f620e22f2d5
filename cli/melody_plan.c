#include "cli/melody_plan.h"

#include <stdio.h>

/* Heard notes under which they say more about the listener's mistakes than about the tunes; notes
 * and tunes, and seconds of sound, under which little can be learnt. */
enum { HEARD_LEAST = 100, NOTES_LITTLE = 300, TUNES_LITTLE = 3 };
static const double TOO_LITTLE = 10.0, LITTLE = 60.0;

static void tell_notes(const MelodyFolder *found)
{
    const size_t tunes = note_corpus_tunes(found->tunes, NOTE_TRAIN);
    const size_t notes = note_corpus_notes(found->tunes, NOTE_TRAIN);
    if (tunes < TUNES_LITTLE || notes < NOTES_LITTLE)
        fprintf(stderr,
                "brume train: warning: %zu notes in %zu tunes to learn from are little: expect "
                "parts of them again; ten tunes or more give a better model\n",
                notes, tunes);
    if (!note_corpus_tunes(found->tunes, NOTE_VALIDATE))
        fprintf(stderr, "brume train: warning: no tune can be spared to test on, so that nobody "
                        "can tell when they are learnt by heart: give three or more\n");
}

static void tell_sound(const MelodyFolder *found)
{
    if (found->seconds < LITTLE)
        fprintf(stderr,
                "brume train: warning: %.0f seconds of sound to learn from are %s; a minute or "
                "more gives a better model\n",
                found->seconds, found->seconds < TOO_LITTLE ? "too little" : "little");
    if (!found->counts[1])
        fprintf(stderr, "brume train: warning: no sound can be spared to test on, so that nobody "
                        "can tell when it is learnt by heart: give five seconds or more\n");
}

MelodyPlan melody_plan_make(const MelodyFolder *found, bool from_model)
{
    const size_t notes = note_corpus_notes(found->tunes, NOTE_TRAIN);
    const size_t least = from_model && found->heard && found->counts[0] ? HEARD_LEAST : 1;
    const MelodyPlan plan = {.notes = notes >= least, .samples = found->counts[0] > 0};
    if (plan.notes)
        tell_notes(found);
    else
        fprintf(stderr,
                "brume train: note: the %zu notes heard in the recordings are too few to learn "
                "from: the model's notes stay as they are; MIDI files would teach it more\n",
                notes);
    if (plan.samples)
        tell_sound(found);
    else
        fprintf(stderr, "brume train: note: there are no recordings: the model's sound stays as "
                        "it is\n");
    return plan;
}
