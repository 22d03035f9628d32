#include "shoal/flow/classes/head_folder.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "shoal/core/error.h"
#include "shoal/encode/model_place.h"
#include "shoal/encode/sequence_head.h"
#include "shoal/flow/classes/label_column.h"
#include "shoal/flow/folders/cluster_folder.h"
#include "shoal/flow/stage_file.h"
#include "shoal/flow/tables/csv_file.h"
#include "shoal/flow/through_profile.h"
#include "shoal/map/svg.h"
#include "shoal/read/source.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

std::string HeadFolder::training_text(Index row) const {
  return row < texts.size() ? std::string(texts[row]) : "training row " + std::to_string(row);
}

bool is_head(const fs::path& folder) { return fs::exists(folder / kHeadMark); }

namespace {

/// The last layer of a model that gives labels, and what stands before it.
HeadFolder open_model(const fs::path& folder, const Run& run) {
  SequenceHead last = read_sequence_head(folder);
  Encoder encoder = Encoder::load(folder, run, {}, EncoderUse::features);
  LinearRule rule{.coefficients = std::move(last.weight), .intercepts = std::move(last.bias)};
  return {Head::of_rule(std::move(rule), last.several ? HeadTask::multilabel : HeadTask::multiclass,
                        encoder.space()),
          std::move(last.labels),
          encoder.name(),
          {},
          EncoderUse::features,
          encoder,
          {}};
}

}  // namespace

TextsAndVectorsOptions reading_of(const HeadFolder& folder, TextsAndVectorsOptions given) {
  require(!folder.encoder || given.model.empty(), Fault::argument,
          option_name("model") +
              " is for heads of 'shoal classify fit'; a model that gives labels embeds texts "
              "itself");
  if (given.model.empty()) given.model = folder.model;
  given.use = folder.use, given.encoder = folder.encoder, given.profile = folder.profile;
  return given;
}

HeadFolder open_head(const fs::path& folder, const Run& run) {
  require(fs::is_directory(folder), Fault::file, folder.string() + ": no such folder");
  if (!is_head(folder) && is_classifier_folder(folder)) return open_model(folder, run);
  require(is_head(folder), Fault::format,
          folder.string() + " was not made by 'shoal classify fit', for there is no " + kHeadMark +
              " in it, and is no model that gives labels");
  HeadFolder out{
      load_stage<Head>(folder / kHeadFile), {}, {}, {}, EncoderUse::sentence, {}, profile_in(folder)};
  const fs::path mark = folder / kHeadMark;
  try {
    const Json in = Json::parse(read_file(mark, Index{256} << 20));
    require(in.at("format") == "shoal head" && in.at("version") <= 1, Fault::format,
            mark.string() + " is not a report that this version of shoal reads");
    for (const Json& label : in.at("labels")) out.names.push_back(label.at("name").get<std::string>());
    out.model = in.at("model").get<std::string>();
    if (in.value("features", false)) out.use = EncoderUse::features;
  } catch (const nlohmann::json::exception& e) {
    throw Error(Fault::format, mark.string() + " is damaged: " + e.what());
  }
  require(out.names.size() == out.head.n_labels(), Fault::format,
          folder.string() + " is damaged: its report and " + kHeadFile + " tell of other labels");
  if (!fs::exists(folder / kTrainingFile)) return out;
  // As it is written: nothing is to be found.
  Source source({folder / kTrainingFile}, {.format = FileFormat::csv,
                                           .text_columns = {"text"},
                                           .encoding = "UTF-8",
                                           .delimiter = "comma",
                                           .quote = "double",
                                           .escape = "doubled",
                                           .header = HeaderRow::yes,
                                           .skip = 0});
  Texts texts;
  std::vector<Texts> others;
  while (source.next(4096, texts, others))
    for (Index i = 0; i < texts.size(); ++i) out.texts.add(texts[i]);
  require(!out.head.has_rows() || out.texts.size() == out.head.training_sets().of.size(), Fault::format,
          (folder / kTrainingFile).string() + " is damaged: it has other rows than the head");
  return out;
}

std::vector<fs::path> head_inputs(const fs::path& folder) {
  std::vector<fs::path> out;
  if (!is_head(folder)) {  // a model's
    for (const auto& entry : fs::directory_iterator(model_place(folder)))
      if (entry.is_regular_file()) out.push_back(entry.path());
    std::ranges::sort(out);
    return out;
  }
  for (const char* name : {kHeadMark, kHeadFile, kTrainingFile, kProfileFile})
    if (fs::exists(folder / name)) out.push_back(folder / name);
  return out;
}

