#include "shoal/flow/classes/evaluate_head.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "shoal/classify/label_errors.h"
#include "shoal/core/error.h"
#include "shoal/flow/classes/head_folder.h"
#include "shoal/flow/classes/label_column.h"
#include "shoal/flow/folders/cluster_folder.h"
#include "shoal/flow/folders/cluster_vectors.h"
#include "shoal/flow/folders/report_json_impl.h"
#include "shoal/flow/receipt.h"
#include "shoal/flow/tables/csv_file.h"
#include "shoal/map/svg.h"
#include "shoal/read/columns.h"
#include "shoal/store/archive/archive.h"
#include "shoal/store/files/new_folder.h"

namespace shoal {
namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
namespace {

constexpr const char* kMark = "evaluation.json";
constexpr const char* kFiles[] = {kMark,           "labels.csv",      "errors.csv",         "confusion.svg",
                                  "confusion.csv", "reliability.svg", "labels_in_doubt.csv"};

std::string key_of(const EvaluateHeadOptions& o, const Run& run) {
  std::vector<Field> list = list_fields(o);
  for (Field& field : list_fields(o.read.read)) list.push_back(std::move(field));
  for (Field& field : list_fields(o.read.encode)) list.push_back(std::move(field));
  std::string text;
  for (const std::string& name : o.read.read.text_columns) text += name + '\n';
  list.push_back({"text", text});
  list.push_back({"label", o.label});
  list.push_back({"model", o.read.encoder ? o.read.encoder->space().id : o.read.model});
  std::vector<fs::path> inputs{o.input};
  if (!o.read.vectors.empty() && fs::exists(o.read.vectors)) inputs.push_back(o.read.vectors);
  std::ranges::copy(head_inputs(o.head), std::back_inserter(inputs));
  return result_key("classify evaluate", list, inputs, run);
}

class EvaluateRun {
 public:
  EvaluateRun(const EvaluateHeadOptions& options, HeadFolder folder, const Run& run, const Notice& notice)
      : o_(options),
        run_(run),
        folder_(std::move(folder)),
        classes_(folder_.head.options().task == HeadTask::multiclass),
        out_(options.out, FolderMark{kMark}, options.overwrite, kFiles) {
    input_ = read_texts_and_vectors(o_.input, {o_.label}, o_.read, run, notice);
    input_.vectors = in_space_of(folder_.head.space(), input_.vectors, report_.assumed_space);
    out_.keep_off(o_.input);
    out_.keep_off(o_.head);
  }

  EvaluateHeadReport finish() {
    const std::string key = o_.input == "-" ? "" : key_of(o_, run_);
    report_.names = folder_.names, report_.rows = input_.vectors.rows(), report_.out = out_.path();
    labels_ =
        read_labels(input_.columns[0],
                    {.task = folder_.head.options().task, .separator = o_.separator, .known = folder_.names});
    report_.unlabelled = labels_.unlabelled;
    sort_rows();
    said_ = folder_.head.answer(input_.vectors, run_);
    judge();
    judge_foreign();
    list_errors();
    if (o_.label_errors) list_suspects();
    write_summary();
    if (!key.empty()) add_receipt(out_ / "", kMark, key);
    out_.keep();
    return std::move(report_);
  }

 private:
  Index known_labels() const { return folder_.names.size(); }

  /// known: 1, foreign: 0 there; a class without a label is neither.
  void sort_rows() {
    known_.assign(report_.rows, 0), foreign_.assign(report_.rows, 0);
    Index known = 0;
    for (Index i = 0; i < report_.rows; ++i) {
      const auto& set = labels_.sets.of[i];
      if (classes_ && set.empty()) continue;
      const bool all =
          std::ranges::all_of(set, [&](Label label) { return static_cast<Index>(label) < known_labels(); });
      known_[i] = all, foreign_[i] = !all;
      known += all, report_.foreign += !all;
    }
    report_.foreign_names.assign(labels_.names.begin() + static_cast<std::ptrdiff_t>(known_labels()),
                                 labels_.names.end());
    if (known == 0)
      throw Error(Fault::data, "no row of " + o_.input.string() + " has a label that " + o_.head.string() +
                                   " knows; it knows " + list_names(folder_.names) + ", column " + o_.label +
                                   " has " + list_names(report_.foreign_names));
  }

