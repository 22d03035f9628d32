// 16-bit floats: IEEE half precision and bfloat16.

void f16_to_f32(const std::uint16_t* x, float* out, std::size_t n) {
  std::size_t i = 0;
  for (; i + kWidth <= n; i += kWidth) store(out + i, widen(x + i));
  if (i == n) return;
  std::uint16_t last[kWidth] = {};
  __builtin_memcpy(last, x + i, (n - i) * sizeof *x);
  store_first(out + i, widen(last), n - i);
}

void f32_to_f16(const float* x, std::uint16_t* out, std::size_t n) {
  std::size_t i = 0;
  for (; i + kWidth <= n; i += kWidth) narrow(out + i, load(x + i));
  if (i == n) return;
  std::uint16_t last[kWidth];
  narrow(last, load_first(x + i, n - i));
  __builtin_memcpy(out + i, last, (n - i) * sizeof *out);
}

void bf16_to_f32(const std::uint16_t* x, float* out, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) {
    const std::uint32_t bits = static_cast<std::uint32_t>(x[i]) << 16;
    __builtin_memcpy(out + i, &bits, sizeof bits);
  }
}
