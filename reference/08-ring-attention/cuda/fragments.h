/* fragments.h: where numbers lie in shared memory and in the lanes of a warp, for the tensor-core kernel.
 *
 * mma.sync.m16n8k16: a warp multiplies A (16 x 16) with B (16 x 8) and adds C (16 x 8). Each lane has 8 numbers of A in
 * four registers, 4 of B in two, 4 of C. ldmatrix fetches four 8 x 8 matrices: lane l gives the address of row l % 8 of
 * matrix l / 8, and gets two neighbours of row l / 4 of each; turned, two neighbours of column l / 4.
 *
 * Source: PTX ISA, "Matrix fragments for mma.m16n8k16" and "ldmatrix". The kernel and the test's emulation of a warp
 * both use what is here; the test also compares it with products computed plainly. */
#ifndef CUDA_FRAGMENTS_H
#define CUDA_FRAGMENTS_H

#include "work.h"

/* C: number i of a lane is at this row and column of 16 x 8. */
BOTH uint32_t c_row(uint32_t lane, uint32_t i)
{
    return lane / 4 + 8 * (i / 2);
}
BOTH uint32_t c_column(uint32_t lane, uint32_t i)
{
    return 2 * (lane % 4) + i % 2;
}

/* Which row, and which 16 bytes of it, a lane points to, of 16 rows and 16 columns. The four matrices: rows 0-7 and 8-15
 * of the first 8 columns, then of the next 8. For A that is the order of its registers. For B of keys, whose rows are
 * its columns, 0 and 2 are the two of the first 8 keys, 1 and 3 of the next. For B of values, whose rows are its depth,
 * turned: 0 and 1 of the first 8 columns, 2 and 3 of the next. So all three sides share their addresses. */
BOTH uint32_t matrix_row(uint32_t lane)
{
    return lane % 16;
}
BOTH uint32_t matrix_piece(uint32_t lane)
{
    return lane / 16;
}

/* Byte of a tile of rows of `d` bfloat16s. A piece is 16 bytes; those of row r change places by r % 8. So the same
 * piece of 8 rows in a row, which is what a matrix is, lies in all 32 banks, and none is asked twice. */
BOTH uint32_t tile_byte(uint32_t d, uint32_t row, uint32_t piece)
{
    return row * d * 2 + ((piece ^ (row % 8)) << 4);
}

#endif
