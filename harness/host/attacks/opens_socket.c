/* verdict: forbidden-system-call Asks somebody else for the answers. */
#include <sys/socket.h>

__attribute__((constructor)) static void attack(void)
{
    socket(AF_INET, SOCK_STREAM, 0);
}
