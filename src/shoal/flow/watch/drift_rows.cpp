#include <algorithm>
#include <map>
#include <numeric>

#include "shoal/cluster/kmeans/spherical_kmeans.h"
#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/flow/folders/cluster_vectors.h"
#include "shoal/flow/watch/drift_rows_impl.h"
#include "shoal/linear/norms.h"

namespace shoal {
namespace {

constexpr Label kLengths = 10;
constexpr Index kRowsATopic = 50, kMostTopics = 20;

Rows joined(const Rows& a, const Rows& b, const Run& run) {
  Matrix all(a.rows() + b.rows(), a.cols());
  const auto copy = [&](const Rows& from, Index to) {
    for_chunks(run, from.rows(), 4096, [&](Index, Index first, Index last) {
      Matrix scratch;
      const MatrixView block = from.block(first, last - first, scratch);
      for (Index i = 0; i < block.rows; ++i) std::ranges::copy(block[i], all[to + first + i].begin());
    });
  };
  copy(a, 0);
  copy(b, a.rows());
  return Rows(std::move(all), a.space());
}

}  // namespace

Joined join(DriftReport& report, const DriftReportOptions& options, const Run& run) {
  const TextsAndVectors &a = report.old_rows, &b = report.new_rows;
  Joined out{a.vectors, a.texts, a.columns, std::vector<std::uint8_t>(a.vectors.rows())};
  if (!options.new_input) return out;
  const std::string &old_name = options.old_input.string(), &new_name = options.new_input->string();
  require(a.vectors.cols() == b.vectors.cols(), Fault::data,
          old_name + " has vectors of " + std::to_string(a.vectors.cols()) + " numbers, " + new_name +
              " of " + std::to_string(b.vectors.cols()));
  check_space(a.vectors.space(), in_space_of(a.vectors.space(), b.vectors, report.assumed_space).space(),
              new_name.c_str());
  out.vectors = joined(a.vectors, b.vectors, run);
  out.is_new.resize(out.vectors.rows(), 1);
  if (!a.has_texts() || !b.has_texts()) out.texts.clear();
  if (a.has_texts() && b.has_texts())
    for (Index i = 0; i < b.texts.size(); ++i) out.texts.add(b.texts[i]);
  for (Index c = 0; c < out.columns.size(); ++c)
    for (Index i = 0; i < b.columns[c].size(); ++i) out.columns[c].add(b.columns[c][i]);
  return out;
}

namespace {

/// Of each row its group by what it is given; kNoise where that is not known.
Labels contexts(const Joined& rows, const Texts* column, const DriftReportOptions& options, const Run& run) {
  const Index n = rows.vectors.rows();
  Labels out;
  if (column != nullptr) {
    std::map<std::string, Label> known;
    for (Index i = 0; i < n; ++i)
      out.of.push_back(
          known.try_emplace(std::string((*column)[i]), static_cast<Label>(known.size())).first->second);
    out.count = known.size();
  } else if (options.given == kGivenTopics) {
    SphericalKMeansOptions k;
    k.n_clusters = options.n_clusters.value_or(std::clamp<Index>(n / kRowsATopic, 2, kMostTopics));
    k.n_init = 1;
    k.seed = options.drift.seed.child(11);
    return SphericalKMeans::fit(rows.vectors, k, run.quiet()).labels();
  } else {
    require(rows.texts.size() == n, Fault::argument,
            option_name("given") + " length needs texts; these are vectors alone");
    std::vector<Index> order(n);
    std::iota(order.begin(), order.end(), Index{0});
    std::ranges::sort(order, {}, [&](Index i) { return std::pair(rows.texts[i].size(), i); });
    out = {std::vector<Label>(n), kLengths};
    for (Index i = 0; i < n; ++i) out.of[order[i]] = static_cast<Label>(i * kLengths / n);
  }
  require(out.count >= 2 && out.count <= n / 2, Fault::data,
          option_name("given") + " " + options.given + " has " + std::to_string(out.count) +
              " different values; from 2 to half as many as rows make groups");
  return out;
}

/// The rows less the mean of their group.
Rows less_means(const Rows& x, const Labels& groups) {
  Matrix all = x.to_matrix();
  std::vector<std::vector<double>> sums(groups.count, std::vector<double>(all.cols()));
  const std::vector<Index> sizes = label_sizes(groups);
  for (Index i = 0; i < all.rows(); ++i)
    if (groups.of[i] != kNoise)
      for (Index j = 0; j < all.cols(); ++j)
        sums[static_cast<Index>(groups.of[i])][j] += static_cast<double>(all[i][j]);
  for (Index i = 0; i < all.rows(); ++i) {
    if (groups.of[i] == kNoise) continue;
    const auto g = static_cast<Index>(groups.of[i]);
    for (Index j = 0; j < all.cols(); ++j)
      all[i][j] =
          static_cast<float>(static_cast<double>(all[i][j]) - sums[g][j] / static_cast<double>(sizes[g]));
  }
  return Rows(std::move(all), x.space());
}

}  // namespace

Rows less_context(const Joined& rows, const Texts* column, const DriftReportOptions& options,
                  const Run& run) {
  return less_means(rows.vectors, contexts(rows, column, options, run));
}

}  // namespace shoal
