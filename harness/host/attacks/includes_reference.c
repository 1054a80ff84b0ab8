/* verdict: does-not-build Has the compiler read the reference. */
#include "@REFERENCE@/README.md"
#include "@REFERENCE@/round_robin.c"
