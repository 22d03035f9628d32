#include "shoal/classify/label_errors.h"

#include <algorithm>

namespace shoal {
namespace {

bool has(const std::vector<Label>& set, Label label) { return std::ranges::binary_search(set, label); }

/// Sum and number of what is averaged.
struct Mean {
  double sum = 0, count = 0;
  void add(double v) { sum += v, count += 1; }
  bool reached_by(double v) const { return count > 0 && v >= sum / count; }
};

std::vector<LabelError> of_classes(const Matrix& p, const LabelSets& sets,
                                   std::span<const std::uint8_t> judged) {
  std::vector<Mean> own(sets.count);
  for (Index i = 0; i < p.rows(); ++i)
    if (judged[i] && !sets.of[i].empty()) {
      const auto c = static_cast<Index>(sets.of[i].front());
      own[c].add(static_cast<double>(p[i][c]));
    }
  std::vector<LabelError> out;
  for (Index i = 0; i < p.rows(); ++i) {
    if (!judged[i] || sets.of[i].empty()) continue;
    Label said = kNoise;
    for (Index c = 0; c < sets.count; ++c)
      if (own[c].reached_by(static_cast<double>(p[i][c])) &&
          (said == kNoise || p[i][c] > p[i][static_cast<Index>(said)]))
        said = static_cast<Label>(c);
    const Label given = sets.of[i].front();
    if (said == kNoise || said == given) continue;
    out.push_back({i, given, said, static_cast<double>(p[i][static_cast<Index>(given)]),
                   static_cast<double>(p[i][static_cast<Index>(said)])});
  }
  return out;
}

std::vector<LabelError> of_sets(const Matrix& p, const LabelSets& sets,
                                std::span<const std::uint8_t> judged) {
  std::vector<Mean> yes(sets.count), no(sets.count);  // probabilities of yes where it is so, of no where not
  for (Index i = 0; i < p.rows(); ++i)
    for (Index c = 0; judged[i] && c < sets.count; ++c) {
      const auto v = static_cast<double>(p[i][c]);
      has(sets.of[i], static_cast<Label>(c)) ? yes[c].add(v) : no[c].add(1 - v);
    }
  std::vector<LabelError> out;
  for (Index i = 0; i < p.rows(); ++i)
    for (Index c = 0; judged[i] && c < sets.count; ++c) {
      const auto v = static_cast<double>(p[i][c]);
      const auto label = static_cast<Label>(c);
      const bool says_yes = yes[c].reached_by(v) && (v >= 0.5 || !no[c].reached_by(1 - v));
      const bool says_no = no[c].reached_by(1 - v) && !says_yes;
      if (has(sets.of[i], label) && says_no) out.push_back({i, label, kNoise, v, 1 - v});
      if (!has(sets.of[i], label) && says_yes) out.push_back({i, kNoise, label, 1 - v, v});
    }
  return out;
}

}  // namespace

std::vector<LabelError> label_errors(HeadTask task, const Matrix& probabilities, const LabelSets& sets,
                                     std::span<const std::uint8_t> judged) {
  auto out = task == HeadTask::multiclass ? of_classes(probabilities, sets, judged)
                                          : of_sets(probabilities, sets, judged);
  std::ranges::stable_sort(out, std::greater{}, &LabelError::doubt);
  return out;
}

}  // namespace shoal
