#include "shoal/flow/classes/predict_head.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "shoal/classify/centroid_features.h"
#include "shoal/cluster/density/hdbscan.h"
#include "shoal/core/error.h"
#include "shoal/flow/classes/head_folder.h"
#include "shoal/flow/classes/label_column.h"
#include "shoal/flow/folders/cluster_folder.h"
#include "shoal/flow/folders/cluster_vectors.h"
#include "shoal/flow/folders/report_json_impl.h"
#include "shoal/flow/preparation.h"
#include "shoal/flow/receipt.h"
#include "shoal/flow/tables/csv_file.h"
#include "shoal/map/svg.h"
#include "shoal/near/select_rows.h"
#include "shoal/store/archive/archive.h"
#include "shoal/store/files/new_folder.h"

namespace shoal {
namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
namespace {

constexpr const char* kMark = "predictions.json";
constexpr const char* kFiles[] = {kMark, "predictions.csv", "labels.svg", "probabilities.svg",
                                  "proposed.csv"};
constexpr Index kFewest = 20;  // unknown rows among which clusters are sought

std::string key_of(const PredictHeadOptions& o, const Run& run) {
  std::vector<Field> list = list_fields(o.read.read);
  for (Field& field : list_fields(o.read.encode)) list.push_back(std::move(field));
  std::string text;
  for (const std::string& name : o.read.read.text_columns) text += name + '\n';
  list.push_back({"text", text});
  list.push_back({"model", o.read.encoder ? o.read.encoder->space().id : o.read.model});
  std::vector<fs::path> inputs{o.input};
  if (!o.read.vectors.empty() && fs::exists(o.read.vectors)) inputs.push_back(o.read.vectors);
  std::ranges::copy(head_inputs(o.head), std::back_inserter(inputs));
  return result_key("classify predict", list, inputs, run);
}

class PredictHeadRun {
 public:
  PredictHeadRun(const PredictHeadOptions& options, HeadFolder folder, const Run& run, const Notice& notice)
      : o_(options),
        run_(run),
        folder_(std::move(folder)),
        out_(options.out, FolderMark{kMark}, options.overwrite, kFiles) {
    input_ = read_texts_and_vectors(o_.input, {}, o_.read, run, notice);
    input_.vectors = in_space_of(folder_.head.space(), input_.vectors, report_.assumed_space);
    out_.keep_off(o_.input);
    out_.keep_off(o_.head);
  }

  PredictHeadReport finish() {
    const std::string key = o_.input == "-" ? "" : key_of(o_, run_);
    report_.rows = input_.vectors.rows(), report_.out = out_.path(), report_.cut = input_.cut;
    for (const std::string& name : folder_.names) report_.labels.push_back({name, 0});
    if (folder_.head.has_rows() && std::isfinite(folder_.head.limit()))
      report_.coverage = folder_.head.options().coverage;
    label();
    propose();
    draw();
    write_summary();
    if (!key.empty()) add_receipt(out_ / "", kMark, key);
    out_.keep();
    return std::move(report_);
  }

 private:
  void label() {
    const bool several = folder_.head.options().task == HeadTask::multilabel;
    const char* own = several ? "labels" : "label";
    CsvFile file(out_ / "predictions.csv", "row," + std::string(own) +
                                               ",likeliest,probability,p_value,unknown,nearest" +
                                               (input_.has_texts() ? ",text" : ""));
    each_block(input_.vectors, [&](const Rows& block, Index first) {
      const HeadAnswer said = folder_.head.answer(block, run_.quiet());
      for (Index i = 0; i < block.rows(); ++i) {
        const auto c = static_cast<Index>(said.likeliest[i]);
        const auto p = static_cast<double>(said.probabilities[i][c]);
        probability_.push_back(p);
        report_.mean_probability += p / static_cast<double>(report_.rows);
        for (const Label label : said.sets.of[i]) ++report_.labels[static_cast<Index>(label)].size;
        if (said.unknown[i]) unknown_.push_back(first + i);
        file.cell(first + i).cell(written_labels(said.sets.of[i], folder_.names)).cell(folder_.names[c]);
        file.cell(short_number(p)).cell(short_number(said.p_value[i])).cell(said.unknown[i]);
        file.cell(said.nearest.empty() ? std::string() : std::to_string(said.nearest[i]));
        if (input_.has_texts()) file.cell(input_.texts[first + i]);
        file.end_row();
      }
      if (run_.progress)
        run_.progress("classify", static_cast<double>(first + block.rows()),
                      static_cast<double>(report_.rows));
    });
    file.keep();
    report_.unknown = unknown_.size();
  }

