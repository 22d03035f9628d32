// A gauge that cannot move measures nothing: here are stages with one vice each, and the check that must find
// it.
#include <gtest/gtest-spi.h>

#include <atomic>
#include <cmath>

#include "shoal/core/chunks.h"
#include "tests/conformance/checks.h"

namespace shoal::conformance {
namespace {

enum class Vice {
  none,
  counts_threads,
  remembers_fits,
  forgets_when_saved,
  loads_anything,
  looks_at_neighbours,
  asks_for_memory,
  prefers_float32,
  takes_nan,
  throws_strangely,
  ignores_columns,
  ignores_space,
  ignores_stop,
};

struct MeanOptions {};
template <class V>
void fields(MeanOptions&, V&&) {}

/// The mean of all numbers, which `transform` subtracts.
template <Vice vice>
class Mean {
 public:
  using Options = MeanOptions;
  static constexpr std::string_view kind = "mean";

  static Mean fit(const Rows& x, const Options& = {}, const Run& run = {}) {
    static std::atomic<int> fits = 0;
    if (vice == Vice::throws_strangely && x.rows() == 1) throw std::runtime_error("one row");
    if (vice != Vice::ignores_stop) check_stop(run);
    Mean m;
    m.space_ = x.space();
    m.cols_ = x.cols();
    const Matrix all = x.to_matrix();
    check(all);
    for (Index i = 0; i < all.rows() * all.cols(); ++i)
      m.mean_ += all.data()[i] / static_cast<float>(1 + x.rows());
    if (vice == Vice::counts_threads) m.mean_ += static_cast<float>(run.threads);
    if (vice == Vice::remembers_fits) m.mean_ += static_cast<float>(fits++);
    if (vice == Vice::asks_for_memory && x.rows() > 0) {
      Matrix first, second;  // a mapped file gives the same pages; the sample in memory is another place
      m.mean_ += x.block(0, 1, first).data == x.block(0, 1, second).data ? where(x) : 0;
    }
    if (vice == Vice::prefers_float32 && x.dtype() != Dtype::f32) m.mean_ += 1;
    return m;
  }

  Matrix transform(const Rows& x, const Run& = {}) const {
    if (vice != Vice::ignores_columns && x.cols() != cols_) throw Error(Fault::data, "other columns");
    if (vice != Vice::ignores_space && !(space_.id == x.space().id))
      throw Error(Fault::data, "another space");
    Matrix y = x.to_matrix();
    check(y);
    for (Index i = 0; i < y.rows() * y.cols(); ++i) y.data()[i] -= mean_;
    if (vice == Vice::looks_at_neighbours && y.rows() > 0 && y.cols() > 0) y[0][0] += y[y.rows() - 1][0];
    return y;
  }

  void save(ArchiveWriter& out) const {
    out.space(space_);
    const float learnt[] = {vice == Vice::forgets_when_saved ? 0.0f : mean_, static_cast<float>(cols_)};
    out.add("learnt", std::span<const float>(learnt));
  }
  static Mean load(const ArchiveReader& in) {
    if (vice != Vice::loads_anything) check_kind(in, kind);
    Mean m;
    m.space_ = read_space(in);
    if (vice == Vice::loads_anything && !in.has("learnt")) return m;
    const auto learnt = in.floats("learnt", 2);
    m.mean_ = learnt[0];
    m.cols_ = static_cast<Index>(learnt[1]);
    return m;
  }

 private:
  static void check(const Matrix& x) {
    for (Index r = 0; r < x.rows() && vice != Vice::takes_nan; ++r)
      for (const float v : x[r])
        if (!std::isfinite(v)) throw Error(Fault::data, "row " + std::to_string(r) + " is not finite");
  }
  static float where(const Rows& x) {
    Matrix scratch;
    return static_cast<float>(reinterpret_cast<std::uintptr_t>(x.block(0, 1, scratch).data) % 1000003);
  }

  Space space_;
  float mean_ = 0;
  Index cols_ = 0;
};

/// How many failures `check` reports.
int failures_of(void (*check)()) {
  testing::TestPartResultArray results;
  {
    testing::ScopedFakeTestPartResultReporter reporter(
        testing::ScopedFakeTestPartResultReporter::INTERCEPT_ALL_THREADS, &results);
    check();
  }
  int failures = 0;
  for (int i = 0; i < results.size(); ++i) failures += results.GetTestPartResult(i).failed();
  return failures;
}

TEST(Harness, PassesAStageWithoutVices) {
  using Good = Mean<Vice::none>;
  for (auto check : {check_threads<Good>, check_twice<Good>, check_saving<Good>, check_cut_files<Good>,
                     check_slices<Good>, check_mapped<Good>, check_halves<Good>, check_not_finite<Good>,
                     check_shapes<Good>, check_no_new_rows<Good>, check_space<Good>, check_cancel<Good>})
    EXPECT_EQ(failures_of(check), 0);
}

TEST(Harness, FindsEachVice) {
  EXPECT_GT(failures_of(check_threads<Mean<Vice::counts_threads>>), 0);
  EXPECT_GT(failures_of(check_twice<Mean<Vice::remembers_fits>>), 0);
  EXPECT_GT(failures_of(check_saving<Mean<Vice::forgets_when_saved>>), 0);
  EXPECT_GT(failures_of(check_cut_files<Mean<Vice::loads_anything>>), 0);
  EXPECT_GT(failures_of(check_slices<Mean<Vice::looks_at_neighbours>>), 0);
  EXPECT_GT(failures_of(check_mapped<Mean<Vice::asks_for_memory>>), 0);
  EXPECT_GT(failures_of(check_halves<Mean<Vice::prefers_float32>>), 0);
  EXPECT_GT(failures_of(check_not_finite<Mean<Vice::takes_nan>>), 0);
  EXPECT_GT(failures_of(check_shapes<Mean<Vice::throws_strangely>>), 0);
  EXPECT_GT(failures_of(check_no_new_rows<Mean<Vice::ignores_columns>>), 0);
  EXPECT_GT(failures_of(check_space<Mean<Vice::ignores_space>>), 0);
  EXPECT_GT(failures_of(check_cancel<Mean<Vice::ignores_stop>>), 0);
}

}  // namespace
}  // namespace shoal::conformance
