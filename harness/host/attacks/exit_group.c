/* verdict: left-early The same by the system call itself, so that no exit handler, no wrapper and no destructor sees
 * it. */
#include <sys/syscall.h>
#include <unistd.h>

__attribute__((constructor)) static void attack(void)
{
    syscall(SYS_exit_group, 0);
}
