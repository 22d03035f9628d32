// exp, log, pow and tanh, a vector at a time. The polynomials were fitted by
// tools/fit_kernels.py (minimax in the weights given there); all steps are exact IEEE operations.

inline I bits_of(F x) { return reinterpret_cast<I>(x); }
inline F float_of(I x) { return reinterpret_cast<F>(x); }
inline I whole(std::int32_t x) { return I{} + x; }
// Sums that wrap: the bits of what is replaced afterwards (NaN, out of range) may be anything.
using Bits = std::uint32_t __attribute__((vector_size(sizeof(I))));
inline I plus(I a, I b) { return reinterpret_cast<I>(reinterpret_cast<Bits>(a) + reinterpret_cast<Bits>(b)); }
inline I minus(I a, I b) {
  return reinterpret_cast<I>(reinterpret_cast<Bits>(a) - reinterpret_cast<Bits>(b));
}
inline F smaller(F a, F b) { return a < b ? a : b; }  // b if either is NaN
inline F greater(F a, F b) { return a > b ? a : b; }  // b if either is NaN
inline F magnitude(F x) { return float_of(bits_of(x) & whole(0x7fffffff)); }
inline F with_sign(F size, F sign) { return float_of(bits_of(size) | (bits_of(sign) & whole(INT32_MIN))); }

constexpr float kRound = 12582912.0f;  // 1.5 * 2^23: adding it rounds to a whole number, kept in the low bits

/// c[0] + c[1] x + c[2] x^2 + ...
template <std::size_t N>
inline F polynomial(F x, const float (&c)[N]) {
  F y = set(c[N - 1]);
#pragma GCC unroll 16
  for (std::size_t i = N - 1; i > 0; --i) y = fma(y, x, set(c[i - 1]));
  return y;
}

/// 2^n for -126 <= n <= 127.
inline F power_of_two(I n) { return float_of(plus(n, whole(127)) << 23); }

/// exp(x) / 2^n, and 2^23 * 1.5 + n in `shifted`; n is the whole number nearest to x / ln 2.
inline F exp_fraction(F x, F& shifted) {
  constexpr float kTail[] = {0.49999994f, 0.16666521f, 0.04166839f, 0.008368712f, 0.0013814608f};
  shifted = fma(x, set(1.44269504f), set(kRound));
  const F n = shifted - set(kRound);
  // ln 2 in two parts: n times the first is exact.
  F r = fma(n, set(-0.693359375f), x);
  r = fma(n, set(2.12194440e-4f), r);
  return fma(r * r, polynomial(r, kTail), r) + set(1.0f);
}

constexpr float kLeastExp = -87.33654f;  // below, exp(x) is no normal number and becomes 0

inline F exp_of(F x) {
  F shifted;
  const F y = exp_fraction(smaller(set(89.0f), x), shifted);  // above, the result is inf; a NaN passes
  // 2^n in two factors, because n may be 128, which no float's exponent is.
  const I exponent = minus(bits_of(shifted), whole(0x4b400000));
  const I first = exponent >> 1;
  const F result = y * power_of_two(first) * power_of_two(minus(exponent, first));
  return x < set(kLeastExp) ? F{} : result;
}

/// exp_of for x < 88, whose 2^n is one factor.
inline F exp_of_small(F x) {
  F shifted;
  const F y = exp_fraction(x, shifted);
  // The shift drops all but the low bits, which hold n.
  const F result = y * float_of(plus(bits_of(shifted) << 23, whole(127 << 23)));
  return x < set(kLeastExp) ? F{} : result;
}

inline F log_of(F x) {
  constexpr float kTail[] = {0.33333313f,  -0.2500001f, 0.20002119f,  -0.16667996f, 0.14219542f,
                             -0.12405565f, 0.11888217f, -0.11675837f, 0.06746744f};
  constexpr std::int32_t kRootHalf = 0x3f3504f3;  // sqrt(1/2)
  const I is_small = x < set(1.17549435e-38f);    // subnormal: scaled up by 2^23 first
  const F scaled = is_small ? x * set(8388608.0f) : x;
  const I offset = minus(bits_of(scaled), whole(kRootHalf));
  const I exponent = offset >> 23;
  const F f =
      float_of((offset & whole(0x7fffff)) + whole(kRootHalf)) - set(1.0f);  // sqrt(1/2)-1 .. sqrt(2)-1
  const F e = __builtin_convertvector(exponent - (is_small & whole(23)), F);
  const F f2 = f * f;
  F y = fma(f2 * f, polynomial(f, kTail), e * set(-2.12194440e-4f));
  y = fma(f2, set(-0.5f), y);
  y = fma(e, set(0.693359375f), y + f);
  y = x < set(__builtin_inff()) ? y : x;  // inf and NaN stay
  y = x == set(0.0f) ? set(-__builtin_inff()) : y;
  return x < set(0.0f) ? set(__builtin_nanf("")) : y;
}

inline F tanh_of(F x) {
  constexpr float kTop[] = {1.0f,           0.13680857f,    0.0038695093f,
                            2.8031334e-05f, 3.0642582e-08f, -1.2246285e-11f};
  constexpr float kBottom[] = {1.0f, 0.4701419f, 0.027250161f, 0.00039407154f, 1.2890367e-06f};
  const F t = smaller(set(9.0f), magnitude(x));  // from 9 on it is 1; a NaN passes
  const F t2 = t * t;
  const F y = t * polynomial(t2, kTop) / polynomial(t2, kBottom);
  return with_sign(smaller(set(1.0f), y), x);
}

void exp(const float* x, float* out, std::size_t n) {
  each_vector(n, [=](std::size_t i, auto at) { at.put(out + i, exp_of(at.get(x + i))); });
}

void log(const float* x, float* out, std::size_t n) {
  each_vector(n, [=](std::size_t i, auto at) { at.put(out + i, log_of(at.get(x + i))); });
}

void pow(const float* x, float p, float* out, std::size_t n) {
  if (p == 0) {  // 0^0 is 1, as in C
    each_vector(n, [=](std::size_t i, auto at) { at.put(out + i, set(1.0f)); });
    return;
  }
  const F exponent = set(p);
  each_vector(n, [=](std::size_t i, auto at) { at.put(out + i, exp_of(exponent * log_of(at.get(x + i)))); });
}