void write_head(const fs::path& folder, const Head& head, const std::vector<std::string>& names,
                const Texts& texts) {
  save_stage(head, folder / kHeadFile);
  if (texts.size() == 0 || !head.has_rows()) return;
  CsvFile file(folder / kTrainingFile, "row,text,labels");
  for (Index i = 0; i < texts.size(); ++i)
    file.cell(i).cell(texts[i]).cell(written_labels(head.training_sets().of[i], names)).end_row();
  file.keep();
}

namespace {

Json pair_json(const Interval& i) { return Json::array({i.low, i.high}); }

}  // namespace

Json scores_json(const ClassificationScores& scores, const std::vector<std::string>& names) {
  Json labels = Json::array();
  for (Index c = 0; c < scores.labels.size(); ++c) {
    const LabelScores& s = scores.labels[c];
    labels.push_back({{"name", names[c]},
                      {"support", s.support},
                      {"said", s.said},
                      {"precision", s.precision},
                      {"precision_95", pair_json(s.precision_interval)},
                      {"recall", s.recall},
                      {"recall_95", pair_json(s.recall_interval)},
                      {"f1", s.f1},
                      {"f1_95", pair_json(s.f1_interval)}});
  }
  return {{"rows", scores.rows},
          {"accuracy", scores.accuracy},
          {"accuracy_95", pair_json(scores.accuracy_interval)},
          {"macro_f1", scores.macro_f1},
          {"micro_f1", scores.micro_f1},
          {"labels", labels}};
}

void write_label_table(const fs::path& file, const ClassificationScores& scores,
                       const std::vector<std::string>& names) {
  CsvFile out(file,
              "label,support,said,precision,precision_low,precision_high,recall,recall_low,recall_high,f1,f1_"
              "low,f1_high");
  for (Index c = 0; c < scores.labels.size(); ++c) {
    const LabelScores& s = scores.labels[c];
    out.cell(names[c]).cell(s.support).cell(s.said);
    for (const double v :
         {s.precision, s.precision_interval.low, s.precision_interval.high, s.recall, s.recall_interval.low,
          s.recall_interval.high, s.f1, s.f1_interval.low, s.f1_interval.high})
      out.cell(short_number(v));
    out.end_row();
  }
  out.keep();
}

Reliability reliability_of(HeadTask task, const Matrix& probabilities, const LabelSets& truth,
                           const std::vector<std::uint8_t>& counts) {
  std::vector<double> sure;
  std::vector<std::uint8_t> right;
  for (Index i = 0; i < probabilities.rows(); ++i) {
    if (!counts[i]) continue;
    const auto p = probabilities[i];
    const auto is = [&](Index c) { return std::ranges::binary_search(truth.of[i], static_cast<Label>(c)); };
    if (task == HeadTask::multiclass) {
      const auto c = static_cast<Index>(std::ranges::max_element(p) - p.begin());
      sure.push_back(static_cast<double>(p[c])), right.push_back(is(c));
    } else {
      for (Index c = 0; c < p.size(); ++c) sure.push_back(static_cast<double>(p[c])), right.push_back(is(c));
    }
  }
  return reliability(sure, right);
}

void write_reliability(const fs::path& file, const Reliability& found) {
  std::vector<SurePoint> points;
  for (const ReliabilityBin& bin : found.bins) {
    const auto n = static_cast<double>(bin.count);
    const Interval interval = wilson_interval(std::round(bin.accuracy * n), n);
    points.push_back({bin.confidence, bin.accuracy, interval.low, interval.high, bin.count});
  }
  write_file(file, reliability_svg({"Does it come true as often as it says? Error " +
                                        short_number(100 * found.error, 2) + " points on average",
                                    "probability that was said", "share that was right, 95% intervals"},
                                   points));
}

Json reliability_json(const Reliability& found) {
  Json bins = Json::array();
  for (const ReliabilityBin& bin : found.bins)
    bins.push_back({{"confidence", bin.confidence}, {"accuracy", bin.accuracy}, {"count", bin.count}});
  return {{"ece", found.error}, {"bins", bins}};
}

}  // namespace shoal
