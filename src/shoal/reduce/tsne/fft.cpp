#include <algorithm>
#include <utility>

#include "shoal/reduce/tsne/fft_impl.h"
#include "shoal/reduce/tsne/four_impl.h"

namespace shoal {
namespace {

constexpr Index kLanes = LaneFft::kLanes, kItem = LaneFft::kItem;

struct Complex {
  Four re, im;
};
Complex operator+(Complex a, Complex b) { return {a.re + b.re, a.im + b.im}; }
Complex operator-(Complex a, Complex b) { return {a.re - b.re, a.im - b.im}; }
Complex operator*(float s, Complex a) { return {s * a.re, s * a.im}; }
Complex over_i(Complex a) { return {a.im, -a.re}; }
Complex load(const float* p) { return {load_four(p), load_four(p + kLanes)}; }

void butterfly(Complex (&a)[2]) {
  const Complex sum = a[0] + a[1];
  a[1] = a[0] - a[1];
  a[0] = sum;
}

void butterfly(Complex (&a)[3]) {
  constexpr float kSin = 0.8660254037844386f;
  const Complex sum = a[1] + a[2], turned = over_i(kSin * (a[1] - a[2]));
  const Complex middle = a[0] - 0.5f * sum;
  a[0] = a[0] + sum;
  a[1] = middle + turned;
  a[2] = middle - turned;
}

void butterfly(Complex (&a)[4]) {
  const Complex even = a[0] + a[2], even_less = a[0] - a[2];
  const Complex odd = a[1] + a[3], turned = over_i(a[1] - a[3]);
  a[0] = even + odd;
  a[1] = even_less + turned;
  a[2] = even - odd;
  a[3] = even_less - turned;
}

void butterfly(Complex (&a)[5]) {
  constexpr float kCos1 = 0.30901699437494745f, kCos2 = -0.8090169943749475f;
  constexpr float kSin1 = 0.9510565162951535f, kSin2 = 0.5877852522924731f;
  const Complex outer = a[1] + a[4], inner = a[2] + a[3], outer_less = a[1] - a[4], inner_less = a[2] - a[3];
  const Complex middle1 = a[0] + kCos1 * outer + kCos2 * inner,
                middle2 = a[0] + kCos2 * outer + kCos1 * inner;
  const Complex turned1 = over_i(kSin1 * outer_less + kSin2 * inner_less);
  const Complex turned2 = over_i(kSin2 * outer_less - kSin1 * inner_less);
  a[0] = a[0] + outer + inner;
  a[1] = middle1 + turned1;
  a[2] = middle2 + turned2;
  a[3] = middle2 - turned2;
  a[4] = middle1 - turned1;
}

// One pass: `groups` butterflies of R elements that lie `groups` apart, for each of `stride` elements in a
// row; output j of group p is turned by the angle -2 pi j p / (groups R).
template <int R>
void pass(const float* in, float* out, Index groups, Index stride, const float* twiddle) {
  const Index step = stride * kItem;
  for (Index p = 0; p < groups; ++p, in += step, out += R * step, twiddle += 2 * (R - 1))
    for (Index item = 0; item < step; item += kItem)
      for (Index at = item; at < item + kLanes; at += 4) {
        Complex a[R];
        for (int j = 0; j < R; ++j) a[j] = load(in + j * groups * step + at);
        butterfly(a);
        for (int j = 0; j < R; ++j) {
          Complex b = a[j];
          if (j > 0) {
            const float re = twiddle[2 * j - 2], im = twiddle[2 * j - 1];
            b = {re * a[j].re - im * a[j].im, re * a[j].im + im * a[j].re};
          }
          store_four(out + j * step + at, b.re);
          store_four(out + j * step + at + kLanes, b.im);
        }
      }
}

// Taylor's series for an angle of at most pi / 4.
UnitRoot small_root(double angle) {
  const double square = angle * angle;
  double cos = 1, sin = 1;
  for (int i = 18; i > 0; i -= 2) {
    cos = 1 - cos * square / (i * (i - 1));
    sin = 1 - sin * square / (i * (i + 1));
  }
  return {cos, sin * angle};
}

}  // namespace

UnitRoot unit_root(Index k, Index n) {
  constexpr double kPi = 3.14159265358979323846;
  // 8 k = n (octant) + rest; odd octants run backwards from the next multiple of a quarter turn.
  const Index eighths = 8 * (k % n), octant = eighths / n, rest = eighths % n;
  const bool odd = octant % 2 == 1;
  const double share = static_cast<double>(odd ? n - rest : rest) / static_cast<double>(n);
  UnitRoot r = small_root(share * kPi / 4);
  if (odd) r.sin = -r.sin;
  for (Index quarter = (octant + 1) / 2; quarter > 0; --quarter) r = {-r.sin, r.cos};
  return r;
}

Index LaneFft::length_for(Index least) {
  Index best = 2;
  while (best < least) best *= 2;
  for (const Index odd : {Index{3}, Index{5}, Index{9}, Index{15}}) {
    Index length = 2 * odd;
    while (length < least) length *= 2;
    best = std::min(best, length);
  }
  return best;
}

LaneFft::LaneFft(Index length) : length_(length) {
  for (Index rest = length, stride = 1; rest > 1;) {
    Index radix = 2;
    for (const Index r : {Index{5}, Index{3}, Index{4}})
      if (rest % r == 0) radix = r;
    Pass made{radix, rest / radix, stride, {}};
    made.twiddles.reserve(made.groups * (radix - 1) * 2);
    for (Index p = 0; p < made.groups; ++p)
      for (Index j = 1; j < radix; ++j) {
        const UnitRoot root = unit_root(j * p, rest);
        made.twiddles.push_back(static_cast<float>(root.cos));
        made.twiddles.push_back(static_cast<float>(-root.sin));
      }
    passes_.push_back(std::move(made));
    rest /= radix;
    stride *= radix;
  }
}

float* LaneFft::run(float* data, float* scratch) const {
  for (const Pass& p : passes_) {
    const float* twiddles = p.twiddles.data();
    switch (p.radix) {
      case 2:
        pass<2>(data, scratch, p.groups, p.stride, twiddles);
        break;
      case 3:
        pass<3>(data, scratch, p.groups, p.stride, twiddles);
        break;
      case 4:
        pass<4>(data, scratch, p.groups, p.stride, twiddles);
        break;
      default:
        pass<5>(data, scratch, p.groups, p.stride, twiddles);
    }
    std::swap(data, scratch);
  }
  return data;
}

}  // namespace shoal
