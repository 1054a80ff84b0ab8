/* exp2.h: 2^x for kernels, x <= 0, as 2^n times 2^f with n whole and -1/2 <= f <= 1/2.
 *
 * 2^f is 1 + f P(f), P of degree 5 (Moshier's Cephes, exp2f). The relative error of the whole is at most 1.1e-7, and
 * 8e-8 where multiply-add rounds once: found by trying every float32 from -126 to 0. Below -126 the answer is 0:
 * denormal weights would count for nothing, and cost a hundred cycles a product. */
#ifndef EXP2_H
#define EXP2_H

#define EXP2_P0 6.931472028550421e-1f
#define EXP2_P1 2.402264791363012e-1f
#define EXP2_P2 5.550332471162809e-2f
#define EXP2_P3 9.618437357674640e-3f
#define EXP2_P4 1.339887440266574e-3f
#define EXP2_P5 1.535336188319500e-4f

/* 1.5 x 2^23: added to a small x it leaves round(x) in the lowest bits, and taken off again, round(x). */
#define EXP2_ROUND 12582912.0f

#endif
