/* naive.cu: cuBLAS, softmax, cuBLAS: the whole matrix of scores, in the device's memory.
 *
 * Idea       What naive.c does, with the fastest products that there are: S = scale Q K^T; each row of S through
 *            softmax_kernel.h; O = P V. One head at a time, so that there is one matrix.
 * Invariant  All rows are those of the contract, so cuBLAS, which counts by columns, is asked for the transposes:
 *            S^T = K Q^T and O^T = V^T P^T. Nothing is copied for that.
 * Cost       4 n_q n_k bytes, written by the first product, read three times and written by the softmax, read by the
 *            second product: at least 16 bytes a score, against 4 d operations. On an H100 (3.35 TB/s; 990 TFLOP/s in
 *            bfloat16) that is 4.8 ns for 1,000 scores, whose products take 0.5: memory decides, by ten to one.
 * Gets wrong In bfloat16 the weights are rounded, as in tensor_kernel.h. float32 stays float32: no TF32.
 * Source     Vaswani et al. 2017; cuBLAS, "cublasGemmEx". cuBLAS is opened when it is first asked for: its absence is
 *            an error of this rung alone.
 */
#include "lanes.cuh"
#include "runtime.cuh"

#include "softmax_kernel.h"

#include <climits>
#include <cublas_v2.h>
#include <errno.h>

__global__ void __launch_bounds__(SOFTMAX_THREADS) softmax(const __grid_constant__ gpu_work w, uint32_t pair)
{
    __shared__ float room[SOFTMAX_THREADS];
    softmax_block(&w, blockIdx.x, pair, room);
}

namespace
{
/* Its header has it twice for C++, so it is written out. */
using gemm_ex = cublasStatus_t (*)(cublasHandle_t, cublasOperation_t, cublasOperation_t, int, int, int, const void *,
                                   const void *, cudaDataType_t, int, const void *, cudaDataType_t, int, const void *,
                                   void *, cudaDataType_t, int, cublasComputeType_t, cublasGemmAlgo_t);

struct library {
    decltype(&cublasCreate_v2) create = nullptr;
    decltype(&cublasSetStream_v2) set_stream = nullptr;
    gemm_ex gemm = nullptr;
    bool there = false;

    library()
    {
        create = reinterpret_cast<decltype(create)>(device_symbol("cublas", "cublasCreate_v2"));
        set_stream = reinterpret_cast<decltype(set_stream)>(device_symbol("cublas", "cublasSetStream_v2"));
        gemm = reinterpret_cast<gemm_ex>(device_symbol("cublas", "cublasGemmEx"));
        there = create && set_stream && gemm;
    }
};

/* Made when a thread first needs it, for its device; it stays, since making one takes longer than most products. */
int handle_for(void *stream, cublasHandle_t *handle, const library **functions)
{
    static const library cublas;
    static thread_local cublasHandle_t mine[64] = {};
    int device = 0, code = device_code(cudaGetDevice(&device));
    if (code)
        return code;
    if (!cublas.there || device >= 64)
        return device_complain(-ENOTSUP, "cuBLAS (libcublas.so) is not there");
    if (!mine[device] && cublas.create(&mine[device]) != CUBLAS_STATUS_SUCCESS)
        return device_complain(-EIO, "cuBLAS could not be set up");
    *handle = mine[device];
    *functions = &cublas;
    return cublas.set_stream(*handle, static_cast<cudaStream_t>(stream)) == CUBLAS_STATUS_SUCCESS
               ? 0
               : device_complain(-EIO, "cuBLAS would not take the stream");
}

/* By columns: c (m, n) = alpha a^T or a (m, k) times b (k, n). */
struct product {
    bool turn;
    int m, n, k;
    float alpha;
    const void *a;
    int a_step;
    const void *b;
    int b_step;
    void *c;
    bool bf16, c_bf16;
};

int multiply_all(const product &p, void *stream)
{
    cublasHandle_t handle;
    const library *cublas;
    const float zero = 0;
    int code = handle_for(stream, &handle, &cublas);
    if (code)
        return code;
    cudaDataType_t in = p.bf16 ? CUDA_R_16BF : CUDA_R_32F, out = p.c_bf16 ? CUDA_R_16BF : CUDA_R_32F;
    cublasStatus_t status =
        cublas->gemm(handle, p.turn ? CUBLAS_OP_T : CUBLAS_OP_N, CUBLAS_OP_N, p.m, p.n, p.k, &p.alpha, p.a, in,
                     p.a_step, p.b, in, p.b_step, &zero, p.c, out, p.m, CUBLAS_COMPUTE_32F, CUBLAS_GEMM_DEFAULT);
    return status == CUBLAS_STATUS_SUCCESS ? 0 : device_complain(-EIO, "cuBLAS could not multiply");
}

const void *rows_from(const void *data, bool bf16, size_t row, uint32_t d)
{
    return static_cast<const char *>(data) + row * d * (bf16 ? 2 : 4);
}

int one_pair(const struct gpu_work *w, const struct gpu_tiles *t, uint32_t pair, void *stream)
{
    int d = static_cast<int>(w->d), n_q = static_cast<int>(w->n_q), n_k = static_cast<int>(w->n_k);
    size_t q = static_cast<size_t>(pair) * w->n_q, k = static_cast<size_t>(pair / w->group) * w->n_k;
    const product scores = {true,     n_k,
                            n_q,      d,
                            w->scale, rows_from(w->k, w->bf16, k, w->d),
                            d,        rows_from(w->q, w->bf16, q, w->d),
                            d,        w->scores,
                            w->bf16,  false};
    int code = n_k ? multiply_all(scores, stream) : 0;
    if (code)
        return code;
    softmax<<<w->n_q, t->threads, 0, static_cast<cudaStream_t>(stream)>>>(*w, pair);
    code = device_code(cudaGetLastError());
    if (code || n_k == 0)
        return code ? code : device_zero(w->out + q * w->d, sizeof(float) * w->n_q * w->d, stream);
    const product mean = {false,
                          d,
                          n_q,
                          n_k,
                          1,
                          rows_from(w->v, w->bf16, k, w->d),
                          d,
                          w->scores,
                          w->bf16 ? 2 * n_k : n_k,
                          w->out + q * w->d,
                          w->bf16,
                          false};
    return multiply_all(mean, stream);
}
} // namespace

extern "C" int device_naive(const struct gpu_work *w, const struct gpu_tiles *t, void *stream)
{
    if (w->n_q > INT_MAX || w->n_k > INT_MAX / 2)
        return -EOVERFLOW;
    if (w->merge)
        return -ENOTSUP;
    int code = 0;
    for (uint32_t pair = 0; pair < w->pairs && code == 0; pair++)
        code = one_pair(w, t, pair, stream);
    return code;
}

extern "C" int device_gemm(uint32_t n, bool bf16, const void *a, const void *b, void *c, void *stream)
{
    int m = static_cast<int>(n);
    return multiply_all({true, m, m, m, 1, a, m, b, m, c, bf16, bf16}, stream);
}
