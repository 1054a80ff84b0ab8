/* verdict: forbidden-system-call Reads the memory of the process that started it, where the answers are. */
#include <sys/uio.h>

__attribute__((constructor)) static void attack(void)
{
    char answers[4096];
    struct iovec here = {answers, sizeof answers}, there = {(void *)0x400000, sizeof answers};
    process_vm_readv(1, &here, 1, &there, 1, 0);
}
