/* What the entries on a GPU have in common with those on the CPU, and the same text of it: legal problems, visible keys
 * and merge; layouts of the ring, and whose block a rank holds. */
#include "problem.c"
#include "ring_layout.c"
