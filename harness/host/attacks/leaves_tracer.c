/* verdict: forbidden-system-call Tells the kernel that nobody is to watch this process. */
#include <sys/ptrace.h>

__attribute__((constructor)) static void attack(void)
{
    ptrace(PTRACE_DETACH, 0, 0, 0);
    ptrace(PTRACE_TRACEME, 0, 0, 0);
}
