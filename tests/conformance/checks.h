// What every stage must do, chosen by what it can do (core/stage.h). conformance_test.cpp asks it of all
// stages; harness_test.cpp asks it of stages that misbehave and wants to see the checks fail.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>
#include <stop_token>
#include <string>

#include "shoal/core/error.h"
#include "shoal/core/random.h"
#include "shoal/core/stage.h"
#include "shoal/kernels/kernels.h"
#include "shoal/store/archive/archive.h"
#include "shoal/store/vectors/rows_file.h"
#include "tests/error_of.h"
#include "tests/scratch_folder.h"

namespace shoal::conformance {

namespace fs = std::filesystem;

/// Rows in loose groups, away from the origin; enough for several chunks.
inline Matrix sample(Index rows = 2300, Index cols = 12) {
  const Random random({99});
  Matrix x(rows, cols);
  for (Index i = 0; i < rows; ++i)
    for (Index j = 0; j < cols; ++j)
      x[i][j] = static_cast<float>(0.3 + random.normal(1000000 + (i % 9) * cols + j) +
                                   0.7 * random.normal(i * cols + j));
  return x;
}

inline std::string bytes_of(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

/// The stage as a saved file: all that it has learnt, bit for bit.
template <Stage S>
std::string saved(const S& stage) {
  const ScratchFolder folder;
  ArchiveWriter out(S::kind);
  stage.save(out);
  out.write(folder / "stage");
  return bytes_of(folder / "stage");
}

template <class T>
std::string raw(const T* data, std::size_t count) {
  return {reinterpret_cast<const char*>(data), count * sizeof(T)};
}

/// Everything that the stage says about `x`, bit for bit.
template <Stage S>
std::string answers(const S& stage, const Rows& x, const Run& run = {}) {
  std::string all = saved(stage);
  if constexpr (Predictor<S>) {
    const Labels labels = stage.predict(x, run);
    all += raw(labels.of.data(), labels.of.size());
  }
  if constexpr (Transformer<S>) {
    const Matrix y = stage.transform(x, run);
    all += raw(y.data(), y.rows() * y.cols());
  }
  return all;
}

/// The options that the checks ask a stage with: the defaults, unless conformance_test.cpp sets others.
template <class S>
typename S::Options& asked() {
  static typename S::Options options;
  return options;
}

/// The stage with these options.
template <class S>
S fit(const Rows& x, const Run& run = {}) {
  return S::fit(x, asked<S>(), run);
}

template <Stage S>
void check_threads() {
  const Matrix x = sample();
  const std::string one = answers(fit<S>(x, {.threads = 1}), x, {.threads = 1});
  for (const unsigned threads : {2u, 3u, 8u}) {
    const Run run{.threads = threads, .stop = {}, .progress = {}};
    EXPECT_TRUE(answers(fit<S>(x, run), x, run) == one) << threads << " threads give other bits than one";
  }
}

template <Stage S>
void check_twice() {
  const Matrix x = sample(600);
  EXPECT_TRUE(answers(fit<S>(x), x) == answers(fit<S>(x), x)) << "a second fit differs from the first";
}

template <Stage S>
void check_training_rows() {
  if constexpr (Clusterer<S> && Predictor<S>) {
    const Matrix x = sample();
    const S stage = fit<S>(x);
    EXPECT_TRUE(stage.predict(x) == stage.labels()) << "predict on the training rows is not labels()";
  }
}

template <Stage S>
void check_saving() {
  const Matrix x = sample(600);
  const ScratchFolder folder;
  const Rows rows(x, {.id = "a model", .dims = 12, .unit = false});
  const S stage = fit<S>(rows);
  ArchiveWriter out(S::kind);
  stage.save(out);
  out.write(folder / "stage");
  const S loaded = S::load(ArchiveReader(folder / "stage"));
  EXPECT_TRUE(answers(loaded, rows) == answers(stage, rows)) << "a loaded stage answers otherwise";
  const S copy = loaded;
  EXPECT_TRUE(answers(copy, rows) == answers(stage, rows)) << "a copy answers otherwise";
}

template <Stage S>
void check_cut_files() {
  const ScratchFolder folder;
  const std::string whole = saved(fit<S>(sample(64, 5)));
  ASSERT_GT(whole.size(), 97u);
  for (std::size_t length = 0; length < whole.size(); length += 97) {
    std::ofstream(folder / "cut", std::ios::binary) << whole.substr(0, length);
    const Error e = error_of([&] { S::load(ArchiveReader(folder / "cut")); });
    EXPECT_EQ(e.fault, Fault::format) << "cut at " << length << ": " << e.what();
  }
  ArchiveWriter other("another kind");
  other.write(folder / "other");
  EXPECT_EQ(error_of([&] { S::load(ArchiveReader(folder / "other")); }).fault, Fault::format);
}

template <Stage S>
void check_slices() {
  const Matrix x = sample(700);
  [[maybe_unused]] const S stage = fit<S>(x);
  for (const Index first : {Index{0}, Index{1}, Index{255}, Index{699}}) {
    const Index count = std::min<Index>(300, 700 - first);
    [[maybe_unused]] const Rows part(x.view().slice(first, count));
    if constexpr (Predictor<S>) {
      const Labels all = stage.predict(x), some = stage.predict(part);
      EXPECT_TRUE(
          std::equal(some.of.begin(), some.of.end(), all.of.begin() + static_cast<std::ptrdiff_t>(first)));
    }
    if constexpr (Transformer<S>) {
      const Matrix all = stage.transform(x), some = stage.transform(part);
      for (Index r = 0; r < count; ++r)
        EXPECT_TRUE(std::ranges::equal(some[r], all[first + r]))
            << "row " << first + r << " depends on the others";
    }
  }
}

template <Stage S>
void check_mapped() {
  const ScratchFolder folder;
  const Matrix x = sample(900);
  for (const char* name : {"x.npy", "x.safetensors"}) {
    write_rows(folder / name, x);
    const Rows mapped = open_rows(folder / name), given(x, mapped.space());
    const std::string in_memory = answers(fit<S>(given), given);
    EXPECT_TRUE(answers(fit<S>(mapped), mapped) == in_memory) << name << " gives other bits than memory";
  }
}

/// float16 rows: what is stored, and the same values as float32.
struct Halves {
  explicit Halves(const Matrix& x) : stored(x.rows() * x.cols()), values(x.rows(), x.cols()) {
    kernels().f32_to_f16(x.data(), stored.data(), stored.size());
    kernels().f16_to_f32(stored.data(), values.data(), stored.size());
  }
  Rows rows() const {
    const auto read = [this](Index first, Index count, Matrix& scratch) {
      if (scratch.rows() < count) scratch = Matrix(count, values.cols());
      kernels().f16_to_f32(stored.data() + first * values.cols(), scratch.data(), count * values.cols());
      return scratch.view().slice(0, count);
    };
    return Rows(values.rows(), values.cols(), Dtype::f16, read, {});
  }
  std::vector<std::uint16_t> stored;
  Matrix values;
};

template <Stage S>
void check_halves() {
  const Matrix x = sample(900);
  const Halves halves(x);
  EXPECT_TRUE(answers(fit<S>(halves.rows()), halves.rows()) == answers(fit<S>(halves.values), halves.values))
      << "float16 rows give other bits than the same values as float32";
  if constexpr (Transformer<S>) {
    const S stage = fit<S>(x);
    const Matrix exact = stage.transform(x), rounded = stage.transform(halves.rows());
    for (Index i = 0; i < exact.rows() * exact.cols(); ++i)  // 2^-11 of values up to 6, over 12 columns
      ASSERT_NEAR(rounded.data()[i], exact.data()[i], 0.02);
  }
}

template <Stage S>
void check_not_finite() {
  for (const float bad : {std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::infinity()}) {
    Matrix x = sample(2200);
    [[maybe_unused]] const S stage = fit<S>(x);
    x[2137][5] = bad;
    const auto names_row = [](const Error& e) {
      EXPECT_EQ(e.fault, Fault::data);
      EXPECT_NE(std::string(e.what()).find("row 2137"), std::string::npos) << e.what();
    };
    names_row(error_of([&] { fit<S>(x); }));
    if constexpr (Predictor<S>) names_row(error_of([&] { stage.predict(x); }));
    if constexpr (Transformer<S>) names_row(error_of([&] { stage.transform(x); }));
  }
}

/// Fits, or refuses with an Error(data) or Error(argument) that says why: never anything else.
template <Stage S>
void fits_or_explains(const Matrix& x, const char* what) {
  try {
    answers(fit<S>(x), x);
  } catch (const Error& e) {
    EXPECT_TRUE(e.fault == Fault::data || e.fault == Fault::argument) << what << ": " << e.what();
    EXPECT_FALSE(std::string(e.what()).empty()) << what;
  } catch (const std::exception& e) {
    ADD_FAILURE() << what << ": threw something that is not an Error: " << e.what();
  }
}

template <Stage S>
void check_shapes() {
  fits_or_explains<S>(Matrix(0, 4), "no rows");
  fits_or_explains<S>(Matrix(0, 0), "nothing");
  fits_or_explains<S>(Matrix(30, 0), "no columns");
  fits_or_explains<S>(sample(1, 4), "one row");
  fits_or_explains<S>(sample(2, 4), "two rows");
  fits_or_explains<S>(sample(40, 1), "one column");
  fits_or_explains<S>(Matrix(40, 4), "all zero");
  Matrix equal(40, 4);
  std::fill_n(equal.data(), 160, 0.5f);
  fits_or_explains<S>(equal, "all rows equal");
}

template <Stage S>
void check_no_new_rows() {
  [[maybe_unused]] const S stage = fit<S>(sample(300));
  if constexpr (Predictor<S>) {
    EXPECT_EQ(stage.predict(Matrix(0, 12)).of.size(), 0u);
    EXPECT_EQ(error_of([&] { stage.predict(Matrix(3, 11)); }).fault, Fault::data);
  }
  if constexpr (Transformer<S>) {
    EXPECT_EQ(stage.transform(Matrix(0, 12)).rows(), 0u);
    EXPECT_EQ(error_of([&] { stage.transform(Matrix(3, 11)); }).fault, Fault::data);
  }
}

template <class S>
concept CountsClusters = Clusterer<S> && requires(typename S::Options o) {
  o.n_clusters;
};

template <Stage S>
void check_cluster_counts() {
  if constexpr (CountsClusters<S>) {
    typename S::Options options = asked<S>();
    if constexpr (requires { options.distance_threshold; }) options.distance_threshold.reset();
    const Matrix x = sample(30);
    options.n_clusters = 30;
    std::vector<Label> sorted = S::fit(x, options).labels().of;
    std::ranges::sort(sorted);
    for (Index i = 0; i < 30; ++i) EXPECT_EQ(sorted[i], static_cast<Label>(i)) << "k = rows: one row each";
    options.n_clusters = 31;
    EXPECT_EQ(error_of([&] { S::fit(x, options); }).fault, Fault::data) << "k above the rows";
    Matrix few(30, 12);
    for (Index i = 0; i < 30; ++i) std::ranges::copy(x[i % 5], few[i].begin());
    options.n_clusters = 6;
    EXPECT_EQ(error_of([&] { S::fit(few, options); }).fault, Fault::data) << "k above the distinct rows";
    options.n_clusters = 0;
    EXPECT_EQ(error_of([&] { S::fit(x, options); }).fault, Fault::argument) << "k = 0";
  }
}

template <Stage S>
void check_space() {
  const Matrix x = sample(300);
  const Rows ours(x, {.id = "this model", .dims = 12, .unit = false});
  const Rows other(x, {.id = "that model", .dims = 12, .unit = false}), unknown(x);
  for (const auto& [fitted, given] : {std::pair{ours, other}, {ours, unknown}, {unknown, ours}}) {
    [[maybe_unused]] const S stage = fit<S>(fitted);
    [[maybe_unused]] const Rows& x2 = given;  // clang 14 captures no structured binding
    if constexpr (Predictor<S>) {
      EXPECT_EQ(error_of([&] { stage.predict(x2); }).fault, Fault::data);
      stage.predict(x2.assume_space(fitted.space()));
    }
    if constexpr (Transformer<S>) {
      EXPECT_EQ(error_of([&] { stage.transform(x2); }).fault, Fault::data);
      stage.transform(x2.assume_space(fitted.space()));
    }
  }
}

/// Stopped at any time the caller is told so; a run that is not stopped then gives what it always gives.
template <Stage S>
void check_cancel() {
  const Matrix x = sample();
  const std::string expect = saved(fit<S>(x));
  for (const int after : {0, 1, 5}) {
    std::stop_source source;
    int calls = 0;
    Run run{.threads = 2,
            .stop = source.get_token(),
            .progress = [&](std::string_view, double done, double total) {
              EXPECT_LE(done, total);
              if (++calls == after) source.request_stop();
            }};
    if (after == 0) source.request_stop();
    try {
      const std::string got = saved(fit<S>(x, run));
      EXPECT_FALSE(source.stop_requested() && calls > after) << "went on after being stopped";
      EXPECT_NE(after, 0) << "a stop before the start was not heard";
      EXPECT_TRUE(got == expect);
    } catch (const Error& e) {
      EXPECT_EQ(e.fault, Fault::cancelled) << e.what();
      EXPECT_TRUE(source.stop_requested());
    }
  }
  EXPECT_TRUE(saved(fit<S>(x)) == expect) << "a cancelled fit left something behind";
}

}  // namespace shoal::conformance
