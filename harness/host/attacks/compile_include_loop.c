/* verdict: does-not-build Has the compiler read without end. */
#include "/dev/zero"
