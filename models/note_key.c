#include "models/note_key.h"

#include <math.h>
#include <string.h>

enum { MODES = 2, KEYS = MODES * NOTE_CLASSES };

/* Shares of the pitch classes from the tonic up. */
static const double PROFILES[MODES][NOTE_CLASSES] = {
    {0.184, 0.001, 0.155, 0.003, 0.191, 0.109, 0.005, 0.214, 0.001, 0.078, 0.004, 0.055},
    {0.192, 0.005, 0.149, 0.179, 0.002, 0.144, 0.002, 0.201, 0.038, 0.012, 0.053, 0.022}};

static const double FLOOR = 0.005; /* nothing is impossible */

static double share(int key, int pitch_class)
{
    const int tonic = key % NOTE_CLASSES;
    return PROFILES[key / NOTE_CLASSES][(pitch_class - tonic + NOTE_CLASSES) % NOTE_CLASSES];
}

/* ln of a key's likelihood, up to a constant. */
static double likelihood(int key, const double heard[NOTE_CLASSES])
{
    double sum = 0.0;
    for (int c = 0; c < NOTE_CLASSES; c++)
        sum += heard[c] * log(share(key, c) + FLOOR);
    return sum;
}

void note_key_leaning(const double heard[NOTE_CLASSES], double leaning[NOTE_CLASSES])
{
    double keys[KEYS], most = -INFINITY, total = 0.0, count = 0.0, largest = 0.0;
    memset(leaning, 0, NOTE_CLASSES * sizeof *leaning);
    for (int c = 0; c < NOTE_CLASSES; c++)
        count += heard[c];
    if (count <= 0.0)
        return;
    for (int k = 0; k < KEYS; k++)
        most = fmax(most, keys[k] = likelihood(k, heard));
    for (int k = 0; k < KEYS; k++)
        total += keys[k] = exp(keys[k] - most);
    for (int c = 0; c < NOTE_CLASSES; c++) {
        for (int k = 0; k < KEYS; k++)
            leaning[c] += keys[k] / total * share(k, c);
        leaning[c] = 0.5 * (leaning[c] + heard[c] / count) + FLOOR;
        largest = fmax(largest, leaning[c]);
    }
    for (int c = 0; c < NOTE_CLASSES; c++)
        leaning[c] = log(leaning[c] / largest);
}
