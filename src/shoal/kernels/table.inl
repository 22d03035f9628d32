// The table of one level.

constexpr Kernels kTable = {
    kLevel,     dot,        squared_distance, sum,
    axpy,       scale,      scaled,           pack_size,
    pack,       gemm,       activate,         exp,
    log,        pow,        softmax,          layer_norm,
    f16_to_f32, f32_to_f16, bf16_to_f32,      squared_distances,
};
