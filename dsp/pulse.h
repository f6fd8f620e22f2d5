/* The pulse that note onsets keep to. Used by dsp/notes. */
#ifndef BRUME_DSP_PULSE_H
#define BRUME_DSP_PULSE_H

#include "dsp/notes.h"

/* notes (count,) -> the likeliest steps (tatums) of 0.08 to 0.7 s that intervals between onsets are
 * whole numbers of, best first; seconds 0 where there are no more. Fewer than four notes have no
 * pulse. The score of a step is the mean cosine of the intervals' phase in it (Schroeder's
 * histogram on a circle), over intervals of one to four notes; among steps that score alike the
 * longest is the best, since its divisors fit as well. The beat is the multiple nearest to 0.5 s on
 * which long and loud notes fall. */
void pulse_find(const Note *note, size_t count, Pulse pulse[NOTES_PULSES]);

#endif
