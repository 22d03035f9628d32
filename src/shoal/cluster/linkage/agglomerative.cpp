#include "shoal/cluster/linkage/agglomerative.h"

#include <array>
#include <cstdio>
#include <string>

#include "shoal/cluster/linkage/linkage_impl.h"
#include "shoal/core/error.h"
#include "shoal/core/with_commas.h"
#include "shoal/linear/norms.h"
#include "shoal/near/centroids_impl.h"
#include "shoal/near/nearness_impl.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace {

void check_rows(const Rows& x, const AgglomerativeOptions& o) {
  if (x.rows() == 0) throw Error(Fault::data, "no rows were given; at least one is needed");
  if (x.cols() == 0) throw Error(Fault::data, "the rows have no columns");
  if (x.rows() >= Index{1} << 31)
    throw Error(Fault::data,
                std::to_string(x.rows()) + " rows were given; at most 2^31 - 1 can be clustered");
  if (o.n_clusters > x.rows())
    throw Error(Fault::data, option_name("n_clusters") + " is " + std::to_string(*o.n_clusters) +
                                 ", but only " + std::to_string(x.rows()) + " rows were given; allowed: 1.." +
                                 std::to_string(x.rows()));
}

std::string gigabytes(double bytes) {
  std::array<char, 32> text;
  const bool large = bytes >= 5e7;
  std::snprintf(text.data(), text.size(), large ? "%.1f GB" : "%.0f bytes", large ? bytes / 1e9 : bytes);
  return text.data();
}

bool keeps_all_pairs(const AgglomerativeOptions& o) {
  return o.linkage == Linkage::complete || (o.linkage == Linkage::average && o.metric == Metric::euclidean);
}

void check_memory(Index points, const AgglomerativeOptions& o) {
  if (!keeps_all_pairs(o)) return;
  const double bytes = o.linkage == Linkage::complete ? complete_bytes(points) : average_bytes(points);
  if (bytes <= static_cast<double>(o.memory_bytes)) return;
  throw Error(Fault::data,
              std::string(name_of(o.linkage)) + " linkage (" + name_of(o.metric) + ") of " +
                  with_commas(points) + " distinct rows needs " + gigabytes(bytes) +
                  " for their distances; allowed: " + gigabytes(static_cast<double>(o.memory_bytes)) + " (" +
                  option_name("memory_bytes") +
                  "). Average linkage with cosine, ward, centroid and single need "
                  "no such memory; or cluster fewer rows and place the others");
}

std::vector<PointJoin> join_all(Points& points, const AgglomerativeOptions& o, const Run& run,
                                JoinProgress& progress) {
  switch (o.linkage) {
    case Linkage::ward:
      return join_in_rounds(points, Measure::ward, run, progress);
    case Linkage::centroid:
      return join_centroids(points, run, progress);
    case Linkage::single:
      return join_single(points, run, progress);
    case Linkage::complete:
      return join_complete(points, run, progress);
    case Linkage::average:
      break;
  }
  if (o.metric == Metric::cosine) return join_in_rounds(points, Measure::mean_cosine, run, progress);
  return join_average(points, run, progress);
}

Dendrogram build(const Rows& x, const AgglomerativeOptions& o, const Run& run) {
  Points points(x, o.metric, run);
  if (o.n_clusters > points.count())
    throw Error(Fault::data, option_name("n_clusters") + " is " + std::to_string(*o.n_clusters) +
                                 ", but only " + std::to_string(points.count()) +
                                 " distinct rows were given; allowed: 1.." + std::to_string(points.count()));
  check_memory(points.count(), o);
  JoinProgress progress(run, x.rows(), x.rows() - points.count());
  return make_dendrogram(points, join_all(points, o, run, progress), o.linkage != Linkage::centroid);
}

Dendrogram read_merges(const ArchiveReader& in) {
  const auto bad = [&](const std::string& what) {
    return Error(Fault::format, in.path().string() + ": " + what);
  };
  const std::vector<std::int64_t> ids = in.integers("merges");
  const Index merges = ids.size() / 2, rows = merges + 1;
  if (ids.size() != 2 * merges) throw bad("merges are no pairs");
  const std::vector<double> heights = in.doubles("heights", merges);
  Dendrogram tree{rows, std::vector<Merge>(merges)};
  std::vector<std::uint32_t> size(rows, 1);
  for (Index i = 0; i < merges; ++i) {
    const std::int64_t first = ids[2 * i], second = ids[2 * i + 1];
    const auto made = static_cast<std::int64_t>(size.size());
    if (first < 0 || second < 0 || first >= made || second >= made)
      throw bad("merge " + std::to_string(i) + " joins what is not there");
    size.push_back(size[static_cast<Index>(first)] + size[static_cast<Index>(second)]);
    tree.merges[i] = {static_cast<std::uint32_t>(first), static_cast<std::uint32_t>(second), heights[i],
                      size.back()};
  }
  try {
    tree.check();
  } catch (const Error& e) {
    throw bad(e.what());
  }
  return tree;
}

}  // namespace

