#include "shoal/flow/evaluation/labelled_rows.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <numeric>
#include <unordered_set>

#include "shoal/classify/logistic.h"
#include "shoal/cluster/kmeans/spherical_kmeans.h"
#include "shoal/core/error.h"
#include "shoal/measure/agreement.h"
#include "shoal/measure/classification.h"
#include "shoal/measure/scored_pairs.h"
#include "shoal/near/select_rows.h"

namespace shoal {
namespace {

void tell(const Run& run, Index done, Index all) {
  if (run.progress) run.progress("measure", static_cast<double>(done), static_cast<double>(all));
}

/// Rows to learn from: groups in an order drawn.
std::vector<std::uint8_t> draw_training(const LabelledRows& data, Index shots, Seed seed) {
  const Random random(seed);
  std::vector<std::pair<std::uint64_t, Index>> order;
  for (Index r = 0; r < data.rows.size(); ++r)
    if (data.learn.empty() || data.learn[r]) order.emplace_back(random.bits(data.group[r]), r);
  std::ranges::sort(order);
  std::vector<Index> room(data.labels.count);
  for (const auto& item : order) ++room[static_cast<Index>(data.labels.of[item.second])];
  for (Index& n : room) n = std::min(shots, data.learn.empty() ? n / 2 : n);
  std::vector<std::uint8_t> out(data.rows.size());
  for (const auto& item : order)
    if (Index& left = room[static_cast<Index>(data.labels.of[item.second])]; left > 0) {
      --left;
      out[item.second] = 1;
    }
  return out;
}

/// What is learnt from and what is judged, as places among data.rows.
struct Sides {
  std::vector<Index> train, test;
  Labels labels;  // of train
};

Sides draw_sides(const LabelledRows& data, Index shots, Seed seed) {
  const auto training = draw_training(data, shots, seed);
  std::vector<std::uint8_t> seen(data.n_groups);
  for (Index r = 0; r < training.size(); ++r) seen[data.group[r]] |= training[r];
  Sides out{{}, {}, {{}, data.labels.count}};
  for (Index r = 0; r < training.size(); ++r) {
    if (training[r]) out.train.push_back(r), out.labels.of.push_back(data.labels.of[r]);
    if (data.learn.empty() ? !seen[data.group[r]] : !data.learn[r]) out.test.push_back(r);
  }
  require(!out.test.empty(), Fault::data,
          "all rows share a group with those that are learnt from; none is left to try");
  return out;
}

/// Right answers and rows judged, draw after draw, group by group.
struct Hits {
  Index groups = 0, draws = 0;
  std::vector<float> right, judged;

  double share(DrawCounts times) const {
    const DrawCounts of_group = times.first(groups), of_draw = times.subspan(groups);
    double hit = 0, all = 0;
    for (Index d = 0; d < draws; ++d) {
      if (of_draw[d] == 0) continue;
      double h = 0, a = 0;
      for (Index g = 0; g < groups; ++g) {
        h += static_cast<double>(of_group[g]) * right[d * groups + g];
        a += static_cast<double>(of_group[g]) * judged[d * groups + g];
      }
      hit += of_draw[d] * h, all += of_draw[d] * a;
    }
    return all > 0 ? hit / all : 0;
  }
};

/// Rows that differ and are not all 0.
Index distinct_rows_of(const Matrix& x) {
  std::unordered_set<std::string_view> seen;
  for (Index i = 0; i < x.rows(); ++i)
    if (std::ranges::any_of(x[i], [](float v) { return v != 0; }))
      seen.insert({reinterpret_cast<const char*>(x[i].data()), x[i].size_bytes()});
  return seen.size();
}

/// The clusters of each start, and the labels that they should follow.
struct Starts {
  Index classes = 0, groups = 0;
  std::vector<Label> labels;
  std::vector<Index> group;
  std::vector<Labels> clusters;

