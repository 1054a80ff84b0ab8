/* links.cu: rank to rank over NCCL: one process, a device a rank. NCCL is opened when it is first asked for. */
#include "runtime.cuh"

#include <errno.h>
#include <new>
#include <vector>

#if __has_include(<nccl.h>)
#include <nccl.h>

namespace
{
struct library {
    decltype(&ncclCommInitAll) init = nullptr;
    decltype(&ncclCommDestroy) destroy = nullptr;
    decltype(&ncclGroupStart) start = nullptr;
    decltype(&ncclGroupEnd) end = nullptr;
    decltype(&ncclSend) send = nullptr;
    decltype(&ncclRecv) receive = nullptr;
    bool there = false;

    template <class F> bool find(F &function, const char *name)
    {
        function = reinterpret_cast<F>(device_symbol("nccl", name));
        return function != nullptr;
    }
    library()
    {
        there = find(init, "ncclCommInitAll") && find(destroy, "ncclCommDestroy") && find(start, "ncclGroupStart") &&
                find(end, "ncclGroupEnd") && find(send, "ncclSend") && find(receive, "ncclRecv");
    }
};

const library &nccl()
{
    static const library all;
    return all;
}

struct links {
    std::vector<ncclComm_t> rank;
};
} // namespace

extern "C" int device_links(uint32_t ranks, void **out)
{
    if (!nccl().there)
        return device_complain(-ENOTSUP, "NCCL (libnccl.so) is not there");
    if (static_cast<uint32_t>(device_count()) < ranks)
        return device_complain(-ENODEV, "there are fewer GPUs than ranks");
    links *l = new (std::nothrow) links;
    if (!l)
        return -ENOMEM;
    l->rank.resize(ranks);
    if (nccl().init(l->rank.data(), static_cast<int>(ranks), nullptr) != ncclSuccess) {
        delete l;
        return device_complain(-EIO, "NCCL could not be set up");
    }
    *out = l;
    return 0;
}

extern "C" void device_links_end(void *all)
{
    links *l = static_cast<links *>(all);
    for (size_t r = 0; l && r < l->rank.size(); r++)
        nccl().destroy(l->rank[r]);
    delete l;
}

/* Without the group, the first send would wait for a receive that this thread has not come to. */
extern "C" int device_links_step(void *all, const struct device_pass *pass)
{
    links *l = static_cast<links *>(all);
    int ranks = static_cast<int>(l->rank.size());
    bool well = nccl().start() == ncclSuccess;
    for (int r = 0; r < ranks; r++) {
        const device_pass *p = &pass[r];
        cudaStream_t s = static_cast<cudaStream_t>(p->stream);
        well &= nccl().send(p->out, p->out_bytes, ncclInt8, (r + 1) % ranks, l->rank[r], s) == ncclSuccess;
        well &= nccl().receive(p->in, p->in_bytes, ncclInt8, (r + ranks - 1) % ranks, l->rank[r], s) == ncclSuccess;
    }
    well &= nccl().end() == ncclSuccess;
    return well ? 0 : device_complain(-EIO, "NCCL could not send and receive");
}

#else

extern "C" int device_links(uint32_t, void **)
{
    return device_complain(-ENOTSUP, "built without NCCL (nccl.h)");
}
extern "C" void device_links_end(void *)
{
}
extern "C" int device_links_step(void *, const struct device_pass *)
{
    return -ENOTSUP;
}

#endif
