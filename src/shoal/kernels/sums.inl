// Sums and scaled additions of vectors.

float dot(const float* a, const float* b, std::size_t n) {
  return sum_in_lanes(n, [=](F s, std::size_t i, auto at) { return fma(at.get(a + i), at.get(b + i), s); });
}

float squared_distance(const float* a, const float* b, std::size_t n) {
  return sum_in_lanes(n, [=](F s, std::size_t i, auto at) {
    const F difference = at.get(a + i) - at.get(b + i);
    return fma(difference, difference, s);
  });
}

float sum(const float* a, std::size_t n) {
  return sum_in_lanes(n, [=](F s, std::size_t i, auto at) { return s + at.get(a + i); });
}

void axpy(float alpha, const float* x, float* y, std::size_t n) {
  const F factor = set(alpha);
  each_vector(n, [=](std::size_t i, auto at) { at.put(y + i, fma(factor, at.get(x + i), at.get(y + i))); });
}

void scale(float alpha, float* x, std::size_t n) {
  const F factor = set(alpha);
  each_vector(n, [=](std::size_t i, auto at) { at.put(x + i, factor * at.get(x + i)); });
}
