#include "shoal/flow/classes/fit_head.h"

#include <algorithm>
#include <map>
#include <utility>

#include "shoal/classify/label_errors.h"
#include "shoal/core/error.h"
#include "shoal/flow/classes/head_folder.h"
#include "shoal/flow/classes/label_column.h"
#include "shoal/flow/classes/label_weights.h"
#include "shoal/flow/folders/cluster_folder.h"
#include "shoal/flow/folders/cluster_vectors.h"
#include "shoal/flow/folders/report_json_impl.h"
#include "shoal/flow/receipt.h"
#include "shoal/flow/tables/csv_file.h"
#include "shoal/flow/through_profile.h"
#include "shoal/linear/norms.h"
#include "shoal/map/svg.h"
#include "shoal/near/select_rows.h"
#include "shoal/store/archive/archive.h"
#include "shoal/store/files/new_folder.h"

namespace shoal {
namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
namespace {

constexpr const char* kFiles[] = {kHeadMark,       kHeadFile,         kTrainingFile,         "labels.csv",
                                  "confusion.svg", "reliability.svg", "labels_in_doubt.csv", kProfileFile};

constexpr const char* kFeatures = ".features@";  // in the name of a space

std::string key_of(const FitHeadOptions& o, const Run& run) {
  std::vector<Field> list = list_fields(o);
  for (Field& field : list_fields(o.head))
    if (field.name != "task") list.push_back(std::move(field));
  list.push_back({"label", o.label});
  list.push_back({"zero_shot", o.zero_shot});
  list.push_back({"model", o.read.encoder ? o.read.encoder->space().id : o.read.model});
  list.push_back({"features", o.read.use == EncoderUse::features});
  std::string text;
  for (const std::string& name : o.read.read.text_columns) text += name + '\n';
  list.push_back({"text", text});
  for (Field& field : list_fields(o.read.read)) list.push_back(std::move(field));
  for (Field& field : list_fields(o.read.encode)) list.push_back(std::move(field));
  std::vector<fs::path> inputs{o.input};
  if (!o.read.vectors.empty() && fs::exists(o.read.vectors)) inputs.push_back(o.read.vectors);
  if (!o.class_weights.empty() && fs::exists(o.class_weights)) inputs.emplace_back(o.class_weights);
  if (!o.read.profile.empty()) inputs.push_back(o.read.profile);
  if (o.add) std::ranges::copy(head_inputs(*o.add), std::back_inserter(inputs));
  return result_key("classify fit", list, inputs, run);
}

class FitRun {
 public:
  FitRun(const FitHeadOptions& options, const Run& run, const Notice& notice)
      : o_(options), run_(run), out_(options.out, FolderMark{kHeadMark}, options.overwrite, kFiles) {
    if (o_.add) {
      old_ = open_head(*o_.add);
      out_.keep_off(*o_.add);
    }
    std::vector<std::string> columns;
    if (!o_.label.empty()) columns.push_back(o_.label);
    TextsAndVectorsOptions read = o_.read;
    if (old_) read.profile = old_->profile;  // rows that are added are seen as its own were
    profile_ = read.profile;
    input_ = read_texts_and_vectors(o_.input, columns, read, run, notice);
    const std::string& id = input_.vectors.space().id;
    require(!features() || id.empty() || id.find(kFeatures) != std::string::npos, Fault::data,
            "the vectors of " + o_.input.string() + " come from " + id + ", and are no features of " +
                o_.read.model);
    out_.keep_off(o_.input);
    if (old_) input_.vectors = in_space_of(old_->head.space(), input_.vectors, report_.assumed_space);
  }

  FitHeadReport finish() {
    report_.cut = input_.cut;
    report_.out = out_.path();
    const std::string key = o_.input == "-" ? "" : key_of(o_, run_);
    if (o_.zero_shot)
      from_names();
    else
      from_rows();
    keep_profile(profile_, out_ / "");
    if (!key.empty()) add_receipt(out_ / "", kHeadMark, key);
    out_.keep();
    return std::move(report_);
  }

 private:
  bool features() const { return o_.read.use == EncoderUse::features; }

  /// A label's vector is the mean of those of its descriptions.
  void from_names() {
    const Texts& said = o_.label.empty() ? input_.texts : input_.columns[0];
    require(said.size() > 0, Fault::argument,
            o_.input.string() + " has no texts that say what labels are called");
    const LabelColumn labels =
        read_labels(said, {.task = HeadTask::multiclass, .separator = "", .known = {}});
    names_ = labels.names;
    Matrix means(names_.size(), input_.vectors.cols()), scratch;
    for (Index i = 0; i < input_.vectors.rows(); ++i) {
      if (labels.sets.of[i].empty()) continue;
      Matrix one(1, input_.vectors.cols());
      std::ranges::copy(input_.vectors.block(i, 1, scratch)[0], one[0].begin());
      unit_rows(one.span());
      for (Index j = 0; j < one.cols(); ++j) means[static_cast<Index>(labels.sets.of[i][0])][j] += one[0][j];
    }
    const Head head = Head::zero_shot(Rows(std::move(means), input_.vectors.space()), 20, run_);
    report_.rows = input_.vectors.rows(), report_.names = names_, report_.unlabelled = labels.unlabelled;
    write_head(out_ / "", head, names_, {});
    write_report(head);
  }

