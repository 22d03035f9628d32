// What learning by steps needs: derivatives, element by element or row by row, and the step of Adam.

/// The derivative of each activation. Those that have a value in common with it are written with that value.
inline F gelu_slope(F x) {
  constexpr float kPeak = 0.3989422804f;  // of the normal density
  const F tail = normal_tail(magnitude(x));
  const F below = x < F{} ? tail : set(1.0f) - tail;
  return fma(x * set(kPeak), exp_of(x * x * set(-0.5f)), below);
}
inline F gelu_tanh_slope(F x) {
  constexpr float kRoot = 1.59576912f, kCube = 0.044715f;  // as gelu_tanh_of
  const F square = x * x;
  const F share = set(1.0f) / (exp_of(fma(square * x, set(kCube), x) * set(-kRoot)) + set(1.0f));
  const F inner = fma(square, set(3 * kCube), set(1.0f)) * set(kRoot);
  return fma(x * share * (set(1.0f) - share), inner, share);
}
inline F silu_slope(F x) {
  const F share = set(1.0f) / (exp_of(-x) + set(1.0f));
  return share * fma(x, set(1.0f) - share, set(1.0f));
}

void activate_back(Activation act, const float* x, float* slope, std::size_t n) {
  const auto times = [=](auto derivative) {
    each_vector(
        n, [=](std::size_t i, auto at) { at.put(slope + i, at.get(slope + i) * derivative(at.get(x + i))); });
  };
  switch (act) {
    case Activation::none:
      return;
    case Activation::gelu:
      return times([](F v) { return gelu_slope(v); });
    case Activation::gelu_tanh:
      return times([](F v) { return gelu_tanh_slope(v); });
    case Activation::silu:
      return times([](F v) { return silu_slope(v); });
    case Activation::relu:
      return times([](F v) { return F{} < v ? set(1.0f) : F{}; });
    case Activation::tanh:
      return times([](F v) {
        const F t = tanh_of(v);
        return set(1.0f) - t * t;
      });
  }
}

void layer_norm_back(const float* x, const float* gamma, float eps, std::size_t n, float* slope,
                     float* gamma_slope, float* beta_slope) {
  if (n == 0) return;
  const float count = static_cast<float>(n);
  const F centre = set(sum(x, n) / count);
  const float variance = sum_in_lanes(n,
                                      [=](F s, std::size_t i, auto at) {
                                        const F difference = at.keep(at.get(x + i) - centre);
                                        return fma(difference, difference, s);
                                      }) /
                         count;
  const F factor = set(1.0f / __builtin_sqrtf(variance + eps));
  const F mean = set(sum_in_lanes(n, [=](F s, std::size_t i,
                                         auto at) { return fma(at.get(slope + i), at.get(gamma + i), s); }) /
                     count);
  const F along = set(sum_in_lanes(n,
                                   [=](F s, std::size_t i, auto at) {
                                     const F normal = (at.get(x + i) - centre) * factor;
                                     return fma(at.get(slope + i) * at.get(gamma + i), normal, s);
                                   }) /
                      count);
  each_vector(n, [=](std::size_t i, auto at) {
    const F normal = (at.get(x + i) - centre) * factor, s = at.get(slope + i);
    at.put(gamma_slope + i, fma(s, normal, at.get(gamma_slope + i)));
    at.put(beta_slope + i, at.get(beta_slope + i) + s);
    at.put(slope + i, factor * (fma(s, at.get(gamma + i), -mean) - normal * along));
  });
}

void adam(const AdamStep& step, const float* gradient, float* mean, float* square, float* value,
          std::size_t n) {
  const F beta1 = set(step.beta1), beta2 = set(step.beta2), rest1 = set(step.rest1), rest2 = set(step.rest2),
          epsilon = set(step.epsilon), far = set(step.far), root = set(step.root), kept = set(step.kept);
  each_vector(n, [=](std::size_t i, auto at) {
    const F g = at.get(gradient + i);
    const F m = beta1 * at.get(mean + i) + rest1 * g;
    const F s = beta2 * at.get(square + i) + rest2 * g * g;
    at.put(mean + i, m);
    at.put(square + i, s);
    at.put(value + i, kept * at.get(value + i) - far * m / (square_root(s) / root + epsilon));
  });
}
