#include "shoal/flow/training/training_report.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>

#include "shoal/core/error.h"
#include "shoal/core/with_commas.h"
#include "shoal/flow/receipt.h"
#include "shoal/map/svg.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace {

using Json = nlohmann::ordered_json;

std::string number(double x, const char* format = "%.4g") {
  char out[32];
  std::snprintf(out, sizeof out, format, x);
  return out;
}

Json to_json(const Health& health) {
  return {{"mean_cosine", health.mean_cosine},
          {"uniformity", health.uniformity},
          {"effective_rank", health.effective_rank},
          {"alignment", health.alignment}};
}

Json to_json(const Measured& m) { return {{"value", m.value}, {"low", m.low}, {"high", m.high}}; }

/// Means of neighbouring values: at most `most` points, so that a curve of many noisy steps can be read.
TrainingLog::Curve smoothed(const TrainingLog::Curve& curve, Index most) {
  const Index n = curve.steps.size(), each = std::max<Index>(1, (n + most - 1) / most);
  TrainingLog::Curve out;
  for (Index first = 0; first < n; first += each) {
    const Index last = std::min(n, first + each);
    double x = 0, y = 0;
    for (Index i = first; i < last; ++i) x += curve.steps[i], y += curve.values[i];
    out.steps.push_back(x / static_cast<double>(last - first));
    out.values.push_back(y / static_cast<double>(last - first));
  }
  return out;
}

struct Column {
  std::string title;
  std::function<std::string(const TrainedState&)> cell;
};

std::vector<Column> columns_of(const TrainModelReport& report) {
  std::vector<Column> out;
  const auto measured = [](const std::optional<Measured>& m) {
    return m ? number(m->value, "%.4f") + " [" + number(m->low, "%.4f") + ", " + number(m->high, "%.4f") + "]"
             : std::string("-");
  };
  if (!report.dev_metric.empty())
    out.push_back({"dev " + report.dev_metric, [=](const TrainedState& s) { return measured(s.dev); }});
  if (!report.general_metric.empty())
    out.push_back(
        {"general " + report.general_metric, [=](const TrainedState& s) { return measured(s.general); }});
  if (report.train.health_texts == 0) return out;  // of a cross-encoder, which makes no vectors
  out.push_back({"mean cosine", [](const TrainedState& s) { return number(s.health.mean_cosine, "%.3f"); }});
  out.push_back(
      {"effective rank", [](const TrainedState& s) { return number(s.health.effective_rank, "%.1f"); }});
  out.push_back({"uniformity", [](const TrainedState& s) { return number(s.health.uniformity, "%.3f"); }});
  out.push_back({"alignment", [](const TrainedState& s) { return number(s.health.alignment, "%.3f"); }});
  return out;
}

}  // namespace

TrainingLog::TrainingLog(std::filesystem::path file) : file_(std::move(file)) {}

std::string TrainingLog::text() const {
  return std::filesystem::exists(file_) ? read_file(file_, std::size_t{1} << 32) : std::string();
}

void TrainingLog::resume(Index step) {
  std::string kept;
  const std::string all = text();
  for (std::size_t at = 0; at < all.size();) {
    const auto end = all.find('\n', at);
    if (end == std::string::npos) break;  // a line that was not finished
    const Json line = Json::parse(all.substr(at, end - at), nullptr, false);
    if (!line.is_discarded() && line.value("step", Index{0}) <= step && step > 0)
      kept += all.substr(at, end - at + 1);
    at = end + 1;
  }
  write_file(file_, kept);
}

void TrainingLog::append(const Json& line) {
  std::ofstream out(file_, std::ios::app | std::ios::binary);
  out << line.dump() << '\n';
  out.flush();
  require(out.good(), Fault::file, "cannot write " + file_.string() + "; is the disk full?");
}

void TrainingLog::add(const LearnStep& step) {
  Json line{{"step", step.step},
            {"epoch", step.epoch + 1},
            {"set", step.set},
            {"loss", step.loss},
            {"gradient_norm", step.gradient_norm},
            {"learning_rate", step.learning_rate}};
  if (step.score) line["score"] = *step.score;
  append(line);
}

void TrainingLog::add(Index step, const Health& health) {
  Json line{{"step", step}};
  line.update(to_json(health));
  append(line);
}

