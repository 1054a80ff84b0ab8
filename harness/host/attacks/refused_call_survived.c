/* verdict: forbidden-system-call, left-early Takes the handler of SIGSYS for itself, so as to live on after a refused
 * call and to hide it. */
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

static void nothing(int s)
{
    (void)s;
}

__attribute__((constructor)) static void attack(void)
{
    signal(SIGSYS, nothing);
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    if (socket(AF_UNIX, SOCK_STREAM, 0) >= 0)
        for (;;) /* it got one: hang, which is not the verdict that is expected */
            sleep(1);
    _exit(0);
}
