/* The anchor: a note's partials as sound, a piece at a time. The sample tier sees this waveform
 * around each sample that it draws. */
#ifndef BRUME_MODELS_ANCHOR_H
#define BRUME_MODELS_ANCHOR_H

#include <complex.h>
#include <stddef.h>

/* A piece of at most 64 samples of one note, n of them, in which amplitudes and frequency are
 * straight lines (`from` at the first sample, `to` at the one after the last). Partial p's phase at
 * the first sample is ratio[p] * turns (of the note's own frequency since its onset) plus the angle
 * of its amplitude. */
typedef struct AnchorPiece {
    size_t n, partials;
    const float *ratio;             /* (partials,) */
    const float complex *from, *to; /* (partials,) */
    double turns;
    float hertz_from, hertz_to;
} AnchorPiece;

/* Adds the piece to out (n,). Partials that reach half the sampling rate (16 kHz) are left out.
 * Returns the turns at the piece's end. Any thread, an audio thread too. */
double anchor_add(const AnchorPiece *piece, float *out);

#endif
