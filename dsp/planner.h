/* FFTW's planner is the one part of it that threads may not share: plans are made and destroyed
 * between these two, wherever in Brume. */
#ifndef BRUME_DSP_PLANNER_H
#define BRUME_DSP_PLANNER_H

void planner_lock(void);
void planner_unlock(void);

#endif
