/* book.h: attention that keeps books: which query met which key, how often. For rings, instead of arithmetic.
 *
 * A ring only ever calls its `blocks`, so whatever these do goes round just as attention does. Here key j has the row
 * k = (j, 0, 0, ...), its value 1 in column j and 0 elsewhere, query i the row q = (i, 0, ...). forward adds the values
 * of the keys that a query sees, merge adds: output i, column j says how often query i has met key j, exactly. lse is
 * the number of keys met, or -inf when there were none, so (0, -inf) is the identity as it is in attention.
 *
 * It takes one unit of work for each pair that sees each other, and asks for no workspace.
 */
#ifndef BOOK_H
#define BOOK_H

#include "ring_attention.h"

extern const struct at_ops book_ops;

#define BOOK_TOTAL 512u /* the longest sequence: as many columns as there are tokens */

/* Blocks so far with keys and values of different tokens, or with positions that are not those of their rows. Set to 0
 * by who runs a ring; one ring at a time. */
extern uint32_t book_strange;

#endif
