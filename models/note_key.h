/* The key of what was heard, as a leaning: how likely each pitch class is in what follows. */
#ifndef BRUME_MODELS_NOTE_KEY_H
#define BRUME_MODELS_NOTE_KEY_H

enum { NOTE_CLASSES = 12 };

/* heard (NOTE_CLASSES,): how often each pitch class was heard. leaning (NOTE_CLASSES,): ln of how
 * likely it is to come, relative to the likeliest: 0 or less; all 0 if nothing was
 * heard. Half of it are the major and minor keys' profiles of Temperley ("Music and Probability",
 * 2007, from the Essen folk songs), each weighed by how well it explains what was heard (Bayes);
 * half is what was heard itself. */
void note_key_leaning(const double heard[NOTE_CLASSES], double leaning[NOTE_CLASSES]);

#endif
