#include "shoal/flow/ensembles/measure_gain.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <string_view>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/flow/evaluation/labelled_rows.h"
#include "shoal/linear/norms.h"
#include "shoal/measure/rank_correlation.h"
#include "shoal/measure/similarity.h"

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

/// resampled[model]. Models: the ensemble, then the parts.
Gain gain_of(std::string measure, const Encoder& ensemble, const std::vector<Resampled>& models) {
  Gain out;
  out.measure = std::move(measure);
  out.ensemble = measured(models[0]);
  for (Index m = 1; m < models.size(); ++m) {
    out.parts.push_back(
        {ensemble.parts()[m - 1].name, measured(models[m]), difference(models[0], models[m])});
    if (models[m].value > models[out.best + 1].value) out.best = m - 1;
  }
  const Measured& over = out.parts[out.best].gain;
  out.verdict = over.low > 0    ? Gain::Verdict::gain
                : over.high < 0 ? Gain::Verdict::loss
                                : Gain::Verdict::none;
  return out;
}

void measure_labels(const Encoder& ensemble, const Table& table, const MeasureGainOptions& o, const Run& run,
                    GainReport& report) {
  std::vector<std::string_view> all;
  for (Index i = 0; i < table.first.size(); ++i) all.push_back(table.first[i]);
  const LabelledRows data = gather_labelled(all, {table.cells.begin(), table.cells.end()},
                                            {table.groups.begin(), table.groups.end()}, 2);
  require(data.names.size() >= 2, Fault::data,
          o.input.string() + ": " + std::to_string(data.names.size()) +
              " labels stand in two rows or more; few-shot accuracy needs at least two such labels");
  report.rows = data.rows.size();
  report.left_out = table.cells.size() - data.rows.size();
  report.labels = data.labels.count;
  Texts texts;
  for (const Index row : data.rows) texts.add(table.first[row]);
  const FewShotOptions how{o.shots, o.draws, o.c, o.seed.child(1)};
  std::vector<Resampled> shots, clusters;
  for (const Matrix& x : vectors_of(ensemble, texts, o.encode, run, report)) {
    const Rows rows(x);
    shots.push_back(
        resample(few_shot(rows, data, how, run).accuracy, kResamples, o.seed.child(2), run.quiet()));
    clusters.push_back(resample(cluster_labelled(rows, data, kStarts, o.seed.child(3), run).v_measure,
                                kResamples / 2, o.seed.child(4), run.quiet()));
  }
  report.gains.push_back(gain_of("few-shot accuracy", ensemble, shots));
  report.gains.push_back(gain_of("V-measure", ensemble, clusters));
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
  std::vector<Resampled> models;
  for (Index m = 0; m < a.size(); ++m) {
    const RankedLists ranked(pair_similarities(a[m].view(), b[m].view(), Similarity::cosine, run.quiet()),
                             scores);
    const Measurable correlation{{scores.size()}, [&](DrawCounts times) { return ranked.spearman(times); }};
    models.push_back(resample(correlation, kResamples, o.seed.child(5), run, "measure"));
  }
  report.gains.push_back(gain_of("Spearman correlation", ensemble, models));
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