void check_together(const AgglomerativeOptions& o) {
  const std::string number = option_name("n_clusters"), threshold = option_name("distance_threshold");
  require(o.n_clusters.has_value() != o.distance_threshold.has_value(), Fault::argument,
          (o.n_clusters ? "both of " : "neither of ") + number + " and " + threshold +
              (o.n_clusters ? " are" : " is") + " given; exactly one is needed");
  if ((o.linkage == Linkage::ward || o.linkage == Linkage::centroid) && o.metric != Metric::euclidean)
    throw Error(Fault::argument,
                option_name("linkage") + " is " + name_of(o.linkage) + ", which needs " +
                    option_name("metric") + " euclidean, not " + name_of(o.metric),
                "for directions use average linkage, or euclidean on rows of length 1");
}

Agglomerative Agglomerative::fit(const Rows& x, const Options& options, const Run& run) {
  check_options(options);
  check_rows(x, options);
  Agglomerative a;
  a.options_ = options;
  a.space_ = x.space();
  a.dendrogram_ = build(x, options, run);
  a.label(x,
          options.n_clusters ? *options.n_clusters : a.dendrogram_.clusters_at(*options.distance_threshold),
          run);
  return a;
}

Agglomerative Agglomerative::with_clusters(Index n_clusters, const Rows& x, const Run& run) const {
  if (x.rows() != dendrogram_.rows || x.cols() != centers_.cols())
    throw Error(Fault::data, "these are not the rows of the tree: it joins " +
                                 std::to_string(dendrogram_.rows) + " rows of " +
                                 std::to_string(centers_.cols()) + " columns");
  Agglomerative other = *this;
  other.options_.n_clusters = n_clusters;
  other.options_.distance_threshold.reset();
  other.label(x, n_clusters, run);
  return other;
}

void Agglomerative::label(const Rows& x, Index n_clusters, const Run& run) {
  labels_ = cut(n_clusters);
  centers_ = centroids(x, options_.metric, labels_, run);
  const Labels placed = place(x, run);
  Index same = 0;
  for (Index i = 0; i < x.rows(); ++i) same += placed.of[i] == labels_.of[i];
  agreement_ = static_cast<double>(same) / static_cast<double>(x.rows());
}

Labels Agglomerative::place(const Rows& x, const Run& run) const {
  check_input(x, centers_.cols(), space_, "the clusters");
  // In the middle of the centers products do not cancel, should all lie far from the origin.
  const ShiftScale frame =
      options_.metric == Metric::euclidean ? frame_within_one({centers_}, run.quiet()) : ShiftScale{};
  const Matrix centers = MetricRows(centers_, options_.metric, frame, run.quiet()).to_matrix();
  return label_rows(MetricRows(x, options_.metric, frame, run), centers, run, "place rows");
}

void Agglomerative::save(ArchiveWriter& out) const {
  out.options(list_fields(options_));
  out.space(space_);
  out.add("centers", centers_.view());
  out.add("agreement", std::span<const double>(&agreement_, 1));
  std::vector<std::int64_t> pairs;
  std::vector<double> heights;
  for (const Merge& m : dendrogram_.merges) {
    pairs.insert(pairs.end(), {m.first, m.second});
    heights.push_back(m.height);
  }
  out.add("merges", std::span<const std::int64_t>(pairs));
  out.add("heights", std::span<const double>(heights));
}

Agglomerative Agglomerative::load(const ArchiveReader& in) {
  check_kind(in, kind);
  const auto bad = [&](const std::string& what) {
    return Error(Fault::format, in.path().string() + ": " + what);
  };
  Agglomerative a;
  a.options_ = read_options<Options>(in);
  a.space_ = read_space(in);
  a.centers_ = in.matrix("centers");
  a.agreement_ = in.doubles("agreement", 1)[0];
  a.dendrogram_ = read_merges(in);
  if (a.centers_.rows() < 1 || a.centers_.rows() > a.dendrogram_.rows)
    throw bad("there are " + std::to_string(a.centers_.rows()) + " centers for " +
              std::to_string(a.dendrogram_.rows) + " rows");
  a.labels_ = a.cut(a.centers_.rows());
  return a;
}

}  // namespace shoal
