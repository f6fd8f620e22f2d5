/* The partials of every note of a melody: frequency, amplitude and phase as functions of time, from
 * its onset until they have died away under the notes that follow.
 *
 * Time is cut at the onsets; in each stretch the partials of the note that begins there (0 at its
 * first sample, so that attacks stay sharp) and those that ring on from before (from the amplitudes
 * that the stretch before ended with) are fitted together (dsp/partial_fit), the new note's
 * frequency is corrected by the phases that come out, and they are fitted again. An old partial
 * nearer to a new one than the stretch can resolve is handed over to it.
 *
 * Partial p of a note sounds as Re(c_p(t) exp(2 pi i r_p phi(t))), phi(t) the turns of the note's
 * frequency since its onset; c_p and the frequency are straight between knots. Samples are mono at
 * PITCH_RATE. A pure function of its input; any thread but an audio thread. */
#ifndef BRUME_DSP_PARTIALS_H
#define BRUME_DSP_PARTIALS_H

#include "dsp/error.h"
#include "dsp/notes.h"

#include <complex.h>
#include <stddef.h>

typedef struct PartialNote {
    size_t first;             /* its first knot, at its onset */
    size_t knots;             /* it sounds from knot `first` to knot first + knots - 1 */
    size_t partials;          /* up to 80, harmonics first */
    float *ratio;             /* (partials,): frequency over the note's */
    float *hertz;             /* (knots,): the note's frequency */
    float complex *amplitude; /* (knots, partials); 0 at the onset */
} PartialNote;

typedef struct Partials {
    size_t *knot; /* (knots,): samples, ascending, at most 21 ms apart from the first onset on */
    size_t knots;
    PartialNote *note; /* (notes,): of the notes that were given */
    size_t notes;
    float *sound; /* (n,): what all partials sound like, in phase with x */
} Partials;

/* Measures the partials of x (n,), whose notes are `notes` (from notes_analyse on the same
 * samples). Samples that are not finite count as 0. Takes about 100 MB while it runs, and about 25
 * kB for each second and ten partials in the end. -1 and `err` when memory runs out; then *out is
 * empty. Free with partials_clear. */
int partials_measure(const float *x, size_t n, const Notes *notes, Partials *out, Error *err);

void partials_clear(Partials *partials);

#endif
