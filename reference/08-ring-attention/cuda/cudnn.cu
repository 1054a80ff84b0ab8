/* cudnn.cu: cuDNN's attention, to be compared with.
 *
 * Idea       One operation (SDPA) in a graph of one; cuDNN's heuristics choose the engine, a plan is made of it once and
 *            executed often. Through the backend's C interface: its C++ front end would be a header library of its own
 *            for what is a dozen calls here.
 * Invariant  q, k and v lie as for the tensor rung, (pairs, n, d) dense, as one sequence with `pairs` heads; so heads
 *            that share keys are cuDNN's own.
 * Cost       Whatever it is. The output is bfloat16, half of what the rungs here write.
 * Gets wrong Masks: a shard's mask is one number a row here, which cuDNN knows as a diagonal only; so it is asked for
 *            none. Before 9.13.1 the operation was a graph of seven, and is not asked for.
 * Source     cuDNN, "Backend Descriptor Types"; cudnn-frontend, which shows what the operation takes. A plan can be made
 *            for a device that isn't there (since 9.8), from its description: so the graph is tested without a GPU.
 *            cuDNN is opened when it is first asked for.
 */
#include "runtime.cuh"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#if __has_include(<cudnn.h>)
#include <cudnn.h>
#endif

#if defined(CUDNN_VERSION) && CUDNN_VERSION >= 91301
namespace
{
struct library {
    decltype(&cudnnCreate) create = nullptr;
    decltype(&cudnnDestroy) destroy = nullptr;
    decltype(&cudnnSetStream) set_stream = nullptr;
    decltype(&cudnnGetVersion) version = nullptr;
    decltype(&cudnnGetLastErrorString) why = nullptr;
    decltype(&cudnnBackendCreateDescriptor) make = nullptr;
    decltype(&cudnnBackendDestroyDescriptor) end = nullptr;
    decltype(&cudnnBackendSetAttribute) set = nullptr;
    decltype(&cudnnBackendGetAttribute) get = nullptr;
    decltype(&cudnnBackendFinalize) finish = nullptr;
    decltype(&cudnnBackendExecute) execute = nullptr;
    bool there = true;

    template <typename function> void find(function &f, const char *name)
    {
        f = reinterpret_cast<function>(device_symbol("cudnn", name));
        there = there && f;
    }
    library()
    {
        find(create, "cudnnCreate");
        find(destroy, "cudnnDestroy");
        find(set_stream, "cudnnSetStream");
        find(version, "cudnnGetVersion");
        find(why, "cudnnGetLastErrorString");
        find(make, "cudnnBackendCreateDescriptor");
        find(end, "cudnnBackendDestroyDescriptor");
        find(set, "cudnnBackendSetAttribute");
        find(get, "cudnnBackendGetAttribute");
        find(finish, "cudnnBackendFinalize");
        find(execute, "cudnnBackendExecute");
    }
};

const library &cudnn()
{
    static const library all;
    return all;
}

/* The first thing that fails decides; what is asked of it after that does nothing. */
struct state {
    cudnnStatus_t status = CUDNN_STATUS_SUCCESS;

    bool fine() const
    {
        return status == CUDNN_STATUS_SUCCESS;
    }
    void take(cudnnStatus_t next, const char *what)
    {
        char why[160] = "", all[250];
        if (!fine() || next == CUDNN_STATUS_SUCCESS)
            return;
        status = next;
        cudnn().why(why, sizeof why);
        snprintf(all, sizeof all, "cuDNN %zu: %s: %s", cudnn().version(), what, why);
        device_complain(-ENOTSUP, all);
    }
};

struct descriptor {
    cudnnBackendDescriptor_t it = nullptr;
    state *s = nullptr;
    const char *name = "";

