// The activation functions of transformers, a vector at a time, and over arrays.

/// Phi(-t) by Taylor-like polynomials around t = 0, 0.75, ..., 5.25: line i holds the coefficients of r^i.
constexpr float kPhi[7][8] = {{0.5f, 0.22662735f, 0.0668072f, 0.012224472f, 0.0013498982f, 8.8417335e-05f,
                               3.3976678e-06f, 7.6048046e-08f},
                              {-0.39894232f, -0.30113754f, -0.12951776f, -0.031739578f, -0.0044318223f,
                               -0.00035260458f, -1.5986727e-05f, -4.1312876e-07f},
                              {1.4981557e-06f, 0.11292621f, 0.09713809f, 0.03570723f, 0.006647749f,
                               0.00066111045f, 3.596502e-05f, 1.0840545e-06f},
                              {0.06646617f, 0.021963632f, -0.026973417f, -0.021494767f, -0.005910614f,
                               -0.00076712115f, -5.111154e-05f, -1.8117737e-06f},
                              {0.00018677818f, -0.02292855f, -0.006071109f, 0.0061344216f, 0.0033248374f,
                               0.00060959306f, 5.1631803e-05f, 2.2070335e-06f},
                              {-0.010716788f, 6.51316e-05f, 0.005733376f, 0.00052497943f, -0.0010869344f,
                               -0.0003492569f, -4.1240382e-05f, -2.2792126e-06f},
                              {0.0014809218f, 0.0029464057f, -0.0006297062f, -0.00097309134f, 9.91969e-05f,
                               0.000131833f, 2.3045934e-05f, 1.6252199e-06f}};

/// Phi(-t), the share of the normal distribution above t >= 0. A table look-up a coefficient is cheaper than
/// one division.
inline F normal_tail(F t) {
  constexpr float kStep = 0.75f, kEnd = 5.6f;  // from 5.6 on t Phi(-t) is below 1e-7 and Phi(-t) taken as 0
  const F shifted = fma(t, set(1 / kStep), set(kRound));
  const F r = fma(shifted - set(kRound), set(-kStep), t);
  const I piece = bits_of(shifted);  // its low three bits count
  F tail = pick(kPhi[6], piece);
#pragma GCC unroll 8
  for (int i = 5; i >= 0; --i) tail = fma(tail, r, pick(kPhi[i], piece));
  return t < set(kEnd) ? tail : F{};
}

/// x Phi(x), the exact ("erf") GELU of Hendrycks and Gimpel, 2016, as max(x, 0) - |x| Phi(-|x|): nothing
/// cancels, so the error is below 1e-7 or 2 ulp.
inline F gelu_of(F x) {
  const F t = magnitude(x);
  return fma(-t, normal_tail(t), greater(F{}, x));
}

/// The approximation by tanh in the same paper, with (1 + tanh u) / 2 written as 1 / (1 + exp(-2 u)).
inline F gelu_tanh_of(F x) {
  const F cubic = fma(x * x * x, set(0.044715f), x);
  return x / (exp_of(cubic * set(-1.59576912f)) + set(1.0f));
}

inline F silu_of(F x) { return x / (exp_of(-x) + set(1.0f)); }

template <class Op>
inline void map_vectors(float* x, std::size_t n, Op op) {
  each_vector(n, [=](std::size_t i, auto at) { at.put(x + i, op(at.get(x + i))); });
}

/// Calls with(op) with the vector function of `act`: the choice is made once, outside the loop.
template <class With>
inline void with_activation(Activation act, With with) {
  switch (act) {
    case Activation::none:
      return with([](F x) { return x; });
    case Activation::gelu:
      return with([](F x) { return gelu_of(x); });
    case Activation::gelu_tanh:
      return with([](F x) { return gelu_tanh_of(x); });
    case Activation::relu:
      return with([](F x) { return greater(F{}, x); });
    case Activation::silu:
      return with([](F x) { return silu_of(x); });
    case Activation::tanh:
      return with([](F x) { return tanh_of(x); });
  }
}

void activate(Activation act, float* x, std::size_t n) {
  if (act == Activation::none) return;
  with_activation(act, [=](auto op) { map_vectors(x, n, op); });
}
