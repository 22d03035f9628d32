// What is done to one row as a whole: softmax and layer normalisation.

inline float greatest(const float* x, std::size_t n) {
  F most = set(x[0]);
  each_vector(n, [&](std::size_t i, auto at) { most = greater(at.get_or(x + i, most), most); });
  return greatest_lane(most);
}

void softmax(float factor, float* x, std::size_t n) {
  scale(factor, x, n);
  const F most = set(greatest(x, n));
  const float total = sum_in_lanes(n, [=](F s, std::size_t i, auto at) {
    const F y = exp_of_small(at.get(x + i) - most);
    at.put(x + i, y);
    return s + at.keep(y);
  });
  scale(1.0f / total, x, n);
}

void layer_norm(const float* x, const float* gamma, const float* beta, float eps, std::size_t n, float* out) {
  if (n == 0) return;
  const float count = static_cast<float>(n);
  const float mean = sum(x, n) / count;
  const F centre = set(mean);
  const float variance = sum_in_lanes(n,
                                      [=](F s, std::size_t i, auto at) {
                                        const F difference = at.keep(at.get(x + i) - centre);
                                        return fma(difference, difference, s);
                                      }) /
                         count;
  const F factor = set(1.0f / __builtin_sqrtf(variance + eps));
  each_vector(n, [=](std::size_t i, auto at) {
    F y = (at.get(x + i) - centre) * factor;
    const F shift = beta ? at.get(beta + i) : F{};
    y = gamma ? fma(y, at.get(gamma + i), shift) : y + shift;
    at.put(out + i, y);
  });
}
