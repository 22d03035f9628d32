#include "shoal/kernels/kernels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <string>
#include <vector>

#include "shoal/core/error.h"
#include "shoal/core/random.h"

// Each level against the first ("base") with ==, on ragged lengths and odd alignments, and base against plain
// loops in double.

namespace {

using shoal::Activation;
using shoal::Kernels;
using Floats = std::vector<float>;

constexpr float kInf = std::numeric_limits<float>::infinity();
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
constexpr Activation kActivations[] = {Activation::none, Activation::gelu, Activation::gelu_tanh,
                                       Activation::relu, Activation::silu, Activation::tanh};
// Every length up to two rounds of 64 lanes, and some longer ones.
std::vector<std::size_t> lengths() {
  std::vector<std::size_t> n;
  for (std::size_t i = 0; i <= 130; ++i) n.push_back(i);
  n.insert(n.end(), {191, 192, 193, 255, 256, 257, 384, 500, 768, 1000, 1536});
  return n;
}

Floats draws(std::uint64_t seed, std::size_t n, float size = 1) {
  const shoal::Random random(shoal::Seed{seed});
  Floats x(n);
  for (std::size_t i = 0; i < n; ++i) x[i] = size * static_cast<float>(random.normal(i));
  return x;
}

/// Equal bits, but any NaN equals any NaN.
bool same(float a, float b) {
  return (std::isnan(a) && std::isnan(b)) ||
         std::bit_cast<std::uint32_t>(a) == std::bit_cast<std::uint32_t>(b);
}
::testing::AssertionResult same(const Floats& a, const Floats& b) {
  if (a.size() != b.size())
    return ::testing::AssertionFailure() << a.size() << " and " << b.size() << " values";
  for (std::size_t i = 0; i < a.size(); ++i)
    if (!same(a[i], b[i]))
      return ::testing::AssertionFailure() << "at " << i << ": " << a[i] << " and " << b[i];
  return ::testing::AssertionSuccess();
}

/// Distance in units of the last place of the float nearest to `exact`.
double ulps(float got, double exact) {
  const float near = static_cast<float>(exact);
  if (same(got, near)) return 0;
  const double unit = std::max(static_cast<double>(std::nextafter(std::fabs(near), kInf)) - std::fabs(near),
                               static_cast<double>(std::numeric_limits<float>::denorm_min()));
  return std::fabs(got - exact) / unit;
}

const Kernels& base() { return *shoal::levels().front(); }

/// Values that try every branch of an elementwise function: a dense sweep, both signs, and the edges.
Floats sweep() {
  Floats x = {0.0f,    -0.0f,    kInf,   -kInf,  kNaN,  1e-45f, -1e-45f, 1e-39f,  1.17549435e-38f,
              3.4e38f, -3.4e38f, 88.72f, 88.73f, 89.0f, -87.3f, -87.4f,  -103.9f, -104.1f,
              5.6f,    -5.6f,    9.0f,   1.0f,   -1.0f};
  for (float v = 1e-6f; v < 200; v *= 1.003f) x.insert(x.end(), {v, -v});
  return x;
}

TEST(Levels, AreListedSlowestFirstAndOneIsChosen) {
  ASSERT_GE(shoal::levels().size(), 1u);
  EXPECT_STREQ(base().level, "base");
  const char* forced = std::getenv("SHOAL_LEVEL");
  const std::string best = shoal::levels().back()->level;
  EXPECT_EQ(shoal::kernels().level, forced && *forced ? std::string(forced) : best);
}

TEST(LevelsDeathTest, AWrongOneIsAnErrorEachTime) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");  // a new process: here the level is chosen already
  const auto choose_twice = [] {
    ::setenv("SHOAL_LEVEL", "avx3", 1);
    for (int i = 0; i < 2; ++i) try {
        shoal::kernels();
        std::_Exit(0);
      } catch (const shoal::Error& error) {
        std::fprintf(stderr, "%s", error.what());
        if (i == 1) std::_Exit(static_cast<int>(error.fault));
      }
  };
  EXPECT_EXIT(choose_twice(), ::testing::ExitedWithCode(6), "SHOAL_LEVEL is none of base, avx2, avx512");
}

