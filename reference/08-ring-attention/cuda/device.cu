/* device.cu: device.h over CUDA's runtime. The driver, cuBLAS and NCCL are looked for at run time: a machine without
 * them loads this, and is told what is missing. */
#include "runtime.cuh"

#include <climits>
#include <dlfcn.h>
#include <errno.h>
#include <mutex>
#include <stdio.h>
#include <string.h>

static thread_local char complaint[256];

int device_complain(int code, const char *what)
{
    snprintf(complaint, sizeof complaint, "%s", what);
    return code;
}

extern "C" const char *device_complaint(void)
{
    return complaint;
}

int device_code(cudaError_t error)
{
    if (error == cudaSuccess)
        return 0;
    cudaGetLastError(); /* or the next call would report it again */
    int code = error == cudaErrorMemoryAllocation                                   ? -ENOMEM
               : error == cudaErrorNoDevice || error == cudaErrorInsufficientDriver ? -ENODEV
                                                                                    : -EIO;
    return device_complain(code, cudaGetErrorString(error));
}

/* First where the linker looks, then where the toolkit that built this is. */
void *device_symbol(const char *library, const char *name)
{
    static std::mutex lock;
    std::lock_guard<std::mutex> hold(lock);
    char path[512];
    snprintf(path, sizeof path, "lib%s.so", library);
    void *handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    for (int major = 13; !handle && major >= 2; major--) {
        snprintf(path, sizeof path, "lib%s.so.%d", library, major);
        handle = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    }
    return handle ? dlsym(handle, name) : nullptr;
}

static const char *look(void)
{
    static char text[200];
    int count = 0, major = 0, minor = 0;
    cudaError_t error = cudaGetDeviceCount(&count);
    if (error == cudaErrorInsufficientDriver)
        return "no NVIDIA driver here, or one older than the CUDA runtime";
    if (error == cudaErrorNoDevice || (error == cudaSuccess && count == 0))
        return "no NVIDIA GPU here";
    if (error != cudaSuccess) {
        snprintf(text, sizeof text, "the NVIDIA driver does not answer: %s", cudaGetErrorString(error));
        return text;
    }
    if (cudaDeviceGetAttribute(&major, cudaDevAttrComputeCapabilityMajor, 0) != cudaSuccess ||
        cudaDeviceGetAttribute(&minor, cudaDevAttrComputeCapabilityMinor, 0) != cudaSuccess)
        return "the GPU does not say what it is";
    if (major != 8 && major != 9) {
        snprintf(text, sizeof text, "the GPU has compute capability %d.%d; the kernels are built for 8.x and 9.0",
                 major, minor);
        return text;
    }
    return nullptr;
}

extern "C" const char *device_missing(void)
{
    static const char *const missing = look();
    return missing;
}

extern "C" int device_name(char *name, size_t size)
{
    cudaDeviceProp p;
    int code = device_code(cudaGetDeviceProperties(&p, 0));
    if (code == 0)
        snprintf(name, size, "%s, compute capability %d.%d, %d multiprocessors", p.name, p.major, p.minor,
                 p.multiProcessorCount);
    return code;
}

extern "C" int device_count(void)
{
    int count = 0;
    return cudaGetDeviceCount(&count) == cudaSuccess ? count : 0;
}
extern "C" int device_use(int device)
{
    return device_code(cudaSetDevice(device));
}

/* ---- memory ------------------------------------------------------------------------------------------------------- */

extern "C" int device_alloc(void **memory, size_t bytes)
{
    *memory = nullptr;
    return bytes ? device_code(cudaMalloc(memory, bytes)) : 0;
}
extern "C" void device_free(void *memory)
{
    cudaFree(memory);
}
extern "C" int device_put(void *device, const void *host, size_t bytes)
{
    return bytes ? device_code(cudaMemcpy(device, host, bytes, cudaMemcpyHostToDevice)) : 0;
}
extern "C" int device_get(void *host, const void *device, size_t bytes)
{
    return bytes ? device_code(cudaMemcpy(host, device, bytes, cudaMemcpyDeviceToHost)) : 0;
}
extern "C" int device_copy(void *to, const void *from, size_t bytes, void *stream)
{
    cudaStream_t s = static_cast<cudaStream_t>(stream);
    return bytes ? device_code(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDeviceToDevice, s)) : 0;
}
extern "C" int device_zero(void *memory, size_t bytes, void *stream)
{
    return bytes ? device_code(cudaMemsetAsync(memory, 0, bytes, static_cast<cudaStream_t>(stream))) : 0;
}

/* ---- streams and events ------------------------------------------------------------------------------------------- */

extern "C" int device_stream(void **stream)
{
    cudaStream_t s = nullptr;
    int code = device_code(cudaStreamCreateWithFlags(&s, cudaStreamNonBlocking));
    *stream = s;
    return code;
}
extern "C" void device_stream_end(void *stream)
{
    if (stream)
        cudaStreamDestroy(static_cast<cudaStream_t>(stream));
}
extern "C" int device_event(void **event)
{
    cudaEvent_t e = nullptr;
    int code = device_code(cudaEventCreate(&e));
    *event = e;
    return code;
}
extern "C" void device_event_end(void *event)
{
    if (event)
        cudaEventDestroy(static_cast<cudaEvent_t>(event));
}
extern "C" int device_record(void *event, void *stream)
{
    return device_code(cudaEventRecord(static_cast<cudaEvent_t>(event), static_cast<cudaStream_t>(stream)));
}
extern "C" int device_wait(void *stream, void *event)
{
    return device_code(cudaStreamWaitEvent(static_cast<cudaStream_t>(stream), static_cast<cudaEvent_t>(event), 0));
}
extern "C" int device_sync(void)
{
    return device_code(cudaDeviceSynchronize());
}
extern "C" int device_seconds(void *first, void *last, double *seconds)
{
    float ms = 0;
    int code = device_code(cudaEventSynchronize(static_cast<cudaEvent_t>(last)));
    if (code == 0)
        code = device_code(cudaEventElapsedTime(&ms, static_cast<cudaEvent_t>(first), static_cast<cudaEvent_t>(last)));
    *seconds = static_cast<double>(ms) / 1000;
    return code;
}

/* ---- launches ----------------------------------------------------------------------------------------------------- */

extern "C" int device_run(enum gpu_rung rung, const struct gpu_work *w, void *stream)
{
    const struct gpu_tiles t = gpu_tiles(rung, w->n_q, w->d);
    uint64_t blocks = static_cast<uint64_t>(t.tiles) * w->pairs;
    if (blocks == 0)
        return 0;
    if (blocks > INT_MAX)
        return -EOVERFLOW;
    if (rung == GPU_NAIVE)
        return device_naive(w, &t, stream);
    return (rung == GPU_FLASH ? device_flash : device_tensor)(w, &t, static_cast<uint32_t>(blocks), stream);
}