TrainingLog::Curve TrainingLog::curve(const std::string& name) const {
  Curve out;
  const std::string all = text();
  for (std::size_t at = 0; at < all.size();) {
    const auto end = std::min(all.find('\n', at), all.size());
    const Json line = Json::parse(all.substr(at, end - at), nullptr, false);
    if (line.is_object() && line.contains(name) && line[name].is_number()) {
      out.steps.push_back(line.value("step", 0.0));
      out.values.push_back(line[name].get<double>());
    }
    at = end + 1;
  }
  return out;
}

Json to_json(const TrainModelReport& report) {
  Json sets = Json::array(), states = Json::array();
  for (const auto& set : report.sets) {
    Json line{{"file", set.file}, {"loss", set.loss}, {"columns", set.columns}, {"rows", set.rows}};
    if (!set.target.empty()) line["target"] = set.target;
    if (set.blank > 0) line["blank_rows"] = set.blank;
    sets.push_back(std::move(line));
  }
  for (const auto& state : report.states) {
    Json line{{"model", state.name}};
    if (state.dev) line["dev"] = to_json(*state.dev);
    if (state.general) line["general"] = to_json(*state.general);
    if (report.train.health_texts > 0) line["health"] = to_json(state.health);
    states.push_back(std::move(line));
  }
  const Learnt& learnt = report.train.learnt;
  Json out{{"out", report.out.string()},
           {"done_before", report.done_before},
           {"model", report.model},
           {"sets", sets},
           {"rows", report.train.rows},
           {"tokens", report.train.tokens},
           {"truncated_texts", report.train.cut},
           {"rows_in_no_batch", report.train.left_out},
           {"frozen_parameters", report.train.frozen},
           {"steps", learnt.steps},
           {"planned_steps", learnt.n_steps},
           {"resumed_from_step", report.resumed_from},
           {"stopped_early", learnt.stopped_early},
           {"losses", learnt.losses}};
  if (!learnt.scores.empty()) {
    out["dev_metric"] = report.dev_metric;
    out["scores"] = learnt.scores;
    if (learnt.best) out["best_score"] = *learnt.best;
  }
  if (!report.general_metric.empty()) out["general_metric"] = report.general_metric;
  if (!learnt.harm.empty()) out["harm"] = learnt.harm;
  out["states"] = states;
  return out;
}

