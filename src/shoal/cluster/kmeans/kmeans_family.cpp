#include <algorithm>
#include <cmath>

#include "shoal/cluster/kmeans/kmeans_family_impl.h"
#include "shoal/cluster/kmeans/seeding_impl.h"

namespace shoal {

void check_rows(const Rows& x, Index n_clusters) {
  if (x.rows() < n_clusters)
    throw Error(Fault::data,
                option_name("n_clusters") + " is " + std::to_string(n_clusters) + ", but only " +
                    std::to_string(x.rows()) + " rows were given" +
                    (x.rows() > 0 ? "; allowed: 1.." + std::to_string(x.rows()) : std::string()));
}

void check_weights(std::span<const float> weights, Index rows) {
  if (weights.empty()) return;
  if (weights.size() != rows)
    throw Error(Fault::argument, "there are " + std::to_string(weights.size()) + " weights for " +
                                     std::to_string(rows) + " rows");
  const auto bad = std::ranges::find_if(weights, [](float w) { return !(w >= 0) || std::isinf(w); });
  if (bad != weights.end())
    throw Error(Fault::argument, "the weight of row " + std::to_string(bad - weights.begin()) + " is " +
                                     std::to_string(*bad) + "; allowed: finite numbers of 0 or more");
  if (std::ranges::none_of(weights, [](float w) { return w > 0; }))
    throw Error(Fault::argument, "all weights are 0");
}

void check_start(const Matrix& start, Index n_clusters, Index cols) {
  if (start.rows() != n_clusters || start.cols() != cols)
    throw Error(Fault::argument, "the start has " + std::to_string(start.rows()) + " x " +
                                     std::to_string(start.cols()) +
                                     " numbers; n_clusters and the rows ask for " +
                                     std::to_string(n_clusters) + " x " + std::to_string(cols));
}

Index default_n_init(Index rows, Index clusters, Index cols) {
  const double one = static_cast<double>(rows) * static_cast<double>(clusters) * static_cast<double>(cols);
  return static_cast<Index>(std::clamp(kStartsBudget / std::max(one, 1.0), 1.0, 10.0));
}

template <Metric by>
LloydResult best_of_starts(const MetricRows& rows, const LloydKMeansOptions<by>& o,
                           std::span<const float> weights, const Run& run) {
  LloydResult best;
  for (Index start = 0; start < *o.n_init; ++start) {
    Matrix seeds = seed_centers(rows, o.n_clusters, o.seed.child(start), run, o.init, weights);
    LloydResult found =
        lloyd(rows, std::move(seeds), {.max_iter = o.max_iter, .tol = o.tol, .weights = weights}, run);
    if (start == 0 || found.objective > best.objective) best = std::move(found);
  }
  return best;
}
template LloydResult best_of_starts(const MetricRows&, const KMeansOptions&, std::span<const float>,
                                    const Run&);
template LloydResult best_of_starts(const MetricRows&, const SphericalKMeansOptions&, std::span<const float>,
                                    const Run&);

Error bad_file(const ArchiveReader& in, const std::string& what) {
  return Error(Fault::format, in.path().string() + ": " + what);
}

Matrix read_centers(const ArchiveReader& in, std::string_view name, Index n_clusters, Metric metric) {
  Matrix centers = in.matrix(name);
  if (centers.rows() < 1 || centers.rows() != n_clusters)
    throw bad_file(in, "there are " + std::to_string(centers.rows()) + " centers, but n_clusters is " +
                           std::to_string(n_clusters));
  for (Index c = 0; c < centers.rows(); ++c) {
    if (!std::ranges::all_of(centers[c], [](float v) { return std::isfinite(v); }))
      throw bad_file(in, "center " + std::to_string(c) + " is not finite");
    if (metric == Metric::cosine && unit_scale(centers[c]) != 1)
      throw bad_file(in, "center " + std::to_string(c) + " is not of length 1");
  }
  return centers;
}

Labels read_labels(const ArchiveReader& in, Index n_clusters) {
  Labels labels{{}, n_clusters};
  for (const std::int64_t label : in.integers("labels")) {
    if (label < kNoise || label >= static_cast<std::int64_t>(n_clusters))
      throw bad_file(in, "label " + std::to_string(label) + " is not one of " + std::to_string(n_clusters));
    labels.of.push_back(static_cast<Label>(label));
  }
  return labels;
}

std::vector<double> read_doubles(const ArchiveReader& in, std::string_view name, Index count) {
  std::vector<double> values = in.doubles(name, count);
  if (!std::ranges::all_of(values, [](double v) { return std::isfinite(v); }))
    throw bad_file(in, "tensor " + std::string(name) + " is not finite");
  return values;
}

Index read_count(const ArchiveReader& in, std::string_view name) {
  const auto count = in.integers(name);
  if (count.size() != 1 || count[0] < 0) throw bad_file(in, std::string(name) + " is not one number");
  return static_cast<Index>(count[0]);
}

void write_count(ArchiveWriter& out, std::string_view name, Index count) {
  const auto value = static_cast<std::int64_t>(count);
  out.add(name, std::span<const std::int64_t>(&value, 1));
}

void write_frame(ArchiveWriter& out, const ShiftScale& frame) {
  out.add("shift", std::span<const float>(frame.shift));
  out.add("scale", std::span<const float>(&frame.scale, 1));
}

ShiftScale read_frame(const ArchiveReader& in, Index cols) {
  ShiftScale frame{in.floats("shift", in.tensor("shift").count()), in.floats("scale", 1)[0]};
  if (!frame.shift.empty() && frame.shift.size() != cols)
    throw bad_file(in, "shift has " + std::to_string(frame.shift.size()) + " numbers for " +
                           std::to_string(cols) + " columns");
  if (!(frame.scale > 0) || std::isinf(frame.scale) ||
      !std::ranges::all_of(frame.shift, [](float v) { return std::isfinite(v); }))
    throw bad_file(in, "the frame is not finite");
  return frame;
}

Matrix out_of(const ShiftScale& frame, const Matrix& centers) {
  Matrix out = centers;
  for (Index c = 0; c < out.rows(); ++c)
    for (Index j = 0; j < out.cols(); ++j)
      out[c][j] = out[c][j] / frame.scale + (frame.shift.empty() ? 0 : frame.shift[j]);
  return out;
}

}  // namespace shoal