class Level : public ::testing::TestWithParam<const Kernels*> {
 protected:
  const Kernels& k = *GetParam();
};
INSTANTIATE_TEST_SUITE_P(All, Level, ::testing::ValuesIn(shoal::levels().begin(), shoal::levels().end()),
                         [](const auto& level) { return std::string(level.param->level); });

TEST_P(Level, SumsOfSmallWholeNumbersAreExact) {
  for (const std::size_t n : lengths()) {
    Floats a(n), b(n);
    double product = 0, distance = 0, total = 0;
    for (std::size_t i = 0; i < n; ++i) {
      a[i] = static_cast<float>(i % 7) - 3, b[i] = static_cast<float>(i % 5) - 2;
      product += a[i] * b[i], distance += (a[i] - b[i]) * (a[i] - b[i]), total += a[i];
    }
    EXPECT_EQ(k.dot(a.data(), b.data(), n), product) << n;
    EXPECT_EQ(k.squared_distance(a.data(), b.data(), n), distance) << n;
    EXPECT_EQ(k.sum(a.data(), n), total) << n;
  }
}

TEST_P(Level, SumsHaveTheBitsOfBaseAtAnyAlignment) {
  const Floats a = draws(1, 1600), b = draws(2, 1600);
  for (const std::size_t n : lengths())
    for (const std::size_t at : {0, 1, 5, 13}) {
      const float *p = a.data() + at, *q = b.data() + at / 2;
      EXPECT_TRUE(same(k.dot(p, q, n), base().dot(p, q, n))) << n;
      EXPECT_TRUE(same(k.squared_distance(p, q, n), base().squared_distance(p, q, n))) << n;
      EXPECT_TRUE(same(k.sum(p, n), base().sum(p, n))) << n;
    }
}

TEST_P(Level, SumsOfTinyNegativeProductsHaveThePositiveZeroOfBase) {
  for (const std::size_t n : {1, 3, 17, 64, 65, 70, 129}) {
    const Floats a(n, 1e-30f), b(n, -1e-30f);
    EXPECT_TRUE(same(k.dot(a.data(), b.data(), n), 0.0f)) << n;
  }
}

