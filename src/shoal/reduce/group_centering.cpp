#include "shoal/reduce/group_centering.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <numeric>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/linear/norms.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace {

constexpr Index kBlock = 2048;  // rows made of length 1 at a time
constexpr Index kColumns = 32;  // columns a chunk adds up

/// A copy of the rows, each of length 1.
Matrix units(MatrixView block) {
  Matrix out(block.rows, block.cols);
  for (Index r = 0; r < block.rows; ++r) std::ranges::copy(block[r], out[r].begin());
  unit_rows(out.span());
  return out;
}

}  // namespace

GroupCentering::GroupCentering(std::vector<std::string> groups, Options options,
                               std::vector<std::string> languages)
    : options_(std::move(options)),
      groups_(std::move(groups)),
      languages_(std::move(languages)),
      rows_(groups_.size() + 1) {
  require(!groups_.empty(), Fault::argument, "group centering needs at least one group");
  languages_.resize(groups_.size());
}

bool GroupCentering::has_languages() const {
  return std::ranges::any_of(languages_, [](const std::string& code) { return !code.empty(); });
}

Label GroupCentering::find(std::string_view name_or_language) const {
  if (name_or_language.empty()) return kNoise;
  for (const auto* names : {&groups_, &languages_})
    if (const auto at = std::ranges::find(*names, name_or_language); at != names->end())
      return static_cast<Label>(at - names->begin());
  return kNoise;
}

void GroupCentering::update(const Rows& batch, const std::vector<Label>& group, const Run& run) {
  check_labels({group, groups_.size()}, batch.rows());
  if (batch.rows() == 0) return;
  if (!sums_.empty()) check_input(batch, space_.dims, space_, "the groups' means");
  check_finite(batch, run);
  if (sums_.empty()) {
    space_ = batch.space();
    space_.dims = batch.cols();
    sums_.assign(rows_.size() * batch.cols(), 0);
  }
  const Index d = batch.cols();
  const auto place = [&](Index row) {
    return group[row] == kNoise ? groups_.size() : static_cast<Index>(group[row]);
  };
  Matrix scratch;
  for (Index first = 0; first < batch.rows(); first += kBlock) {
    const Matrix x = units(batch.block(first, std::min(kBlock, batch.rows() - first), scratch));
    for (Index r = 0; r < x.rows(); ++r) {
      ++rows_[place(first + r)];
      zeros_ += std::ranges::all_of(x[r], [](float v) { return v == 0; });
    }
    for_chunks(run, d, kColumns, [&](Index, Index begin, Index end) {
      for (Index r = 0; r < x.rows(); ++r) {
        double* sum = sums_.data() + place(first + r) * d;
        for (Index j = begin; j < end; ++j) sum[j] += x[r][j];
      }
    });
  }
}

Index GroupCentering::count() const { return std::accumulate(rows_.begin(), rows_.end(), Index{0}); }

double GroupCentering::prior_rows() const {
  if (!options_.shrink) return 0;
  const Index d = space_.dims;
  double all = 0, squares = 0, means = 0, used = 0;
  std::vector<double> total(d);
  for (Index g = 0; g < groups_.size(); ++g) {
    if (rows_[g] == 0) continue;
    const auto n = static_cast<double>(rows_[g]);
    double length = 0;
    for (Index j = 0; j < d; ++j) {
      const double sum = sums_[g * d + j];
      total[j] += sum;
      length += sum * sum;
    }
    all += n, squares += n * n, means += length / n, used += 1;
  }
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  if (used < 2 || all <= used) return kInfinity;
  double length = 0;
  for (const double sum : total) length += sum * sum;
  // Rows have length 1, so that their squares add up to their number; those of zeros are few, if any.
  const double within = std::max(0.0, all - static_cast<double>(zeros_) - means) / (all - used);
  const double between = (means - length / all - (used - 1) * within) / (all - squares / all);
  return between > 0 ? within / between : kInfinity;
}

Matrix GroupCentering::means() const {
  const auto n = static_cast<double>(count());
  require(n > 0, Fault::data, "the groups' means have seen no rows");
  const Index d = space_.dims;
  std::vector<double> all(d);
  for (Index g = 0; g < rows_.size(); ++g)
    for (Index j = 0; j < d; ++j) all[j] += sums_[g * d + j];
  for (double& mean : all) mean /= n;
  const double prior = prior_rows();
  Matrix out(rows_.size(), d);
  for (Index g = 0; g < rows_.size(); ++g) {
    const auto rows = static_cast<double>(rows_[g]);
    const bool own = g < groups_.size() && rows > 0 && std::isfinite(prior);
    for (Index j = 0; j < d; ++j)
      out[g][j] = static_cast<float>(own ? (sums_[g * d + j] + prior * all[j]) / (rows + prior) : all[j]);
  }
  return out;
}

Space GroupCentering::out_space() const {
  Space out{.id = space_.id, .dims = space_.dims};
  if (!out.id.empty()) out.id += "+neutral";
  return out;
}

Rows GroupCentering::applied(const Rows& x, std::vector<Label> group) const {
  check_labels({group, groups_.size()}, x.rows());
  check_input(x, space_.dims, space_, "the groups' means");
  const auto taken = std::make_shared<const Matrix>(means());
  const auto of = std::make_shared<const std::vector<Label>>(std::move(group));
  const auto make = [x, taken, of](Index first, Index count, Matrix& scratch) {
    Matrix inner;
    scratch = units(x.block(first, count, inner));
    for (Index r = 0; r < count; ++r) {
      const Label label = (*of)[first + r];
      const auto mean = (*taken)[label == kNoise ? taken->rows() - 1 : static_cast<Index>(label)];
      const auto row = scratch[r];
      if (std::ranges::all_of(row, [](float v) { return v == 0; })) continue;
      for (Index j = 0; j < row.size(); ++j) row[j] -= mean[j];
    }
    unit_rows(scratch.span());
    return scratch.view();
  };
  return Rows(x.rows(), x.cols(), Dtype::f32, make, out_space());
}

void GroupCentering::save(ArchiveWriter& out) const {
  out.options(list_fields(options_));
  out.space(space_);
  for (Index g = 0; g < groups_.size(); ++g) {
    out.meta("group " + std::to_string(g), groups_[g]);
    out.meta("language " + std::to_string(g), languages_[g]);
  }
  std::vector<std::int64_t> counts(rows_.begin(), rows_.end());
  counts.push_back(static_cast<std::int64_t>(zeros_));
  out.add("counts", std::span<const std::int64_t>(counts));
  out.add("sums", std::span<const double>(sums_));
}

GroupCentering GroupCentering::load(const ArchiveReader& in) {
  check_kind(in, kind);
  const auto counts = in.integers("counts");
  const auto negative = [](std::int64_t n) { return n < 0; };
  if (counts.size() < 3 || std::ranges::any_of(counts, negative))
    throw Error(Fault::format, in.path().string() + ": counts are no numbers of rows");
  std::vector<std::string> groups, languages;
  for (Index g = 0; g + 2 < counts.size(); ++g) {
    groups.push_back(in.meta("group " + std::to_string(g)));
    languages.push_back(in.meta("language " + std::to_string(g)));
  }
  GroupCentering out(std::move(groups), read_options<Options>(in), std::move(languages));
  out.space_ = read_space(in);
  out.rows_.assign(counts.begin(), counts.end() - 1);
  out.zeros_ = static_cast<Index>(counts.back());
  out.sums_ = in.doubles("sums", out.rows_.size() * out.space_.dims);
  return out;
}

}  // namespace shoal
