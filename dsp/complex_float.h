/* <complex.h> with CMPLXF, which glibc gives to gcc alone. */
#ifndef BRUME_DSP_COMPLEX_FLOAT_H
#define BRUME_DSP_COMPLEX_FLOAT_H

#include <complex.h>

#ifndef CMPLXF
#define CMPLXF(real, imaginary) __builtin_complex((float)(real), (float)(imaginary))
#endif

#endif
