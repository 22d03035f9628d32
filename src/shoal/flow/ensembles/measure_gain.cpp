#include "shoal/flow/ensembles/measure_gain.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <numeric>
#include <set>
#include <string_view>
#include <unordered_set>

#include "shoal/classify/logistic.h"
#include "shoal/cluster/kmeans/spherical_kmeans.h"
#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/kernels/kernels.h"
#include "shoal/linear/norms.h"
#include "shoal/measure/agreement.h"
#include "shoal/measure/rank_correlation.h"
#include "shoal/near/select_rows.h"

namespace shoal {
namespace {

constexpr Index kBatch = 8192, kResamples = 1000, kStarts = 5;

struct Table {
  Texts first, second;  // second: of pairs
  std::vector<std::string> cells, groups;
};

Table read_table(const MeasureGainOptions& o, const Run& run) {
  ReadOptions read = o.read;
  const bool pairs = !o.pairs.empty();
  if (pairs) read.text_columns = {o.pairs[0]};
  Source source({o.input}, read, run.stop);
  const auto& there = source.other_columns();
  const auto column = [&](const std::string& name) -> std::optional<Index> {
    if (name.empty()) return std::nullopt;
    const auto at = std::ranges::find(there, name);
    std::string known;
    for (const auto& one : there) known += (known.empty() ? "" : ", ") + one;
    require(at != there.end(), Fault::argument,
            o.input.string() + " has no column " + name +
                " beside the texts; there are: " + (known.empty() ? "none" : known));
    return static_cast<Index>(at - there.begin());
  };
  const auto second = column(pairs ? o.pairs[1] : ""), cell = column(pairs ? o.score : o.label),
             group = column(o.group);
  Table out;
  Texts texts;
  std::vector<Texts> others;
  while (source.next(kBatch, texts, others)) {
    check_stop(run);
    for (Index i = 0; i < texts.size(); ++i) {
      out.first.add(texts[i]);
      if (second) out.second.add(others[*second][i]);
      out.cells.emplace_back(others[*cell][i]);
      if (group) out.groups.emplace_back(others[*group][i]);
    }
    if (run.progress)
      run.progress("read", static_cast<double>(source.bytes_read()),
                   static_cast<double>(source.bytes_total().value_or(0)));
  }
  return out;
}

/// Unit rows of the ensemble, then of each part, of the texts in these rows of `all`.
std::vector<Matrix> vectors_of(const Encoder& ensemble, const Texts& texts, const EncodeOptions& options,
                               const Run& run, GainReport& report) {
  EncodeCounts counts;
  const std::vector<Rows> parts = ensemble.encode_parts(texts, options, run, &counts);
  report.cut += counts.cut, report.unknown += counts.unknown;
  std::vector<Matrix> out{ensemble.pooled(parts).to_matrix()};
  for (const Rows& part : parts) {
    out.push_back(part.to_matrix());
    unit_rows(out.back().span());
  }
  return out;
}

/// 1.96 standard deviations of what was found on rows drawn anew, around what was found on all: rows that are
/// drawn twice make some measures larger, so that quantiles would lie beside the value.
Measured measured(double value, const std::vector<double>& drawn) {
  const auto n = static_cast<double>(drawn.size());
  const double mean = std::accumulate(drawn.begin(), drawn.end(), 0.0) / n;
  double squares = 0;
  for (const double x : drawn) squares += (x - mean) * (x - mean);
  const double reach = 1.96 * std::sqrt(squares / (n - 1));
  return {value, value - reach, value + reach};
}

/// values[model][resample], and the values of all rows. Models: the ensemble, then the parts.
Gain gain_of(std::string measure, const Encoder& ensemble, const std::vector<double>& found,
             const std::vector<std::vector<double>>& values) {
  Gain out;
  out.measure = std::move(measure);
  out.ensemble = measured(found[0], values[0]);
  for (Index m = 1; m < found.size(); ++m) {
    std::vector<double> difference(values[m].size());
    for (Index b = 0; b < difference.size(); ++b) difference[b] = values[0][b] - values[m][b];
    out.parts.push_back({ensemble.parts()[m - 1].name, measured(found[m], values[m]),
                         measured(found[0] - found[m], difference)});
    if (found[m] > found[out.best + 1]) out.best = m - 1;
  }
  const Measured& over = out.parts[out.best].gain;
  out.verdict = over.low > 0    ? Gain::Verdict::gain
                : over.high < 0 ? Gain::Verdict::loss
                                : Gain::Verdict::none;
  return out;
}

/// How often each of n things is drawn when n are drawn with repetition.
std::vector<std::uint32_t> drawn_anew(Index n, const Random& random, Index from) {
  std::vector<std::uint32_t> out(n);
  for (Index i = 0; i < n; ++i) ++out[random.below(from + i, n)];
  return out;
}

/// Labels as numbers in the order of bytes, and groups, of the rows that count.
struct Labelled {
  std::vector<Index> rows;
  Labels labels;
  std::vector<Index> group;  // of each row, 0..n_groups - 1
  Index n_groups = 0;
};

Labelled labelled_rows(const Table& table, const std::string& input) {
  std::map<std::string, Index> sizes;
  for (const auto& cell : table.cells)
    if (!cell.empty()) ++sizes[cell];
  std::erase_if(sizes, [](const auto& item) { return item.second < 2; });
  require(sizes.size() >= 2, Fault::data,
          input + ": " + std::to_string(sizes.size()) +
              " labels stand in two rows or more; few-shot accuracy needs at least two such labels");
  std::map<std::string, Label> number;
  for (const auto& item : sizes) number.emplace(item.first, static_cast<Label>(number.size()));
  Labelled out;
  out.labels.count = number.size();
  for (Index i = 0; i < table.cells.size(); ++i)
    if (const auto at = number.find(table.cells[i]); at != number.end()) {
      out.rows.push_back(i);
      out.labels.of.push_back(at->second);
    }
  // Rows that share a text or a value of the column are one group: joined until nothing changes hands.
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
    join(by_text, table.first[out.rows[r]]);
    if (!table.groups.empty() && !table.groups[out.rows[r]].empty())
      join(by_group, table.groups[out.rows[r]]);
  }
  std::vector<Index> named(out.rows.size(), ~Index{0});
  for (Index r = 0; r < out.rows.size(); ++r) {
    Index& name = named[top(r)];
    if (name == ~Index{0}) name = out.n_groups++;
    out.group.push_back(name);
  }
  return out;
}

/// Rows to learn from: groups in an order drawn, of each label at most `shots` rows and half of them.
std::vector<std::uint8_t> draw_training(const Labelled& data, Index shots, Seed seed) {
  const Random random(seed);
  std::vector<std::pair<std::uint64_t, Index>> order;
  for (Index r = 0; r < data.rows.size(); ++r) order.emplace_back(random.bits(data.group[r]), r);
  std::ranges::sort(order);
  std::vector<Index> room(data.labels.count);
  for (const Label l : data.labels.of) ++room[static_cast<Index>(l)];
  for (Index& n : room) n = std::min(shots, n / 2);
  std::vector<std::uint8_t> out(data.rows.size());
  for (const auto& item : order)
    if (Index& left = room[static_cast<Index>(data.labels.of[item.second])]; left > 0) {
      --left;
      out[item.second] = 1;
    }
  return out;
}

Gain few_shot(const Encoder& ensemble, const std::vector<Matrix>& x, const Labelled& data,
              const MeasureGainOptions& o, const Run& run) {
  const Index models = x.size(), groups = data.n_groups;
  // hits[model][draw * groups + group]; tested: rows of the group that were tried.
  std::vector<std::vector<float>> hits(models, std::vector<float>(o.draws * groups));
  std::vector<float> tested(o.draws * groups);
  for (Index d = 0; d < o.draws; ++d) {
    if (run.progress) run.progress("measure", static_cast<double>(d), static_cast<double>(o.draws));
    const auto training = draw_training(data, o.shots, o.seed.child(1).child(d));
    std::vector<std::uint8_t> seen(groups);
    for (Index r = 0; r < training.size(); ++r) seen[data.group[r]] |= training[r];
    std::vector<Index> train, test;
    Labels labels{{}, data.labels.count};
    for (Index r = 0; r < training.size(); ++r) {
      if (training[r]) train.push_back(r), labels.of.push_back(data.labels.of[r]);
      if (!seen[data.group[r]]) test.push_back(r), tested[d * groups + data.group[r]] += 1;
    }
    require(
        !test.empty(), Fault::data,
        o.input.string() + ": all rows share a group with those that are learnt from; none is left to try");
    for (Index m = 0; m < models; ++m) {
      const Rows all(x[m]);
      LogisticOptions how;
      how.c = o.c;
      const Labels said = Logistic::fit(select_rows(all, train), labels, how, run.quiet())
                              .predict(select_rows(all, test), run.quiet());
      for (Index i = 0; i < test.size(); ++i)
        hits[m][d * groups + data.group[test[i]]] += said.of[i] == data.labels.of[test[i]];
    }
  }
  const auto share = [&](Index m, const std::vector<std::uint32_t>& of_group,
                         const std::vector<std::uint32_t>& of_draw) {
    double hit = 0, all = 0;
    for (Index d = 0; d < o.draws; ++d) {
      if (of_draw[d] == 0) continue;
      double h = 0, a = 0;
      for (Index g = 0; g < groups; ++g) {
        h += static_cast<double>(of_group[g]) * hits[m][d * groups + g];
        a += static_cast<double>(of_group[g]) * tested[d * groups + g];
      }
      hit += of_draw[d] * h, all += of_draw[d] * a;
    }
    return all > 0 ? hit / all : 0;
  };
  std::vector<double> found;
  for (Index m = 0; m < models; ++m)
    found.push_back(share(m, std::vector<std::uint32_t>(groups, 1), std::vector<std::uint32_t>(o.draws, 1)));
  std::vector<std::vector<double>> values(models, std::vector<double>(kResamples));
  for_chunks(run.quiet(), kResamples, 8, [&](Index, Index first, Index last) {
    for (Index b = first; b < last; ++b) {
      const Random random(o.seed.child(2).child(b));
      const auto of_group = drawn_anew(groups, random, 0), of_draw = drawn_anew(o.draws, random, groups);
      for (Index m = 0; m < models; ++m) values[m][b] = share(m, of_group, of_draw);
    }
  });
  return gain_of("few-shot accuracy", ensemble, found, values);
}

/// Rows that differ and are not all 0.
Index distinct_rows_of(const Matrix& x) {
  std::unordered_set<std::string_view> seen;
  for (Index i = 0; i < x.rows(); ++i)
    if (std::ranges::any_of(x[i], [](float v) { return v != 0; }))
      seen.insert({reinterpret_cast<const char*>(x[i].data()), x[i].size_bytes()});
  return seen.size();
}

Gain cluster_gain(const Encoder& ensemble, const std::vector<Matrix>& x, const Labelled& data,
                  const MeasureGainOptions& o, const Run& run) {
  constexpr Index kFewer = kResamples / 2;
  const Index models = x.size(), n = data.rows.size(), k = data.labels.count;
  std::vector<std::vector<Labels>> clusters(models);
  for (Index m = 0; m < models; ++m) {
    const Index distinct = distinct_rows_of(x[m]);
    for (Index s = 0; s < kStarts; ++s) {
      if (run.progress)
        run.progress("measure", static_cast<double>(m * kStarts + s), static_cast<double>(models * kStarts));
      if (distinct == 0) {  // the model knows none of the texts
        clusters[m].push_back({std::vector<Label>(n, kNoise), 0});
        continue;
      }
      SphericalKMeansOptions how;
      how.n_clusters = std::min(k, distinct);
      how.n_init = 1;
      how.seed = o.seed.child(3).child(s);
      clusters[m].push_back(SphericalKMeans::fit(Rows(x[m]), how, run.quiet()).labels());
    }
  }
  const auto value = [&](Index m, const std::vector<std::uint32_t>& of_group,
                         const std::vector<std::uint32_t>& of_start) {
    double sum = 0, starts = 0;
    for (Index s = 0; s < kStarts; ++s) {
      if (of_start[s] == 0) continue;
      std::vector<double> table(k * (k + 1));  // the last column: rows of zeros, which are in no cluster
      for (Index r = 0; r < n; ++r) {
        const Label c = clusters[m][s].of[r];
        const Index column = c == kNoise ? k : static_cast<Index>(c);
        table[static_cast<Index>(data.labels.of[r]) * (k + 1) + column] += of_group[data.group[r]];
      }
      sum += of_start[s] * v_measure(table, k, k + 1);
      starts += of_start[s];
    }
    return sum / starts;
  };
  std::vector<double> found;
  for (Index m = 0; m < models; ++m)
    found.push_back(
        value(m, std::vector<std::uint32_t>(data.n_groups, 1), std::vector<std::uint32_t>(kStarts, 1)));
  std::vector<std::vector<double>> values(models, std::vector<double>(kFewer));
  for_chunks(run.quiet(), kFewer, 4, [&](Index, Index first, Index last) {
    for (Index b = first; b < last; ++b) {
      const Random random(o.seed.child(4).child(b));
      const auto of_group = drawn_anew(data.n_groups, random, 0),
                 of_start = drawn_anew(kStarts, random, data.n_groups);
      for (Index m = 0; m < models; ++m) values[m][b] = value(m, of_group, of_start);
    }
  });
  return gain_of("V-measure", ensemble, found, values);
}

Gain pair_gain(const Encoder& ensemble, const std::vector<std::vector<double>>& cosines,
               const std::vector<double>& scores, const MeasureGainOptions& o, const Run& run) {
  const Index models = cosines.size(), n = scores.size();
  std::vector<double> found;
  for (Index m = 0; m < models; ++m) found.push_back(spearman(cosines[m], scores));
  std::vector<std::vector<double>> values(models, std::vector<double>(kResamples));
  for_chunks(
      run, kResamples, 8,
      [&](Index, Index first, Index last) {
        std::vector<double> a(n), b(n);
        for (Index r = first; r < last; ++r) {
          const Random random(o.seed.child(5).child(r));
          for (Index m = 0; m < models; ++m) {
            for (Index i = 0; i < n; ++i) {
              const Index row = random.below(i, n);
              a[i] = cosines[m][row], b[i] = scores[row];
            }
            values[m][r] = spearman(a, b);
          }
        }
      },
      "measure");
  return gain_of("Spearman correlation", ensemble, found, values);
}

void measure_labels(const Encoder& ensemble, const Table& table, const MeasureGainOptions& o, const Run& run,
                    GainReport& report) {
  const Labelled data = labelled_rows(table, o.input.string());
  report.rows = data.rows.size();
  report.left_out = table.cells.size() - data.rows.size();
  report.labels = data.labels.count;
  Texts texts;
  for (const Index row : data.rows) texts.add(table.first[row]);
  const auto x = vectors_of(ensemble, texts, o.encode, run, report);
  report.gains.push_back(few_shot(ensemble, x, data, o, run));
  report.gains.push_back(cluster_gain(ensemble, x, data, o, run));
}

void measure_pairs(const Encoder& ensemble, const Table& table, const MeasureGainOptions& o, const Run& run,
                   GainReport& report) {
  constexpr Index kLeast = 10;
  Texts first, second;
  std::vector<double> scores;
  for (Index i = 0; i < table.cells.size(); ++i) {
    const std::string& cell = table.cells[i];
    if (cell.empty()) continue;
    double score = 0;
    const auto read = std::from_chars(cell.data(), cell.data() + cell.size(), score);
    require(read.ec == std::errc() && read.ptr == cell.data() + cell.size() && std::isfinite(score),
            Fault::data,
            o.input.string() + ", row " + std::to_string(i) + " has '" + cell + "' as " + o.score +
                "; a number is needed (rows are counted from 0)");
    first.add(table.first[i]);
    second.add(table.second[i]);
    scores.push_back(score);
  }
  require(scores.size() >= kLeast, Fault::data,
          o.input.string() + " has " + std::to_string(scores.size()) + " pairs with a score; at least " +
              std::to_string(kLeast) + " are needed");
  report.rows = scores.size();
  report.left_out = table.cells.size() - scores.size();
  const auto a = vectors_of(ensemble, first, o.encode, run, report),
             b = vectors_of(ensemble, second, o.encode, run, report);
  std::vector<std::vector<double>> cosines(a.size(), std::vector<double>(scores.size()));
  for (Index m = 0; m < a.size(); ++m)
    for (Index i = 0; i < scores.size(); ++i)
      cosines[m][i] = static_cast<double>(kernels().dot(a[m][i].data(), b[m][i].data(), a[m].cols()));
  report.gains.push_back(pair_gain(ensemble, cosines, scores, o, run));
}

}  // namespace