  void from_rows() {
    LabelReading reading{.task = o_.task, .separator = o_.separator, .known = {}};
    if (old_) reading.known = old_->names, reading.task = old_->head.options().task;
    const LabelColumn labels = read_labels(input_.columns[0], reading);
    names_ = labels.names;
    const bool classes = labels.task == HeadTask::multiclass;
    // multiclass: a row without a label says nothing.
    std::vector<Index> own;
    for (Index i = 0; i < input_.vectors.rows(); ++i)
      if (!classes || !labels.sets.of[i].empty()) own.push_back(i);
    const bool all = own.size() == input_.vectors.rows();
    const Rows x = all ? input_.vectors : select_rows(input_.vectors, own);
    const LabelSets sets = all ? labels.sets : select_sets(labels.sets, own);
    report_.rows = x.rows(), report_.unlabelled = labels.unlabelled, report_.task = labels.task;
    report_.names = names_;
    if (classes && names_.size() < 2)
      throw Error(Fault::data, "all " + std::to_string(x.rows()) + " labelled rows of " + o_.input.string() +
                                   " have one label, " + names_.front() +
                                   "; a classifier needs at least two");
    const std::vector<Index> sizes = label_sizes(sets);
    for (Index c = 0; c < sizes.size(); ++c)
      if (sizes[c] == 1 && !(old_ && c < old_->names.size())) report_.seen_once.push_back(names_[c]);
    HeadOptions options = o_.head;
    options.task = labels.task;
    options.label_weights = read_label_weights(o_.class_weights, names_);
    HeldOut held;
    std::optional<Head> head;
    Texts texts;
    if (old_) {
      for (Index c = old_->names.size(); c < names_.size(); ++c) report_.added.push_back(names_[c]);
      head = old_->head.with_added(x, sets, run_);
      if (old_->texts.size() > 0 || input_.has_texts()) {
        for (Index i = 0; i < old_->head.training_sets().of.size(); ++i) texts.add(old_->training_text(i));
      }
    } else {
      head = Head::fit(x, sets, options, run_, &held);
    }
    if (input_.has_texts() || texts.size() > 0)
      for (const Index i : own) texts.add(text_of_row(input_, i));
    report_.head = head->options().head, report_.c = head->c(), report_.n_iter = head->rule().n_iter,
    report_.converged = head->rule().converged;
    write_head(out_ / "", *head, names_, texts);
    if (held.n_judged > 0) judge(*head, held, sets, own);
    write_report(*head);
  }

  void judge(const Head& head, const HeldOut& held, const LabelSets& sets, const std::vector<Index>& own) {
    const bool classes = report_.task == HeadTask::multiclass;
    report_.judged = held.n_judged, report_.covered = held.covered;
    report_.thresholds = head.thresholds().kind;
    std::vector<std::vector<Label>> truth, said;
    std::vector<Label> one_truth, one_said;
    Matrix before = held.logits;
    Calibration plain = Calibration::fit(CalibrationKind::temperature, report_.task, Matrix(), Truth());
    for (Index i = 0; i < sets.of.size(); ++i) {
      plain.apply(before[i]);
      if (!held.judged[i]) continue;
      truth.push_back(sets.of[i]), said.push_back(held.sets.of[i]);
      if (classes) one_truth.push_back(truth.back()[0]), one_said.push_back(said.back()[0]);
    }
    report_.scores = classification_scores(truth, said, sets.count);
    const Reliability found = reliability_of(report_.task, held.probabilities, sets, held.judged);
    report_.ece = found.error;
    report_.ece_before = reliability_of(report_.task, before, sets, held.judged).error;
    write_reliability(out_ / "reliability.svg", found);
    write_label_table(out_ / "labels.csv", report_.scores, names_);
    if (classes) {
      auto counts = confusion_matrix(one_truth, one_said, sets.count);
      counts.pop_back();
      for (auto& row : counts) row.pop_back();
      write_file(out_ / "confusion.svg",
                 confusion_svg({"What held-out rows are taken for", "said", "label"}, counts, names_));
    }
    const auto suspects = label_errors(report_.task, held.probabilities, sets, held.judged);
    report_.suspects = suspects.size();
    CsvFile file(
        out_ / "labels_in_doubt.csv",
        "row,given,suggested,given_probability,suggested_probability,text,nearest_text,nearest_label");
    const auto name = [&](Label c) { return c == kNoise ? std::string() : names_[static_cast<Index>(c)]; };
    for (const LabelError& e : suspects) {
      file.cell(own[e.row]).cell(name(e.given)).cell(name(e.suggested));
      file.cell(short_number(e.given_probability)).cell(short_number(e.suggested_probability));
      const Index near = held.nearest[e.row];
      file.cell(text_of_row(input_, own[e.row])).cell(text_of_row(input_, own[near]));
      file.cell(written_labels(sets.of[near], names_)).end_row();
    }
    file.keep();
    report_tried_ = {held.tried, held.losses};
    report_bins_ = reliability_json(found);
  }