TEST_P(Level, SquaredDistancesAreThePlainSums) {
  const shoal::Random random(shoal::Seed{31});
  for (const std::size_t terms : {0u, 1u, 2u, 7u, 384u}) {
    constexpr std::size_t kM = 8, kN = 48;
    std::vector<double> a(kM * terms), b(terms * kN), out(kM * kN, -1);
    for (std::size_t i = 0; i < a.size(); ++i) a[i] = random.normal(i);
    for (std::size_t i = 0; i < b.size(); ++i) b[i] = random.normal(10'000 + i);
    k.squared_distances(a.data(), b.data(), kM, kN, terms, out.data());
    for (std::size_t i = 0; i < kM; ++i)
      for (std::size_t j = 0; j < kN; ++j) {
        double sum = 0;
        for (std::size_t t = 0; t < terms; ++t) {
          const double apart = a[i * terms + t] - b[(j / 16 * terms + t) * 16 + j % 16];
          sum += apart * apart;
        }
        EXPECT_EQ(out[i * kN + j], sum) << terms << ' ' << i << ' ' << j;
      }
  }
}

TEST_P(Level, AxpyAndScaleTouchNothingBeyondTheEnd) {
  for (const std::size_t n : lengths()) {
    const Floats x = draws(3, n);
    Floats y = draws(4, n + 1), expected = y;
    for (std::size_t i = 0; i < n; ++i) expected[i] = std::fma(0.37f, x[i], y[i]);
    k.axpy(0.37f, x.data(), y.data(), n);
    EXPECT_TRUE(same(y, expected)) << n;
    for (std::size_t i = 0; i < n; ++i) expected[i] *= -1.7f;
    k.scale(-1.7f, y.data(), n);
    EXPECT_TRUE(same(y, expected)) << n;
    for (const double alpha : {1 / 3.0, 1e300}) {  // by the second all but zeros overflow
      for (std::size_t i = 0; i < n; ++i) expected[i] = static_cast<float>(alpha * x[i]);
      k.scaled(alpha, x.data(), y.data(), n);
      EXPECT_TRUE(same(y, expected)) << n;
    }
  }
}

TEST_P(Level, ExpIsWithinTwoUlpAndKeepsTheEdges) {
  Floats x = sweep(), y(x.size()), z(x.size());
  for (float v = -87.3f; v < 88.7f; v += 0.0137f) x.push_back(v);
  y.resize(x.size()), z.resize(x.size());
  k.exp(x.data(), y.data(), x.size());
  base().exp(x.data(), z.data(), x.size());
  EXPECT_TRUE(same(y, z));
  for (std::size_t i = 0; i < x.size(); ++i) {
    const double exact = std::exp(static_cast<double>(x[i]));
    if (exact >= std::numeric_limits<float>::min() && exact < std::numeric_limits<float>::max()) {
      EXPECT_LE(ulps(y[i], exact), 2.0) << x[i];
    } else if (exact < 1e-38) {
      EXPECT_TRUE(same(y[i], 0.0f)) << x[i] << " " << y[i];
    } else if (exact > 3.5e38) {
      EXPECT_EQ(y[i], kInf) << x[i];
    }
    EXPECT_EQ(std::isnan(y[i]), std::isnan(x[i])) << x[i];
  }
}

TEST_P(Level, LogIsWithinTwoUlpAndKeepsTheEdges) {
  Floats x = sweep();
  for (float v = 1e-44f; v < 1e38f; v *= 1.37f) x.push_back(v);
  for (float v = 0.5f; v < 2; v += 0.001f) x.push_back(v);
  Floats y(x.size()), z(x.size());
  k.log(x.data(), y.data(), x.size());
  base().log(x.data(), z.data(), x.size());
  EXPECT_TRUE(same(y, z));
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (x[i] > 0 && x[i] < kInf)
      EXPECT_LE(ulps(y[i], std::log(static_cast<double>(x[i]))), 2.0) << x[i];
    else if (x[i] == 0)
      EXPECT_EQ(y[i], -kInf);
    else if (x[i] == kInf)
      EXPECT_EQ(y[i], kInf);
    else
      EXPECT_TRUE(std::isnan(y[i])) << x[i];
  }
}

TEST_P(Level, PowAgreesWithDouble) {
  Floats x = {0.0f, 1.0f, kInf, 2.0f, 1e-20f};
  for (float v = 1e-5f; v < 1e5f; v *= 1.01f) x.push_back(v);
  for (const float p : {-1.7f, -0.5f, 0.0f, 0.9f, 2.0f}) {
    Floats y(x.size()), z(x.size());
    k.pow(x.data(), p, y.data(), x.size());
    base().pow(x.data(), p, z.data(), x.size());
    EXPECT_TRUE(same(y, z)) << p;
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double exact = std::pow(static_cast<double>(x[i]), static_cast<double>(p));
      if (!std::isfinite(exact) || exact > 3.4e38)
        EXPECT_EQ(y[i], kInf) << x[i] << " " << p;
      else if (exact < std::numeric_limits<float>::min())
        EXPECT_EQ(y[i], 0) << x[i] << " " << p;
      else  // the error of p log x, as a relative error of the result
        EXPECT_NEAR(y[i], exact, exact * (3e-7 + 1.2e-7 * std::fabs(std::log(exact + 1e-300))))
            << x[i] << " " << p;
    }
  }
}

double exact_activation(Activation act, double x) {
  switch (act) {
    case Activation::none:
      return x;
    case Activation::gelu:
      return x * 0.5 * std::erfc(-x / std::sqrt(2.0));
    case Activation::gelu_tanh:
      return 0.5 * x * (1 + std::tanh(std::sqrt(2 / 3.14159265358979) * (x + 0.044715 * x * x * x)));
    case Activation::relu:
      return x > 0 ? x : 0;
    case Activation::silu:
      return x / (1 + std::exp(-x));
    case Activation::tanh:
      return std::tanh(x);
  }
  return 0;
}