GainReport measure_gain(const Encoder& ensemble, const MeasureGainOptions& o, const Run& run,
                        const Notice& notice) {
  MeasureGainOptions copy = o;
  check_options(copy);
  require(ensemble.kind() == ModelKind::ensemble, Fault::argument,
          ensemble.name() + " is no ensemble: there is nothing to compare it with");
  const bool pairs = !o.pairs.empty();
  require(pairs != !o.label.empty(), Fault::argument,
          "what the gain is measured on is missing: " + option_name("label") + ", or " +
              option_name("pairs") + " with " + option_name("score"));
  require(!pairs || (o.pairs.size() == 2 && !o.score.empty()), Fault::argument,
          option_name("pairs") + " takes two columns of texts, and " + option_name("score") +
              " names that of their scores");
  require(!pairs || o.group.empty(), Fault::argument,
          option_name("group") + " is for labels; pairs have none");
  const Table table = read_table(o, run);
  require(table.cells.size() > 0, Fault::data, o.input.string() + " has no rows");
  if (notice)
    for (const auto& line : poor_fit(model_fit(ensemble, table.first, run), ensemble.name())) notice(line);
  GainReport report;
  report.model = ensemble.space().id;
  pairs ? measure_pairs(ensemble, table, o, run, report) : measure_labels(ensemble, table, o, run, report);
  return report;
}

}  // namespace shoal
