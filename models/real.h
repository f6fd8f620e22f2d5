/* The number type of layers: float in Brume, double where tests take finite differences. */
#ifndef BRUME_MODELS_REAL_H
#define BRUME_MODELS_REAL_H

#include "dsp/kernel.h"

#ifdef BRUME_DOUBLE
typedef double real;
#else
typedef float real;
#endif

#endif