TEST_P(Level, ActivationsAgreeWithDouble) {
  Floats x;
  for (const float v : sweep()) {
    if (std::fabs(v) < 1e12f) x.push_back(v);  // the cube in gelu_tanh overflows above
  }
  for (const Activation act : kActivations) {
    Floats y = x, z = x;
    k.activate(act, y.data(), y.size());
    base().activate(act, z.data(), z.size());
    EXPECT_TRUE(same(y, z)) << static_cast<int>(act);
    for (std::size_t i = 0; i < x.size(); ++i) {
      const double exact = exact_activation(act, x[i]);
      const double bound = act == Activation::gelu ? 1e-7 : 3e-7;
      EXPECT_NEAR(y[i], exact, std::max(bound, 3e-7 * std::fabs(exact)))
          << static_cast<int>(act) << " of " << x[i];
    }
  }
}

TEST_P(Level, ActivationsPassNaNOn) {
  for (const Activation act : kActivations) {
    Floats x(19, 0.5f);
    x[3] = x[17] = kNaN;
    k.activate(act, x.data(), x.size());
    for (std::size_t i = 0; i < x.size(); ++i) EXPECT_EQ(std::isnan(x[i]), i == 3 || i == 17);
  }
}

TEST_P(Level, SoftmaxSumsToOneAndAgreesWithDouble) {
  for (const std::size_t n : lengths()) {
    if (n == 0) continue;
    const Floats x = draws(5, n, 4);
    Floats y = x, z = x;
    k.softmax(0.3f, y.data(), n);
    base().softmax(0.3f, z.data(), n);
    EXPECT_TRUE(same(y, z)) << n;
    double most = -1e9, total = 0;
    for (const float v : x) most = std::max(most, static_cast<double>(0.3f * v));
    for (const float v : x) total += std::exp(static_cast<double>(0.3f * v) - most);
    for (std::size_t i = 0; i < n; ++i)
      EXPECT_NEAR(y[i], std::exp(static_cast<double>(0.3f * x[i]) - most) / total, 5e-7 * y[i]) << n;
  }
}

TEST_P(Level, SoftmaxOfHugeOrMaskedValues) {
  Floats equal(5, 3e38f);
  k.softmax(1, equal.data(), 5);
  for (const float v : equal) EXPECT_FLOAT_EQ(v, 0.2f);
  Floats masked = {1, -kInf, 1, -1e30f};
  k.softmax(1, masked.data(), 4);
  EXPECT_TRUE(same(masked, {0.5f, 0, 0.5f, 0}));
  Floats bad = {1, kNaN, 2};
  k.softmax(1, bad.data(), 3);
  for (const float v : bad) EXPECT_TRUE(std::isnan(v));
}

TEST_P(Level, LayerNormAgreesWithDouble) {
  for (const std::size_t n : lengths()) {
    if (n == 0) continue;
    const Floats x = draws(6, n, 3), gamma = draws(7, n), beta = draws(8, n);
    double mean = 0, variance = 0;
    for (const float v : x) mean += v / static_cast<double>(n);
    for (const float v : x) variance += (v - mean) * (v - mean) / static_cast<double>(n);
    for (const bool scaled : {true, false}) {
      Floats y(n + 1, 7), z(n + 1, 7);
      const float *g = scaled ? gamma.data() : nullptr, *b = scaled ? beta.data() : nullptr;
      k.layer_norm(x.data(), g, b, 1e-5f, n, y.data());
      base().layer_norm(x.data(), g, b, 1e-5f, n, z.data());
      EXPECT_TRUE(same(y, z)) << n;
      for (std::size_t i = 0; i < n; ++i) {
        const double plain = (x[i] - mean) / std::sqrt(variance + 1e-5);
        const double exact = scaled ? plain * gamma[i] + beta[i] : plain;
        EXPECT_NEAR(y[i], exact, n == 1 ? 1e-3 : 2e-6 * (1 + std::fabs(exact))) << n;
      }
      EXPECT_EQ(y[n], 7) << "wrote beyond the end";
    }
  }
}