  double v_measure_of(DrawCounts times) const {
    const DrawCounts of_group = times.first(groups), of_start = times.subspan(groups);
    double sum = 0, starts = 0;
    const Index k = classes;
    for (Index s = 0; s < clusters.size(); ++s) {
      if (of_start[s] == 0) continue;
      std::vector<double> table(k * (k + 1));  // the last column: rows of zeros, which are in no cluster
      for (Index r = 0; r < labels.size(); ++r) {
        const Label c = clusters[s].of[r];
        const Index column = c == kNoise ? k : static_cast<Index>(c);
        table[static_cast<Index>(labels[r]) * (k + 1) + column] += of_group[group[r]];
      }
      sum += of_start[s] * v_measure(table, k, k + 1);
      starts += of_start[s];
    }
    return sum / starts;
  }
};

}  // namespace

LabelledRows gather_labelled(const std::vector<std::string_view>& texts,
                             const std::vector<std::string_view>& cells,
                             const std::vector<std::string_view>& groups, Index least) {
  std::map<std::string_view, Index> sizes;
  for (const auto& cell : cells)
    if (!cell.empty()) ++sizes[cell];
  std::erase_if(sizes, [&](const auto& item) { return item.second < least; });
  std::map<std::string_view, Label> number;
  LabelledRows out;
  for (const auto& item : sizes) {
    number.emplace(item.first, static_cast<Label>(number.size()));
    out.names.emplace_back(item.first);
  }
  out.labels.count = number.size();
  for (Index i = 0; i < cells.size(); ++i)
    if (const auto at = number.find(cells[i]); at != number.end()) {
      out.rows.push_back(i);
      out.labels.of.push_back(at->second);
    }
  // Rows that share a text or a name are one group: joined until nothing changes hands.
  std::vector<Index> parent(out.rows.size());
  std::iota(parent.begin(), parent.end(), Index{0});
  const auto top = [&](Index i) {
    while (parent[i] != i) i = parent[i] = parent[parent[i]];
    return i;
  };
  std::map<std::string_view, Index> by_text, by_group;
  for (Index r = 0; r < out.rows.size(); ++r) {
    const auto join = [&](std::map<std::string_view, Index>& seen, std::string_view key) {
      const auto [at, fresh] = seen.emplace(key, r);
      if (!fresh) parent[std::max(top(r), top(at->second))] = std::min(top(r), top(at->second));
    };
    join(by_text, texts[out.rows[r]]);
    if (!groups.empty() && !groups[out.rows[r]].empty()) join(by_group, groups[out.rows[r]]);
  }
  std::vector<Index> named(out.rows.size(), ~Index{0});
  for (Index r = 0; r < out.rows.size(); ++r) {
    Index& name = named[top(r)];
    if (name == ~Index{0}) name = out.n_groups++;
    out.group.push_back(name);
  }
  return out;
}

FewShot few_shot(const Rows& x, const LabelledRows& data, const FewShotOptions& o, const Run& run) {
  const auto hits = std::make_shared<Hits>();
  hits->groups = data.n_groups, hits->draws = o.draws;
  hits->right.resize(o.draws * data.n_groups), hits->judged.resize(o.draws * data.n_groups);
  FewShot out;
  if (data.labels.count == 2) out.ap = 0;
  const auto draws = static_cast<double>(o.draws);
  for (Index d = 0; d < o.draws; ++d) {
    tell(run, d, o.draws);
    const Sides sides = draw_sides(data, o.shots, o.seed.child(d));
    LogisticOptions how;
    how.c = o.c;
    const Logistic rule = Logistic::fit(select_rows(x, sides.train), sides.labels, how, run.quiet());
    const Rows tested = select_rows(x, sides.test);
    const Labels said = rule.predict(tested, run.quiet());
    std::vector<std::vector<Label>> truth, found;
    std::vector<std::uint8_t> second;
    for (Index i = 0; i < sides.test.size(); ++i) {
      const Index r = sides.test[i], at = d * data.n_groups + data.group[r];
      hits->judged[at] += 1;
      hits->right[at] += said.of[i] == data.labels.of[r];
      truth.push_back({data.labels.of[r]}), found.push_back({said.of[i]});
      second.push_back(data.labels.of[r] == 1);
    }
    out.judged += sides.test.size();
    out.f1 += classification_scores(truth, found, data.labels.count).macro_f1 / draws;
    if (!out.ap) continue;
    const Matrix likely = rule.predict_proba(tested, run.quiet());
    std::vector<double> scores;
    for (Index i = 0; i < likely.rows(); ++i) scores.push_back(static_cast<double>(likely[i][1]));
    *out.ap += average_precision(scores, second) / draws;
  }
  out.accuracy = {{data.n_groups, o.draws}, [hits](DrawCounts times) { return hits->share(times); }};
  return out;
}

LabelClusters cluster_labelled(const Rows& x, const LabelledRows& data, Index n_starts, Seed seed,
                               const Run& run) {
  const auto starts = std::make_shared<Starts>();
  starts->classes = data.labels.count, starts->groups = data.n_groups;
  starts->labels = data.labels.of, starts->group = data.group;
  const Matrix all = x.to_matrix();
  const Index distinct = distinct_rows_of(all);
  for (Index s = 0; s < n_starts; ++s) {
    tell(run, s, n_starts);
    if (distinct == 0) {  // the model knows none of the texts
      starts->clusters.push_back({std::vector<Label>(all.rows(), kNoise), 0});
      continue;
    }
    SphericalKMeansOptions how;
    how.n_clusters = std::min(data.labels.count, distinct);
    how.n_init = 1;
    how.seed = seed.child(s);
    starts->clusters.push_back(SphericalKMeans::fit(Rows(all), how, run.quiet()).labels());
  }
  LabelClusters out;
  const auto n = static_cast<double>(n_starts);
  double sum = 0, squares = 0;
  for (const Labels& found : starts->clusters) {
    const Agreement a = agreement(data.labels, found);
    out.homogeneity += a.homogeneity / n, out.completeness += a.completeness / n;
    out.adjusted_rand += a.adjusted_rand / n;
    sum += a.v_measure, squares += a.v_measure * a.v_measure;
  }
  out.deviation = std::sqrt(std::max(0.0, squares / n - sum / n * (sum / n)));
  out.v_measure = {{data.n_groups, n_starts},
                   [starts](DrawCounts times) { return starts->v_measure_of(times); }};
  return out;
}

}  // namespace shoal
