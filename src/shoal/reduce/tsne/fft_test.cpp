#include "shoal/reduce/tsne/fft_impl.h"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <numbers>

#include "shoal/core/random.h"

namespace shoal {
namespace {

constexpr Index kLanes = LaneFft::kLanes, kItem = LaneFft::kItem;

TEST(UnitRoot, IsOnTheCircle) {
  for (const Index n : {1u, 2u, 3u, 8u, 15u, 800u})
    for (Index k = 0; k < 2 * n; ++k) {
      const double angle = 2 * std::numbers::pi * static_cast<double>(k % n) / static_cast<double>(n);
      EXPECT_NEAR(unit_root(k, n).cos, std::cos(angle), 2e-15);
      EXPECT_NEAR(unit_root(k, n).sin, std::sin(angle), 2e-15);
    }
}

TEST(LaneFft, LengthsAreEnoughAndNear) {
  for (Index least = 1; least < 3000; ++least) {
    const Index length = LaneFft::length_for(least);
    EXPECT_GE(length, least);
    EXPECT_LE(length, std::max<Index>(2, least + least / 4 + 1));
    EXPECT_EQ(length % 2, 0u);
  }
}

TEST(LaneFft, IsTheTransform) {
  const Random random(Seed{3});
  for (const Index least : {2u, 6u, 8u, 10u, 12u, 16u, 18u, 30u, 80u, 90u}) {
    const LaneFft fft(LaneFft::length_for(least));
    const Index n = fft.length();
    std::vector<float> data(n * kItem), scratch(n * kItem);
    for (Index i = 0; i < data.size(); ++i) data[i] = static_cast<float>(random.uniform(i) - 0.5);
    const std::vector<float> given = data;
    const float* out = fft.run(data.data(), scratch.data());
    EXPECT_EQ(out == data.data(), fft.stays());
    for (Index lane = 0; lane < kLanes; ++lane)
      for (Index f = 0; f < n; ++f) {
        std::complex<double> sum = 0;
        for (Index k = 0; k < n; ++k)
          sum += std::complex<double>(given[k * kItem + lane], given[k * kItem + kLanes + lane]) *
                 std::polar(1.0, -2 * std::numbers::pi * static_cast<double>(f * k) / static_cast<double>(n));
        ASSERT_NEAR(out[f * kItem + lane], sum.real(), 1e-5) << n;
        ASSERT_NEAR(out[f * kItem + kLanes + lane], sum.imag(), 1e-5) << n;
      }
  }
}

}  // namespace
}  // namespace shoal