  /// Clusters of rows of none of the known, largest first, with the row nearest to all others of each.
  void propose() {
    if (unknown_.size() < kFewest) return;
    const Rows rows(select_rows(input_.vectors, unknown_).to_matrix(), input_.vectors.space());
    const Labels found = Hdbscan::fit(rows, {.min_cluster_size = 5}, run_.quiet()).labels();
    if (found.count == 0) return;
    const Matrix centres = CentroidFeatures::fit(rows, found, {}, run_).transform(rows, run_);
    const std::vector<Index> sizes = label_sizes(found);
    std::vector<Index> order(found.count), typical(found.count, unknown_.size());
    for (Index c = 0; c < found.count; ++c) order[c] = c;
    std::ranges::stable_sort(order, std::greater{}, [&](Index c) { return sizes[c]; });
    for (Index i = 0; i < unknown_.size(); ++i) {
      if (found.of[i] == kNoise) continue;
      const auto c = static_cast<Index>(found.of[i]);
      if (typical[c] == unknown_.size() || centres[i][c] < centres[typical[c]][c]) typical[c] = i;
    }
    CsvFile file(out_ / "proposed.csv", "row,cluster,text");
    for (Index k = 0; k < order.size(); ++k) {
      report_.proposed.push_back({text_of_row(input_, unknown_[typical[order[k]]]), sizes[order[k]]});
      for (Index i = 0; i < unknown_.size(); ++i)
        if (found.of[i] == static_cast<Label>(order[k]))
          file.cell(unknown_[i]).cell(k).cell(text_of_row(input_, unknown_[i])).end_row();
    }
    file.keep();
  }

  void draw() const {
    std::vector<Bar> bars;
    for (const auto& label : report_.labels) bars.push_back({label.name, static_cast<double>(label.size)});
    bars.push_back({"none of the known", static_cast<double>(report_.unknown)});
    write_file(out_ / "labels.svg", bars_svg({"Which labels the new rows got", "labels", "rows"}, bars));
    write_file(
        out_ / "probabilities.svg",
        histogram_svg({"How sure the head is", "probability of the likeliest label", "rows"}, probability_));
  }

  void write_summary() const {
    Json labels = Json::array(), proposed = Json::array();
    for (const auto& label : report_.labels) labels.push_back({{"name", label.name}, {"size", label.size}});
    for (const auto& cluster : report_.proposed)
      proposed.push_back({{"text", cluster.name}, {"size", cluster.size}});
    Json out = report_head("shoal predictions", 1);
    out.update({{"model", o_.head.string()},
                {"input", o_.input.string()},
                {"rows", report_.rows},
                {"by", "head"},
                {"unknown", report_.unknown},
                {"coverage", number_json(report_.coverage)},
                {"mean_probability", report_.mean_probability},
                {"labels", labels},
                {"proposed", proposed}});
    write_file(out_ / kMark, report_text(out));
  }

  const PredictHeadOptions& o_;
  const Run& run_;
  HeadFolder folder_;
  NewFolder out_;
  TextsAndVectors input_;
  std::vector<Index> unknown_;
  std::vector<double> probability_;
  PredictHeadReport report_;
};

}  // namespace

PredictHeadReport predict_head(const PredictHeadOptions& given, const Run& run, const Notice& notice) {
  PredictHeadOptions options = given;
  HeadFolder folder = open_head(options.head, run);
  options.read = reading_of(folder, given.read);
  load_encoder(options.input, options.read, run);
  if (!options.overwrite && options.input != "-" && fs::exists(options.out / kMark) &&
      fs::exists(options.input) && has_receipt(options.out, kMark, key_of(options, run))) {
    NewFolder::clean_up(options.out, FolderMark{kMark}, kFiles);
    PredictHeadReport report;
    report.out = options.out;
    report.done_before = true;
    return report;
  }
  return PredictHeadRun(options, std::move(folder), run, notice).finish();
}

}  // namespace shoal