  void judge() {
    std::vector<std::vector<Label>> truth, said;
    std::vector<Label> one_truth, one_said;
    Index right = 0;
    for (Index i = 0; i < report_.rows; ++i) {
      if (!known_[i]) continue;
      truth.push_back(labels_.sets.of[i]);
      said.push_back(classes_ ? std::vector{said_.likeliest[i]} : said_.sets.of[i]);
      right += said_.sets.of[i] == labels_.sets.of[i];
      if (!classes_) continue;
      one_truth.push_back(labels_.sets.of[i][0]);
      one_said.push_back(said_.likeliest[i]);
    }
    report_.scores = classification_scores(truth, said, known_labels());
    report_.accuracy_or_none = static_cast<double>(right) / static_cast<double>(truth.size());
    write_label_table(out_ / "labels.csv", report_.scores, folder_.names);
    const Reliability found =
        reliability_of(folder_.head.options().task, said_.probabilities, labels_.sets, known_);
    report_.ece = found.error;
    reliability_ = reliability_json(found);
    write_reliability(out_ / "reliability.svg", found);
    if (!classes_) return;
    auto counts = confusion_matrix(one_truth, one_said, known_labels());
    counts.pop_back();
    CsvFile file(out_ / "confusion.csv", "label,said,rows");
    for (Index a = 0; a < counts.size(); ++a) {
      counts[a].pop_back();
      for (Index b = 0; b < counts.size(); ++b)
        if (counts[a][b] > 0) file.cell(folder_.names[a]).cell(folder_.names[b]).cell(counts[a][b]).end_row();
    }
    file.keep();
    write_file(out_ / "confusion.svg",
               confusion_svg({"What rows are taken for", "said", "label"}, counts, folder_.names));
  }

  void judge_foreign() {
    if (!folder_.head.has_rows() || !std::isfinite(folder_.head.limit())) return;
    std::vector<double> known, foreign;
    Index kept = 0, found = 0;
    for (Index i = 0; i < report_.rows; ++i) {
      const auto score =
          static_cast<double>(said_.scores[i][static_cast<Index>(folder_.head.options().open_set)]);
      if (known_[i]) known.push_back(score), kept += !said_.unknown[i];
      if (foreign_[i]) foreign.push_back(score), found += said_.unknown[i];
    }
    report_.covered = static_cast<double>(kept) / static_cast<double>(known.size());
    if (foreign.empty()) return;
    report_.auroc = area_under_roc(known, foreign);
    report_.foreign_found = static_cast<double>(found) / static_cast<double>(foreign.size());
  }

  std::string nearest_text(Index row) const {
    return said_.nearest.empty() ? "" : folder_.training_text(said_.nearest[row]);
  }
  std::string nearest_label(Index row) const {
    return said_.nearest.empty()
               ? ""
               : written_labels(folder_.head.training_sets().of[said_.nearest[row]], folder_.names);
  }

  void list_errors() {
    std::vector<Index> wrong;
    for (Index i = 0; i < report_.rows; ++i)
      if (known_[i] &&
          (classes_ ? said_.likeliest[i] != labels_.sets.of[i][0] : said_.sets.of[i] != labels_.sets.of[i]))
        wrong.push_back(i);
    const auto sure = [&](Index i) { return said_.probabilities[i][static_cast<Index>(said_.likeliest[i])]; };
    std::ranges::stable_sort(wrong, std::greater{}, sure);
    report_.errors = wrong.size();
    CsvFile file(out_ / "errors.csv",
                 "row,label,said,probability,probability_of_label,text,nearest_text,nearest_label");
    for (const Index i : wrong) {
      const auto& set = labels_.sets.of[i];
      file.cell(i).cell(written_labels(set, labels_.names));
      file.cell(classes_ ? folder_.names[static_cast<Index>(said_.likeliest[i])]
                         : written_labels(said_.sets.of[i], folder_.names));
      file.cell(short_number(static_cast<double>(sure(i))));
      file.cell(classes_
                    ? short_number(static_cast<double>(said_.probabilities[i][static_cast<Index>(set[0])]))
                    : std::string());
      file.cell(text_of_row(input_, i)).cell(nearest_text(i)).cell(nearest_label(i)).end_row();
    }
    file.keep();
  }

