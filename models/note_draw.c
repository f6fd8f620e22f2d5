#include "models/note_draw.h"

#include <math.h>

/* Category numbers with the likeliest first; equals stay in order. Returns how many can be drawn.
 */
static size_t sort(size_t n, const real *logits, size_t *order)
{
    size_t count = 0;
    for (size_t c = 0; c < n; c++) {
        if (!(logits[c] > (real)-INFINITY))
            continue;
        size_t at = count++;
        for (; at > 0 && logits[order[at - 1]] < logits[c]; at--)
            order[at] = order[at - 1];
        order[at] = c;
    }
    return count;
}

size_t category_draw(size_t n, const real *logits, double temperature, double top_p, double uniform)
{
    size_t order[DRAW_MOST];
    double weights[DRAW_MOST], sum = 0.0, kept = 0.0;
    const size_t count = sort(n, logits, order);
    if (!count)
        return n;
    if (temperature <= 0.0)
        return order[0];
    for (size_t i = 0; i < count; i++)
        sum += weights[i] = exp((double)(logits[order[i]] - logits[order[0]]) / temperature);
    size_t left = 0;
    while (left < count && (left == 0 || kept < top_p * sum))
        kept += weights[left++];
    double at = uniform * kept;
    for (size_t i = 0; i + 1 < left; i++) {
        if (at < weights[i])
            return order[i];
        at -= weights[i];
    }
    return order[left - 1];
}
