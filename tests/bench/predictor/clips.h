/* Clips made ready for the sample tier, kept in files between the program's runs. Files are of this
 * machine and this build; they are not checked against anything else's. */
#ifndef BRUME_TESTS_BENCH_PREDICTOR_CLIPS_H
#define BRUME_TESTS_BENCH_PREDICTOR_CLIPS_H

#include "models/predictor_clip.h"

/* Reads FOLDER/NAME.clip, made from the recording NAME.wav at `path`; makes and writes it if it is
 * not there. Exits with a message when it cannot, or when the file is of another recording of that
 * name. */
void clips_get(const char *folder, const char *path, PredictorClip *clip);

/* All recordings of a folder whose name ends in .wav, by name: paths, and their number. */
char **clips_list(const char *folder, size_t *count);

#endif
