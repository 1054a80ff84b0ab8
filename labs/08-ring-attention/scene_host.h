/* scene_host.h: what the host's side of a scene is made of. */
#ifndef SCENE_HOST_H
#define SCENE_HOST_H

#include "scene.h"

#define ROOM_MOST  ((size_t)256 << 20)
#define ROOM_GUARD 4096u /* bytes on either side */
#define ROOM_BYTE  0xff  /* floats of it are NaN: who reads what he has not written gets that */

struct room {
    unsigned char *all, *at; /* at: AT_ALIGN, `bytes` of it are the entry's */
    size_t bytes;
};
int room_make(struct room *room, size_t bytes); /* 0 or -ENOMEM */
bool room_end(struct room *room);               /* was anything written outside? */

void scene_fill(uint32_t *at, size_t n, uint32_t bits);
void scene_log(struct decision_log *log, const void *records, size_t n);
int scene_run_ring(const struct scene *scene, const struct plugin *plugin, const struct at_ops *ops,
                   struct decision_log *log);

#endif
