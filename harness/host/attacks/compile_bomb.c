/* verdict: does-not-build A few lines that become gigabytes of code. */
#define A(x) x x x x x x x x x x
#define B(x) A(x) A(x) A(x) A(x) A(x) A(x) A(x) A(x) A(x) A(x)
#define C(x) B(B(x))
#define D(x) C(C(x))
static const char bomb[] = {D(D("boom"))};
__attribute__((constructor)) static void attack(void)
{
    (void)bomb;
}