TEST_P(Level, SlopesOfActivationsAreDifferencesInDouble) {
  const auto value = [](Activation act, double x) {
    switch (act) {
      case Activation::gelu:
        return x * 0.5 * std::erfc(-x / std::sqrt(2.0));
      case Activation::gelu_tanh:
        return 0.5 * x * (1 + std::tanh(std::sqrt(2 / std::acos(-1.0)) * (x + 0.044715 * x * x * x)));
      case Activation::relu:
        return std::max(x, 0.0);
      case Activation::silu:
        return x / (1 + std::exp(-x));
      case Activation::tanh:
        return std::tanh(x);
      case Activation::none:
        break;
    }
    return x;
  };
  for (const Activation act : {Activation::none, Activation::gelu, Activation::gelu_tanh, Activation::relu,
                               Activation::silu, Activation::tanh})
    for (const std::size_t n : lengths()) {
      const Floats x = draws(11, n, 4);
      Floats y(n + 1, 2), z(n + 1, 2);
      k.activate_back(act, x.data(), y.data(), n);
      base().activate_back(act, x.data(), z.data(), n);
      EXPECT_TRUE(same(y, z)) << n;
      for (std::size_t i = 0; i < n; ++i) {
        const double step = 1e-5, at = x[i];
        const double exact = (value(act, at + step) - value(act, at - step)) / (2 * step);
        EXPECT_NEAR(y[i], 2 * exact, 5e-6) << static_cast<int>(act) << " at " << at;
      }
      EXPECT_EQ(y[n], 2) << "wrote beyond the end";
    }
  Floats ends{0, -0.0f, 5.59f, 5.61f, -5.61f, 40, -40, 90, -90, 1e10f, -1e10f}, slopes(ends.size(), 1);
  k.activate_back(Activation::gelu, ends.data(), slopes.data(), ends.size());
  for (std::size_t i = 0; i < ends.size(); ++i)
    EXPECT_NEAR(slopes[i], i < 2 ? 0.5 : ends[i] > 0 ? 1 : 0, 1e-6) << ends[i];
}

TEST_P(Level, SlopesOfLayerNormAreDifferencesInDouble) {
  for (const std::size_t n : {2, 5, 64, 100, 384}) {
    const Floats x = draws(6, n, 3), gamma = draws(7, n), given = draws(8, n);
    const auto loss = [&](const std::vector<double>& at) {
      double mean = 0, variance = 0, out = 0;
      for (const double v : at) mean += v / static_cast<double>(n);
      for (const double v : at) variance += (v - mean) * (v - mean) / static_cast<double>(n);
      for (std::size_t i = 0; i < n; ++i)
        out += given[i] * gamma[i] * (at[i] - mean) / std::sqrt(variance + 1e-5);
      return out;
    };
    Floats s = given, g(n, 1), b(n, 2), s2 = given, g2(n, 1), b2(n, 2);
    k.layer_norm_back(x.data(), gamma.data(), 1e-5f, n, s.data(), g.data(), b.data());
    base().layer_norm_back(x.data(), gamma.data(), 1e-5f, n, s2.data(), g2.data(), b2.data());
    EXPECT_TRUE(same(s, s2) && same(g, g2) && same(b, b2)) << n;
    Floats normal(n);
    k.layer_norm(x.data(), nullptr, nullptr, 1e-5f, n, normal.data());
    for (std::size_t i = 0; i < n; ++i) {
      std::vector<double> at(x.begin(), x.end());
      at[i] += 1e-4;
      const double above = loss(at);
      at[i] -= 2e-4;
      EXPECT_NEAR(s[i], (above - loss(at)) / 2e-4, 2e-5) << n;
      EXPECT_NEAR(g[i], 1 + given[i] * normal[i], 1e-6);
      EXPECT_EQ(b[i], 2 + given[i]);
    }
  }
}

