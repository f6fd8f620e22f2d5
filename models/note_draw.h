/* Draws from a categorical distribution: temperature and top-p (nucleus sampling, Holtzman et al.
 * 2020). Any thread; allocates nothing. */
#ifndef BRUME_MODELS_NOTE_DRAW_H
#define BRUME_MODELS_NOTE_DRAW_H

#include "models/real.h"

#include <stddef.h>

enum { DRAW_MOST = 64 };

/* One of n <= DRAW_MOST categories, by softmax(logits / temperature) cut down to the fewest,
 * likeliest ones that hold `top_p` of it, with `uniform` in [0, 1). Temperature 0 takes the
 * likeliest (the first of equals), as does top_p 0. A logit of -INFINITY is never drawn, unless
 * all are: then the answer is n. */
size_t category_draw(size_t n, const real *logits, double temperature, double top_p,
                     double uniform);

#endif