    descriptor() = default;
    descriptor(const descriptor &) = delete;
    descriptor &operator=(const descriptor &) = delete;
    ~descriptor()
    {
        if (it)
            cudnn().end(it);
    }
    void make(state *of, cudnnBackendDescriptorType_t type, const char *called)
    {
        s = of;
        name = called;
        if (s->fine())
            s->take(cudnn().make(type, &it), name);
    }
    void set(cudnnBackendAttributeName_t what, cudnnBackendAttributeType_t type, int64_t n, const void *values)
    {
        if (s->fine())
            s->take(cudnn().set(it, what, type, n, values), name);
    }
    void set(cudnnBackendAttributeName_t what, const descriptor &other)
    {
        set(what, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &other.it);
    }
    void finish()
    {
        if (s->fine())
            s->take(cudnn().finish(it), name);
    }
};

enum { Q = 1, K, V, OUT, LSE, SCALE, TENSORS = SCALE };

/* (1, heads, rows, d), dense. */
void make_tensor(descriptor *t, state *s, int64_t uid, cudnnDataType_t type, int64_t heads, int64_t rows, int64_t d)
{
    const int64_t dim[4] = {1, heads, rows, d}, step[4] = {heads * rows * d, rows * d, d, 1}, align = 16;
    const bool value = uid == SCALE;
    t->make(s, CUDNN_BACKEND_TENSOR_DESCRIPTOR, "a tensor");
    t->set(CUDNN_ATTR_TENSOR_UNIQUE_ID, CUDNN_TYPE_INT64, 1, &uid);
    t->set(CUDNN_ATTR_TENSOR_DATA_TYPE, CUDNN_TYPE_DATA_TYPE, 1, &type);
    t->set(CUDNN_ATTR_TENSOR_DIMENSIONS, CUDNN_TYPE_INT64, 4, dim);
    t->set(CUDNN_ATTR_TENSOR_STRIDES, CUDNN_TYPE_INT64, 4, step);
    t->set(CUDNN_ATTR_TENSOR_BYTE_ALIGNMENT, CUDNN_TYPE_INT64, 1, &align);
    t->set(CUDNN_ATTR_TENSOR_IS_BY_VALUE, CUDNN_TYPE_BOOLEAN, 1, &value);
    t->finish();
}

struct attention {
    state s;
    cudnnHandle_t handle = nullptr;
    descriptor device, tensor[TENSORS], operation, graph, heuristics, engine, plan, pack;
    void *room = nullptr;
    float scale = 0;

    ~attention()
    {
        device_free(room);
        if (handle)
            cudnn().destroy(handle);
    }
};

void make_graph(attention *a, const gpu_work *w)
{
    static const cudnnBackendAttributeName_t role[TENSORS] = {
        CUDNN_ATTR_OPERATION_SDPA_FWD_QDESC,     CUDNN_ATTR_OPERATION_SDPA_FWD_KDESC,
        CUDNN_ATTR_OPERATION_SDPA_FWD_VDESC,     CUDNN_ATTR_OPERATION_SDPA_FWD_ODESC,
        CUDNN_ATTR_OPERATION_SDPA_FWD_STATSDESC, CUDNN_ATTR_OPERATION_SDPA_FWD_SCALEDESC};
    const int64_t pairs = w->pairs, shared = w->pairs / w->group, n_q = w->n_q, n_k = w->n_k, d = w->d;
    make_tensor(&a->tensor[Q - 1], &a->s, Q, CUDNN_DATA_BFLOAT16, pairs, n_q, d);
    make_tensor(&a->tensor[K - 1], &a->s, K, CUDNN_DATA_BFLOAT16, shared, n_k, d);
    make_tensor(&a->tensor[V - 1], &a->s, V, CUDNN_DATA_BFLOAT16, shared, n_k, d);
    make_tensor(&a->tensor[OUT - 1], &a->s, OUT, CUDNN_DATA_BFLOAT16, pairs, n_q, d);
    make_tensor(&a->tensor[LSE - 1], &a->s, LSE, CUDNN_DATA_FLOAT, pairs, n_q, 1);
    make_tensor(&a->tensor[SCALE - 1], &a->s, SCALE, CUDNN_DATA_FLOAT, 1, 1, 1);
    a->operation.make(&a->s, CUDNN_BACKEND_OPERATION_SDPA_FWD_DESCRIPTOR, "the operation");
    for (int i = 0; i < TENSORS; i++)
        a->operation.set(role[i], a->tensor[i]);
    a->operation.finish();
    a->graph.make(&a->s, CUDNN_BACKEND_OPERATIONGRAPH_DESCRIPTOR, "the graph");
    a->graph.set(CUDNN_ATTR_OPERATIONGRAPH_OPS, a->operation);
    if (a->handle)
        a->graph.set(CUDNN_ATTR_OPERATIONGRAPH_HANDLE, CUDNN_TYPE_HANDLE, 1, &a->handle);
    a->graph.finish();
}

/* The best engine that the heuristics know, and its plan. */
void make_plan(attention *a)
{
    const cudnnBackendHeurMode_t mode = CUDNN_HEUR_MODE_A;
    int64_t found = 0;
    a->heuristics.make(&a->s, CUDNN_BACKEND_ENGINEHEUR_DESCRIPTOR, "its heuristics");
    a->heuristics.set(CUDNN_ATTR_ENGINEHEUR_OPERATION_GRAPH, a->graph);
    a->heuristics.set(CUDNN_ATTR_ENGINEHEUR_MODE, CUDNN_TYPE_HEUR_MODE, 1, &mode);
    if (!a->handle)
        a->heuristics.set(CUDNN_ATTR_ENGINEHEUR_DEVICEPROP, a->device);
    a->heuristics.finish();
    a->engine.make(&a->s, CUDNN_BACKEND_ENGINECFG_DESCRIPTOR, "an engine");
    if (a->s.fine())
        a->s.take(cudnn().get(a->heuristics.it, CUDNN_ATTR_ENGINEHEUR_RESULTS, CUDNN_TYPE_BACKEND_DESCRIPTOR, 1, &found,
                              &a->engine.it),
                  "its heuristics");
    if (a->s.fine() && found == 0)
        a->s.take(CUDNN_STATUS_NOT_SUPPORTED, "no engine for such a problem");
    a->plan.make(&a->s, CUDNN_BACKEND_EXECUTION_PLAN_DESCRIPTOR, "the plan");
    a->plan.set(CUDNN_ATTR_EXECUTION_PLAN_ENGINE_CONFIG, a->engine);
    if (a->handle)
        a->plan.set(CUDNN_ATTR_EXECUTION_PLAN_HANDLE, CUDNN_TYPE_HANDLE, 1, &a->handle);
    else
        a->plan.set(CUDNN_ATTR_EXECUTION_PLAN_DEVICEPROP, a->device);
    a->plan.finish();
}

int make_pack(attention *a, const gpu_work *w, void *out)
{
    const int64_t uid[TENSORS] = {Q, K, V, OUT, LSE, SCALE};
    const void *const data[TENSORS] = {w->q, w->k, w->v, out, w->lse, &a->scale};
    int64_t bytes = 0, one = 0;
    if (a->s.fine())
        a->s.take(cudnn().get(a->plan.it, CUDNN_ATTR_EXECUTION_PLAN_WORKSPACE_SIZE, CUDNN_TYPE_INT64, 1, &one, &bytes),
                  "the plan");
    if (!a->s.fine())
        return -ENOTSUP;
    int code = device_alloc(&a->room, static_cast<size_t>(bytes));
    if (code)
        return code;
    a->pack.make(&a->s, CUDNN_BACKEND_VARIANT_PACK_DESCRIPTOR, "the tensors' memory");
    a->pack.set(CUDNN_ATTR_VARIANT_PACK_UNIQUE_IDS, CUDNN_TYPE_INT64, TENSORS, uid);
    a->pack.set(CUDNN_ATTR_VARIANT_PACK_DATA_POINTERS, CUDNN_TYPE_VOID_PTR, TENSORS, data);
    a->pack.set(CUDNN_ATTR_VARIANT_PACK_WORKSPACE, CUDNN_TYPE_VOID_PTR, 1, &a->room);
    a->pack.finish();
    return a->s.fine() ? 0 : -ENOTSUP;
}

int nothing_there()
{
    return cudnn().there ? 0 : device_complain(-ENOTSUP, "cuDNN (libcudnn.so) is not there");
}
} // namespace

