/* verdict: wrong, too-costly Begins the count itself and as often as it likes, handles SIGTRAP, raises it, executes
 * break points and switches the processor's trap flag: all that it could do to a count by single steps, which gets
 * larger by it. Early marks count what else is done at full speed, so the limit may come. */
#include "host/log.h"

#include <signal.h>

static void nothing(int s)
{
    (void)s;
}

__attribute__((constructor)) static void attack(void)
{
    signal(SIGTRAP, nothing);
    log_count_from_here();
    log_count_from_here();
    raise(SIGTRAP);
#ifdef __x86_64__
    __asm__ volatile("int3\n\tnop");
    __asm__ volatile("pushf\n\torl $0x100, (%%rsp)\n\tpopf\n\tnop\n\tpushf\n\tandl $0xfffffeff, (%%rsp)\n\tpopf" ::
                         : "memory", "cc");
#endif
}