  void write_report(const Head& head) const {
    Json out = report_head("shoal head", 1), labels = Json::array();
    const std::vector<Index> sizes =
        head.has_rows() ? label_sizes(head.training_sets()) : std::vector<Index>(names_.size());
    for (Index c = 0; c < names_.size(); ++c) {
      Json label{{"name", names_[c]}, {"rows", sizes[c]}};
      if (head.options().task == HeadTask::multilabel) label["threshold"] = head.thresholds().of[c];
      labels.push_back(label);
    }
    const std::string& id = head.space().id;
    out.update({{"model", id.substr(0, id.find(features() ? kFeatures : "@"))},
                {"features", features()},
                {"space", id},
                {"dims", head.dims()},
                {"input", o_.input.string()},
                {"label", o_.label},
                {"rows", report_.rows},
                {"unlabelled", report_.unlabelled},
                {"how", o_.zero_shot ? "zero_shot"
                        : old_       ? "add"
                                     : "fit"},
                {"task", name_of(head.options().task)},
                {"options", to_json(list_fields(head.options()))},
                {"c", head.c()},
                {"n_iter", head.rule().n_iter},
                {"converged", head.rule().converged},
                {"temperature", head.calibration().temperature()},
                {"limit", number_json(static_cast<double>(head.limit()))}});
    if (!o_.class_weights.empty()) out["class_weights"] = o_.class_weights;
    if (old_) out["added"] = report_.added;
    out["seen_once"] = report_.seen_once;
    out["held_out"] = nullptr;
    if (report_.judged > 0) {
      Json tried = Json::array();
      for (Index i = 0; i < report_tried_.first.size(); ++i)
        tried.push_back({{"c", report_tried_.first[i]}, {"loss", report_tried_.second[i]}});
      Json found = scores_json(report_.scores, names_);
      found["tried"] = tried;
      found["calibration_error"] = report_.ece;
      found["calibration_error_before"] = report_.ece_before;
      found["covered"] = report_.covered;
      if (head.options().task == HeadTask::multilabel) found["thresholds"] = name_of(report_.thresholds);
      found["labels_in_doubt"] = report_.suspects;
      found["reliability"] = report_bins_;
      out["held_out"] = found;
    }
    out["labels"] = labels;
    write_file(out_ / kHeadMark, report_text(out));
  }

  const FitHeadOptions& o_;
  const Run& run_;
  NewFolder out_;
  std::optional<HeadFolder> old_;
  fs::path profile_;  // of the head that is made
  TextsAndVectors input_;
  std::vector<std::string> names_;
  std::pair<std::vector<double>, std::vector<double>> report_tried_;
  Json report_bins_;
  FitHeadReport report_;
};

void check(const FitHeadOptions& o) {
  require(o.zero_shot || !o.label.empty(), Fault::argument,
          option_name("label") + " is missing: it names the column of labels");
  require(!o.zero_shot || !o.add, Fault::argument,
          option_name("zero_shot") + " makes a new head; " + option_name("add") + " is of labelled rows");
  require(!o.add || o.read.profile.empty(), Fault::argument,
          option_name("profile") + " is of a head that is fitted anew; " + option_name("add") +
              " takes that of the old one");
  HeadOptions options = o.head;
  check_options(options);
}

}  // namespace

FitHeadReport fit_head(const FitHeadOptions& given, const Run& run, const Notice& notice) {
  check(given);
  FitHeadOptions options = given;
  load_encoder(options.input, options.read, run);
  if (!options.overwrite && options.input != "-" && fs::exists(options.out / kHeadMark) &&
      fs::exists(options.input) && has_receipt(options.out, kHeadMark, key_of(options, run))) {
    NewFolder::clean_up(options.out, FolderMark{kHeadMark}, kFiles);
    FitHeadReport report;
    report.out = options.out;
    report.done_before = true;
    return report;
  }
  return FitRun(options, run, notice).finish();
}

}  // namespace shoal
