// Activation functions over arrays.

template <class Op>
inline void map_vectors(float* x, std::size_t n, Op op) {
  each_vector(n, [=](std::size_t i, auto at) { at.put(x + i, op(at.get(x + i))); });
}

/// Calls with(op) with the vector function of `act`: the choice is made once, outside the loop.
template <class With>
inline void with_activation(Activation act, With with) {
  switch (act) {
    case Activation::none: return with([](F x) { return x; });
    case Activation::gelu: return with([](F x) { return gelu_of(x); });
    case Activation::gelu_tanh: return with([](F x) { return gelu_tanh_of(x); });
    case Activation::relu: return with([](F x) { return greater(F{}, x); });
    case Activation::silu: return with([](F x) { return silu_of(x); });
    case Activation::tanh: return with([](F x) { return tanh_of(x); });
  }
}

void activate(Activation act, float* x, std::size_t n) {
  if (act == Activation::none) return;
  with_activation(act, [=](auto op) { map_vectors(x, n, op); });
}