TEST_P(Level, AdamIsTheFormula) {
  const shoal::AdamStep step{.beta1 = 0.9f,
                             .beta2 = 0.99f,
                             .rest1 = 0.1f,
                             .rest2 = 0.01f,
                             .epsilon = 1e-6f,
                             .far = 0.02f,
                             .root = 0.3f,
                             .kept = 0.99f};
  for (const std::size_t n : lengths()) {
    const Floats g = draws(1, n), m = draws(2, n), x = draws(3, n);
    Floats s = draws(4, n);
    for (float& v : s) v *= v;
    Floats mean = m, square = s, value = x, mean2 = m, square2 = s, value2 = x;
    k.adam(step, g.data(), mean.data(), square.data(), value.data(), n);
    base().adam(step, g.data(), mean2.data(), square2.data(), value2.data(), n);
    EXPECT_TRUE(same(mean, mean2) && same(square, square2) && same(value, value2)) << n;
    for (std::size_t i = 0; i < n; ++i) {
      const double first = 0.9 * m[i] + 0.1 * g[i], second = 0.99 * s[i] + 0.01 * g[i] * g[i];
      EXPECT_NEAR(mean[i], first, 1e-6);
      EXPECT_NEAR(square[i], second, 1e-6);
      const double exact = 0.99 * x[i] - 0.02 * first / (std::sqrt(second) / 0.3 + 1e-6);
      EXPECT_NEAR(value[i], exact, 1e-5 * (1 + std::fabs(exact)));
    }
  }
}

TEST_P(Level, HalfToFloatIsExactForEveryPattern) {
  std::vector<std::uint16_t> x(65536);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = static_cast<std::uint16_t>(i);
  Floats y(x.size());
  k.f16_to_f32(x.data(), y.data(), x.size() - 5);
  k.f16_to_f32(x.data() + x.size() - 5, y.data() + x.size() - 5, 5);
  for (std::size_t i = 0; i < x.size(); ++i) {
    const int exponent = (i >> 10) & 31, fraction = i & 1023;
    double exact = exponent == 31 ? (fraction ? kNaN : kInf)
                   : exponent     ? std::ldexp(1024 + fraction, exponent - 25)
                                  : std::ldexp(fraction, -24);
    if (i & 0x8000) exact = -exact;
    EXPECT_TRUE(same(y[i], static_cast<float>(exact))) << i;
  }
  std::vector<std::uint16_t> back(x.size());  // and back: the same pattern, a NaN made quiet
  k.f32_to_f16(y.data(), back.data(), y.size());
  for (std::size_t i = 0; i < x.size(); ++i) EXPECT_EQ(back[i], x[i] | (std::isnan(y[i]) ? 0x200 : 0)) << i;
}

TEST_P(Level, FloatToHalfRoundsToNearestTiesToEven) {
  EXPECT_EQ(([&] {
              const Floats x = {1,        65504,      65519.996f, 65520, -1e9f, 0x1p-24f,
                                0x1p-25f, 0x1.8p-25f, 2049,       2051,  -0.0f, kInf};
              std::vector<std::uint16_t> y(x.size());
              k.f32_to_f16(x.data(), y.data(), x.size());
              return y;
            }()),
            (std::vector<std::uint16_t>{0x3c00, 0x7bff, 0x7bff, 0x7c00, 0xfc00, 1, 0, 1, 0x6800, 0x6802,
                                        0x8000, 0x7c00}));
  std::vector<std::uint16_t> y(65536), z(65536);
  Floats x(65536);
  for (std::uint32_t high = 0; high < 64; ++high) {  // a sample of all bit patterns
    for (std::uint32_t i = 0; i < x.size(); ++i) x[i] = std::bit_cast<float>((high << 26) + i * 1021);
    k.f32_to_f16(x.data(), y.data(), x.size());
    base().f32_to_f16(x.data(), z.data(), x.size());
    EXPECT_EQ(y, z) << high;
  }
}

TEST_P(Level, Bfloat16IsTheUpperHalfOfAFloat) {
  const std::vector<std::uint16_t> x = {0x3f80, 0xc000, 0x0000, 0x7f80, 0x0001};
  Floats y(x.size());
  k.bf16_to_f32(x.data(), y.data(), x.size());
  EXPECT_TRUE(same(y, {1, -2, 0, kInf, 0x1p-133f}));
}

}  // namespace
