#include "shoal/cluster/kmeans/vmf_mixture.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <numbers>
#include <numeric>

#include "shoal/cluster/kmeans/bessel_impl.h"
#include "shoal/core/error.h"
#include "shoal/core/random.h"
#include "shoal/linear/norms.h"

namespace shoal {
namespace {

/// Directions scattered around e_0, e_1, ... by normal noise.
Matrix bundles(Index rows, Index cols, Index groups, float noise) {
  const Random random({21});
  Matrix m(rows, cols);
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < cols; ++j)
      m[i][j] = (j == i % groups ? 1.0f : 0.0f) + noise * static_cast<float>(random.normal(i * cols + j));
  unit_rows(m.span());
  return m;
}

// mpmath 1.3.0, 40 digits: log(besseli(order, x)), besseli(order + 1, x) / besseli(order, x).
TEST(BesselI, AsMpmath) {
  struct Golden {
    double order, x, log, ratio;
  };
  for (const Golden& g : {Golden{-0.5, 0.3, 0.4205358194441809, 0.2913126124515909},
                          Golden{0, 1e-06, 2.4999999999998435e-13, 4.9999999999993748e-7},
                          Golden{0, 1, 0.23591435850717865, 0.44638996589653451},
                          Golden{0, 700, 695.80569999844345, 0.99928545881842609},
                          Golden{0.5, 2, 0.71600242968946804, 0.5373147207275481},
                          Golden{5, 30, 26.961886249246192, 0.8307924700492268},
                          Golden{5, 100000, 99993.324474983691, 0.99994500123751237},
                          Golden{63.5, 10, -100.50103848408339, 0.077065929699089513},
                          Golden{191, 1e-06, -3586.8833643620361, 2.6041666666666665e-9},
                          Golden{191, 50, -197.6961015734342, 0.12808294992675871},
                          Golden{191, 400, 351.24548170005497, 0.62963648385138345},
                          Golden{191, 3000, 2988.9987923214033, 0.93819199855551845},
                          Golden{191, 100000, 99993.142194127736, 0.99808682405407703},
                          Golden{511, 800, 637.4239729351704, 0.54739857740467495}}) {
    const BesselI b = bessel_i(g.order, g.x);
    EXPECT_NEAR(b.log, g.log, 1e-10 * std::max(1.0, std::abs(g.log))) << g.order << " " << g.x;
    EXPECT_NEAR(b.ratio / g.ratio, 1, 1e-9) << g.order << " " << g.x;
  }
}

TEST(VmfMixture, FindsTheBundles) {
  const Matrix x = bundles(900, 10, 3, 0.1f);
  const auto m = VmfMixture::fit(x, {.n_clusters = 3});
  const Matrix p = m.memberships(x);
  for (Index i = 3; i < 900; ++i) EXPECT_EQ(m.labels().of[i], m.labels().of[i - 3]);
  for (Index i = 0; i < 900; ++i) {
    EXPECT_NEAR(std::accumulate(p[i].begin(), p[i].end(), 0.0), 1, 1e-6);
    EXPECT_EQ(std::ranges::max_element(p[i]) - p[i].begin(), m.labels().of[i]);
  }
  EXPECT_EQ(m.predict(x), m.labels());
  for (const double share : m.proportions()) EXPECT_NEAR(share, 1 / 3.0, 1e-6);
  for (const double kappa : m.kappa()) EXPECT_NEAR(kappa, 100, 10);  // 1 / noise^2, nearly
}

// One component in three dimensions: r = coth(kappa) - 1 / kappa, and the density has a closed form.
TEST(VmfMixture, AnswerMadeByHand) {
  Matrix x(4, 3);
  for (Index i = 0; i < 4; ++i) x[i][0] = 0.8f, x[i][1 + i % 2] = i < 2 ? 0.6f : -0.6f;
  const auto m = VmfMixture::fit(x, {.n_clusters = 1});
  const double kappa = m.kappa()[0];
  EXPECT_NEAR(1 / std::tanh(kappa) - 1 / kappa, 0.8, 1e-6);
  EXPECT_NEAR(m.cluster_centers()[0][0], 1, 1e-6);
  const double scale = kappa / (4 * std::numbers::pi * std::sinh(kappa));
  EXPECT_NEAR(m.log_likelihood(), 4 * (std::log(scale) + kappa * 0.8), 1e-5);
  EXPECT_NEAR(m.bic(), -2 * m.log_likelihood() + std::log(4) * (2 + 1), 1e-9);
  const Matrix memberships = m.memberships(x);
  EXPECT_EQ(memberships[2][0], 1);
}

TEST(VmfMixture, TheLikelihoodNeverFalls) {
  const Matrix x = bundles(600, 16, 6, 0.5f);
  for (const bool shared : {false, true}) {
    double before = -1e300;
    for (Index rounds = 1; rounds < 12; ++rounds) {
      const auto m =
          VmfMixture::fit(x, {.n_clusters = 8, .shared_kappa = shared, .max_iter = rounds, .tol = 0});
      EXPECT_GE(m.log_likelihood(), before - 1e-4);
      EXPECT_EQ(m.log_likelihood(), m.log_likelihood(x));
      before = m.log_likelihood();
      if (shared) {
        EXPECT_EQ(m.kappa()[0], m.kappa()[7]);
      }
    }
  }
}

// By the criterion the right number of components is better than fewer and more.
TEST(VmfMixture, BicKnowsTheNumberOfBundles) {
  const Matrix x = bundles(800, 8, 4, 0.2f);
  const auto bic = [&](Index k) { return VmfMixture::fit(x, {.n_clusters = k, .n_init = 5}).bic(); };
  EXPECT_LT(bic(4), bic(3));
  EXPECT_LT(bic(4), bic(6));
}

TEST(VmfMixture, SoftWhereBundlesMeet) {
  const Matrix x = bundles(2000, 5, 2, 0.2f);
  const auto m = VmfMixture::fit(x, {.n_clusters = 2});
  Matrix between(2, 5);
  between[0][0] = between[0][1] = 1;
  const Matrix p = m.memberships(between);
  EXPECT_NEAR(p[0][0], 0.5, 0.2);
  EXPECT_EQ(p[1][0], 0);  // a row of zeros
  EXPECT_EQ(m.predict(between).of[1], kNoise);
}

TEST(VmfMixture, EqualRowsHaveFiniteConcentrations) {
  Matrix x(30, 4);
  for (Index i = 0; i < 30; ++i) x[i][i % 3] = 2;
  const auto m = VmfMixture::fit(x, {.n_clusters = 3});
  for (const double kappa : m.kappa()) EXPECT_EQ(kappa, 1e5);
  EXPECT_TRUE(std::isfinite(m.log_likelihood()));
  EXPECT_THROW(VmfMixture::fit(x, {.n_clusters = 4}), Error);
  EXPECT_THROW(VmfMixture::fit(x, {.n_clusters = 3, .tol = -1}), Error);
}

}  // namespace
}  // namespace shoal
