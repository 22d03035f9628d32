// Walking over arrays: whole vectors, then one ragged vector; and sums in 64 lanes.

inline I lane_numbers() {
  I numbers;
  for (std::size_t i = 0; i < kWidth; ++i) numbers[i] = static_cast<std::int32_t>(i);
  return numbers;
}

/// How a place in an array is read and written: a whole vector, or its first n elements.
struct Whole {
  F get(const float* p) const { return load(p); }
  F get_or(const float* p, F) const { return load(p); }  // the elements that are not there: of another vector
  void put(float* p, F v) const { store(p, v); }
  F keep(F v) const { return v; }
};
struct First {
  std::size_t n;
  F get(const float* p) const { return load_first(p, n); }
  F get_or(const float* p, F other) const {
    return lane_numbers() < static_cast<std::int32_t>(n) ? get(p) : other;
  }
  void put(float* p, F v) const { store_first(p, v, n); }
  F keep(F v) const { return keep_first(v, n); }
};

/// op(i, Whole) for each whole vector of 0..n-1 and op(i, First) for the rest.
template <class Op>
inline void each_vector(std::size_t n, Op op) {
  std::size_t i = 0;
  for (; i + kWidth <= n; i += kWidth) op(i, Whole{});
  if (i < n) op(i, First{n - i});
}

constexpr std::size_t kLanes = 64, kParts = kLanes / kWidth;

/// Element i goes to lane i mod 64; term(lane so far, i, Whole or First) adds one vector of elements. Lanes
/// are added by halves: 0 + 32, 1 + 33, ..., then 0 + 16, ... The ragged end counts as zeros. Adding +0 at
/// the end makes a zero sum +0, whichever lanes the ragged end touched.
template <class Term>
inline float sum_in_lanes(std::size_t n, Term term) {
  F lane[kParts] = {};
  std::size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
#pragma GCC unroll 16
    for (std::size_t p = 0; p < kParts; ++p) lane[p] = term(lane[p], i + p * kWidth, Whole{});
  }
#pragma GCC unroll 16
  for (std::size_t p = 0; p < kParts; ++p) {
    const std::size_t at = i + p * kWidth;
    if (at + kWidth <= n)
      lane[p] = term(lane[p], at, Whole{});
    else if (at < n)
      lane[p] = term(lane[p], at, First{n - at});
  }
#pragma GCC unroll 4
  for (std::size_t half = kParts / 2; half > 0; half /= 2)
#pragma GCC unroll 8
    for (std::size_t p = 0; p < half; ++p) lane[p] = lane[p] + lane[p + half];
  return add_lanes(lane[0]) + 0.0f;
}