void write_training_files(const std::filesystem::path& folder, const TrainModelReport& report,
                          const TrainingLog& log, const Json& options, const std::string& key) {
  write_file(folder / kTrainingLog, log.text());
  write_file(folder / kTrainingPage, training_page(report, log));
  Json json{{"format", "shoal training"}};  // first: it is what the folder is known by
  json.update(to_json(report));
  for (const char* of_this_run : {"out", "done_before", "resumed_from_step"}) json.erase(of_this_run);
  json["options"] = options;
  write_file(folder / kTrainingReport, json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
  add_receipt(folder, kTrainingReport, key);
}

TrainingInputs training_inputs(const TrainModelOptions& options) {
  TrainingInputs out;
  const auto add = [&](const char* role, const std::filesystem::path& given) {
    std::vector<std::filesystem::path> files{given};
    if (std::filesystem::is_directory(given)) {
      files.clear();
      for (const auto& entry : std::filesystem::recursive_directory_iterator(given))
        if (entry.is_regular_file()) files.push_back(entry.path());
      std::ranges::sort(files);
    }
    out.roles.push_back({role, static_cast<std::int64_t>(files.size())});
    out.files.insert(out.files.end(), files.begin(), files.end());
  };
  for (const auto& input : options.inputs) add("input", input);
  if (!options.dev.empty()) add("dev", options.dev);
  if (!options.general.empty()) add("general", options.general);
  return out;
}

void clean_up_training(const std::filesystem::path& out, std::span<const char* const> files,
                       const std::filesystem::path& checkpoint, const std::string& key) {
  NewFolder::clean_up(out, kTrainingMark, files);
  if (!std::filesystem::exists(checkpoint)) return;
  try {
    if (ArchiveReader(checkpoint).meta("made_by").find(key) == std::string::npos) return;
  } catch (const Error&) {
    return;
  }
  std::error_code ignored;
  std::filesystem::remove_all(checkpoint.parent_path(), ignored);
}

std::string states_text(const TrainModelReport& report) {
  const auto columns = columns_of(report);
  if (columns.empty()) return {};
  std::vector<std::vector<std::string>> rows;
  rows.emplace_back(1, "");
  for (const Column& column : columns) rows.back().push_back(column.title);
  for (const TrainedState& state : report.states) {
    rows.emplace_back(1, state.name);
    for (const Column& column : columns) rows.back().push_back(column.cell(state));
  }
  std::vector<std::size_t> widths(columns.size() + 1);
  for (const auto& row : rows)
    for (Index c = 0; c < row.size(); ++c) widths[c] = std::max(widths[c], row[c].size());
  std::string out;
  for (const auto& row : rows) {
    std::string line = " ";
    for (Index c = 0; c < row.size(); ++c)
      line += " " + row[c] + std::string(widths[c] - row[c].size() + 1, ' ');
    while (line.ends_with(' ')) line.pop_back();
    out += line + "\n";
  }
  return out;
}

std::string training_page(const TrainModelReport& report, const TrainingLog& log) {
  std::string out =
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Training of " +
      escaped(report.model) +
      "</title>\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<style>\n"
      ":root{color-scheme:light dark}body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem "
      "auto;padding:0 1rem}\n"
      "table{border-collapse:collapse;margin:1rem 0;font-variant-numeric:tabular-nums}th,td{text-align:right;"
      "padding:.3rem .8rem;border-bottom:1px solid #8886}th:first-child,td:first-child{text-align:left}\n"
      ".harm{border-left:4px solid #c33;padding:.2rem "
      "1rem}svg{max-width:100%;height:auto}\n</style></head><body>\n";
  const Learnt& learnt = report.train.learnt;
  out += "<h1>Training of " + escaped(report.model) + "</h1>\n<p>";
  for (const auto& set : report.sets) {
    std::string columns;
    for (const std::string& name : set.columns) columns += (columns.empty() ? "" : ", ") + name;
    if (!set.target.empty()) columns += "; " + set.target;
    out += escaped(with_commas(set.rows) + " rows of " + set.file + " (" + columns + "), loss " + set.loss) +
           "<br>\n";
  }
  out += escaped(with_commas(learnt.steps) + " of " + with_commas(learnt.n_steps) + " steps") +
         (learnt.stopped_early ? "; stopped as nothing got better" : "") + "</p>\n";
  if (!learnt.harm.empty())
    out += "<p class=\"harm\"><b>Stopped.</b> " + escaped(learnt.harm) +
           ". The model is as it was when all was well.</p>\n";
  const auto columns = columns_of(report);
  if (!columns.empty()) out += "<h2>Before and after</h2>\n";
  out += "<table><tr><th></th>";
  for (const Column& column : columns) out += "<th>" + escaped(column.title) + "</th>";
  out += "</tr>\n";
  for (const TrainedState& state : report.states) {
    out += "<tr><td>" + escaped(state.name) + "</td>";
    for (const Column& column : columns) out += "<td>" + escaped(column.cell(state)) + "</td>";
    out += "</tr>\n";
  }
  out += "</table>\n";
  if (report.train.health_texts > 0)
    out +=
        "<p>Mean cosine, effective rank and uniformity are of " + with_commas(report.train.health_texts) +
        " texts drawn from the training rows: a mean cosine of 1, an effective rank of 1 and a uniformity "
        "of 0 would be "
        "a collapse. Alignment is the mean squared distance of texts that belong together. [low, high]: 95% "
        "intervals.</p>\n";
  const auto add = [&](const std::string& title,
                       const std::vector<std::pair<std::string, std::string>>& curves, Index most) {
    std::vector<PlotCurve> plotted;
    for (const auto& [name, shown] : curves) {
      const auto curve = smoothed(log.curve(name), most);
      if (curve.steps.size() >= 2)
        plotted.push_back({.name = shown, .x = curve.steps, .y = curve.values, .marked = {}});
    }
    if (!plotted.empty())
      out += "<h2>" + title + "</h2>\n" +
             curves_svg({.title = "", .x_label = "step", .y_label = ""}, plotted) + "\n";
  };
  add("Loss",
      {{"loss", "loss"}, {"gradient_norm", "length of the gradient"}, {"learning_rate", "learning rate"}},
      200);
  add("Score on dev", {{"score", report.dev_metric}}, 1000);
  add("Alarms",
      {{"mean_cosine", "mean cosine"},
       {"effective_rank", "effective rank"},
       {"uniformity", "uniformity"},
       {"alignment", "alignment"}},
      400);
  return out + "</body></html>\n";
}

}  // namespace shoal