  void list_suspects() {
    LabelSets own{{}, known_labels()};
    for (Index i = 0; i < report_.rows; ++i)
      own.of.push_back(known_[i] ? labels_.sets.of[i] : std::vector<Label>());
    const auto suspects = label_errors(folder_.head.options().task, said_.probabilities, own, known_);
    report_.suspects = suspects.size();
    CsvFile file(
        out_ / "labels_in_doubt.csv",
        "row,given,suggested,given_probability,suggested_probability,text,nearest_text,nearest_label");
    const auto name = [&](Label c) {
      return c == kNoise ? std::string() : folder_.names[static_cast<Index>(c)];
    };
    for (const LabelError& e : suspects) {
      file.cell(e.row).cell(name(e.given)).cell(name(e.suggested));
      file.cell(short_number(e.given_probability)).cell(short_number(e.suggested_probability));
      file.cell(text_of_row(input_, e.row)).cell(nearest_text(e.row)).cell(nearest_label(e.row)).end_row();
    }
    file.keep();
  }

  void write_summary() const {
    Json out = report_head("shoal evaluation", 1);
    out.update({{"model", o_.head.string()},
                {"input", o_.input.string()},
                {"rows", report_.rows},
                {"unlabelled", report_.unlabelled},
                {"known", report_.scores.rows}});
    Json scores = scores_json(report_.scores, folder_.names);
    scores.erase("rows");
    const Json labels = scores["labels"];
    scores.erase("labels");
    out.update(scores);
    out["accuracy_or_none"] = report_.accuracy_or_none;
    out["calibration_error"] = report_.ece;
    out["reliability"] = reliability_;
    out["covered"] = number_json(report_.covered);
    out["foreign"] = report_.foreign;
    out["foreign_labels"] = report_.foreign_names;
    const bool told = report_.foreign > 0 && report_.covered;
    out["auroc"] = told ? Json(report_.auroc) : Json();
    out["foreign_found"] = told ? Json(report_.foreign_found) : Json();
    out["errors"] = report_.errors;
    if (o_.label_errors) out["labels_in_doubt"] = report_.suspects;
    out["labels"] = labels;
    write_file(out_ / kMark, report_text(out));
  }

  const EvaluateHeadOptions& o_;
  const Run& run_;
  HeadFolder folder_;
  bool classes_;
  NewFolder out_;
  TextsAndVectors input_;
  LabelColumn labels_;
  std::vector<std::uint8_t> known_, foreign_;
  HeadAnswer said_;
  Json reliability_;
  EvaluateHeadReport report_;
};

}  // namespace

EvaluateHeadReport evaluate_head(const EvaluateHeadOptions& given, const Run& run, const Notice& notice) {
  require(!given.label.empty(), Fault::argument,
          option_name("label") + " is missing: it names the column of labels");
  EvaluateHeadOptions options = given;
  HeadFolder folder = open_head(options.head, run);
  options.read = reading_of(folder, given.read);
  load_encoder(options.input, options.read, run);
  if (!options.overwrite && options.input != "-" && fs::exists(options.out / kMark) &&
      fs::exists(options.input) && has_receipt(options.out, kMark, key_of(options, run))) {
    NewFolder::clean_up(options.out, FolderMark{kMark}, kFiles);
    EvaluateHeadReport report;
    report.out = options.out;
    report.done_before = true;
    return report;
  }
  return EvaluateRun(options, std::move(folder), run, notice).finish();
}

}  // namespace shoal