extern "C" int device_cudnn(const struct gpu_work *w, void *out, void **made)
{
    int code = nothing_there();
    if (code)
        return code;
    attention *a = new attention;
    a->scale = w->scale;
    a->s.take(cudnn().create(&a->handle), "it could not be set up");
    make_graph(a, w);
    make_plan(a);
    code = make_pack(a, w, out);
    if (code)
        delete a;
    else
        *made = a;
    return code;
}

extern "C" int device_cudnn_run(const void *made, void *stream)
{
    const attention *a = static_cast<const attention *>(made);
    if (cudnn().set_stream(a->handle, static_cast<cudaStream_t>(stream)) != CUDNN_STATUS_SUCCESS)
        return device_complain(-EIO, "cuDNN would not take the stream");
    return cudnn().execute(a->handle, a->plan.it, a->pack.it) == CUDNN_STATUS_SUCCESS
               ? 0
               : device_complain(-EIO, "cuDNN could not execute its plan");
}

extern "C" void device_cudnn_end(void *made)
{
    delete static_cast<attention *>(made);
}

extern "C" int device_cudnn_plans(const struct gpu_work *w, const char *device)
{
    int code = nothing_there();
    if (code)
        return code;
    attention a;
    a.device.make(&a.s, CUDNN_BACKEND_DEVICEPROP_DESCRIPTOR, "the device's description");
    a.device.set(CUDNN_ATTR_DEVICEPROP_JSON_REPRESENTATION, CUDNN_TYPE_CHAR, static_cast<int64_t>(strlen(device)),
                 device);
    a.device.finish();
    make_graph(&a, w);
    make_plan(&a);
    return a.s.fine() ? 0 : -ENOTSUP;
}
#else
static int absent()
{
    return device_complain(-ENOTSUP, "built without cuDNN's headers (cudnn.h, 9.13.1 or later)");
}
extern "C" int device_cudnn(const struct gpu_work *, void *, void **)
{
    return absent();
}
extern "C" int device_cudnn_run(const void *, void *)
{
    return absent();
}
extern "C" void device_cudnn_end(void *)
{
}
extern "C" int device_cudnn_plans(const struct gpu_work *, const char *)
{
    return absent();
}
#endif
