#include "shoal/flow/folders/lay_out.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "shoal/core/error.h"
#include "shoal/flow/folders/cluster_vectors.h"
#include "shoal/flow/folders/report_json_impl.h"
#include "shoal/flow/receipt.h"
#include "shoal/flow/stage_file.h"
#include "shoal/flow/tables/csv_file.h"
#include "shoal/linear/norms.h"
#include "shoal/map/svg.h"
#include "shoal/near/exact.h"
#include "shoal/store/archive/archive.h"
#include "shoal/store/files/new_folder.h"
#include "shoal/store/vectors/rows_file.h"

namespace shoal {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::ordered_json;

constexpr int kVersion = 1;
constexpr const char* kUmap = "umap.safetensors";
constexpr const char* kTsne = "tsne.safetensors";
constexpr const char* kRows = "rows.safetensors";
constexpr const char* kFiles[] = {kLayoutMark,     "points.csv", "points.npy", "map.svg",
                                  "relations.csv", kUmap,        kTsne,        kRows};

/// Pairs of rows that are each other's nearest, with a cosine of at least `similarity`.
RelatedRows mutual_nearest(const Rows& x, const Rows& next, double similarity, const Run& run) {
  RelatedRows out;
  if (x.rows() == 0 || next.rows() == 0) return out;
  const Neighbours there = nearest(next, x, 1, Metric::cosine, run),
                   back = nearest(x, next, 1, Metric::cosine, run);
  for (Index i = 0; i < x.rows(); ++i)
    if (back.id[there.id[i]] == i && 1 - static_cast<double>(there.distance[i]) >= similarity)
      out.emplace_back(i, there.id[i]);
  return out;
}

RelatedRows same_numbers(Index rows) {
  RelatedRows out;
  for (Index i = 0; i < rows; ++i) out.emplace_back(i, i);
  return out;
}

std::string key_of(const LayoutOptions& o, const Run& run) {
  std::vector<Field> list = o.method == LayoutMethod::tsne ? list_fields(o.of_tsne) : list_fields(o.umap);
  for (Field& field : list_fields(o)) list.push_back(std::move(field));
  list.push_back({"on", o.on.has_value()});
  std::vector<fs::path> inputs = o.inputs;
  for (const char* name : {kUmap, kRows})
    if (o.on && fs::exists(*o.on / name)) inputs.push_back(*o.on / name);
  return result_key("layout", list, inputs, run);
}

/// One run of `lay_out`.
class LayoutRun {
 public:
  LayoutRun(const LayoutOptions& options, const Run& run)
      : options_(options),
        run_(run),
        input_(options.inputs.at(0)),
        x_(open_vectors(input_, options.vector_column)),
        out_(options.out, FolderMark{kLayoutMark}, options.overwrite, kFiles) {}

  LayoutReport finish() {
    check_options(options_);
    open_inputs();
    const std::string key = key_of(options_, run_);  // of what the work begins with
    report_.dims = x_.cols();
    report_.out = out_.path();
    about_ = report_head("shoal layout", kVersion);
    about_.update({{"rows", report_.rows}, {"dims", report_.dims}, {"method", method()}});
    about_["inputs"] = Json::array();
    for (Index t = 0; t < tables_.size(); ++t)
      about_["inputs"].push_back({{"path", options_.inputs[t].string()}, {"rows", tables_[t].rows()}});
    if (options_.on)
      place();
    else if (options_.aligned)
      align();
    else
      fit();
    write_points();
    write_file(out_ / kLayoutMark, report_text(about_));
    add_receipt(out_ / "", kLayoutMark, key);
    out_.keep();
    return report_;
  }

 private:
  const char* method() const { return name_of(options_.method); }

  /// All are looked at before any work begins.
  void open_inputs() {
    if (options_.on) out_.keep_off(*options_.on);
    std::optional<Space> common;  // of the first that says it
    for (const fs::path& path : options_.inputs) {
      out_.keep_off(path);
      Rows x = tables_.empty() ? x_ : open_vectors(path, options_.vector_column);
      require(x.cols() == x_.cols(), Fault::data,
              path.string() + " has vectors of " + std::to_string(x.cols()) + " numbers, " + input_.string() +
                  " of " + std::to_string(x_.cols()));
      if (!common && !x.space().id.empty()) common = x.space();
      if (common && !x.space().id.empty()) check_space(*common, x.space(), path.c_str());
      require(x.rows() >= 1, Fault::data, path.string() + " has no rows");
      check_rows(x, path, options_.vector_column, run_);
      if (report_.converted_from.empty()) report_.converted_from = x.converted_from();
      tables_.push_back(x);
      report_.rows += x.rows();
    }
    require(options_.on || report_.rows >= 2, Fault::data,
            input_.string() + " has one row; a map needs at least 2");
    if (common)
      for (Rows& x : tables_) x = in_space_of(*common, x, report_.assumed_space);
  }

  void align() {
    std::vector<RelatedRows> related;
    for (Index t = 0; t + 1 < tables_.size(); ++t) {
      related.push_back(options_.relate == Relate::rows
                            ? same_numbers(std::min(tables_[t].rows(), tables_[t + 1].rows()))
                            : mutual_nearest(tables_[t], tables_[t + 1], options_.similarity, run_));
      report_.related.push_back(related.back().size());
    }
    const AlignedUmapOptions how{options_.umap, options_.alignment_regularisation,
                                 options_.alignment_window_size};
    const std::vector<Umap> maps = Umap::fit_aligned(tables_, related, how, run_);
    about_["options"] = to_json(list_fields(options_.umap));
    about_["aligned"] = {{"relate", name_of(options_.relate)},
                         {"similarity", options_.similarity},
                         {"alignment_regularisation", how.alignment_regularisation},
                         {"alignment_window_size", how.alignment_window_size},
                         {"related", report_.related}};
    points_ = Matrix(report_.rows, 2);
    Labels labels{{}, tables_.size()};
    std::vector<std::string> names;
    for (Index t = 0; t < tables_.size(); ++t) {
      std::copy_n(maps[t].embedding().data(), tables_[t].rows() * 2, points_[labels.of.size()].data());
      labels.of.resize(labels.of.size() + tables_[t].rows(), static_cast<Label>(t));
      names.push_back(options_.inputs[t].stem().string());
    }
    keep(maps.back(), tables_.back());
    write_relations(related);
    draw("Aligned maps, one colour each", points_, labels, names, "");
  }

  void write_relations(const std::vector<RelatedRows>& related) const {
    CsvFile file(out_ / "relations.csv", "input,row,next_row");
    for (Index t = 0; t < related.size(); ++t)
      for (const auto& [row, next] : related[t]) file.cell(t).cell(row).cell(next).end_row();
    file.keep();
  }

  void fit() {
    if (options_.method == LayoutMethod::tsne) {
      const Tsne tsne = Tsne::fit(x_, options_.of_tsne, run_);
      about_["options"] = to_json(list_fields(options_.of_tsne));
      about_["perplexity"] = tsne.perplexity();
      save_stage(tsne, out_ / kTsne);
      points_ = tsne.embedding();
    } else {
      const Umap umap = Umap::fit(x_, options_.umap, run_);
      about_["options"] = to_json(list_fields(options_.umap));
      keep(umap, x_);
      points_ = umap.embedding();
      radii_ = umap.local_radii();
    }
    draw("Rows laid out by " + std::string(options_.method == LayoutMethod::tsne ? "t-SNE" : "UMAP"), points_,
         {std::vector<Label>(x_.rows()), 1}, {""}, "");
  }

  void keep(const Umap& umap, const Rows& rows) const {
    save_stage(umap, out_ / kUmap);
    if (options_.keep_rows) write_rows(out_ / kRows, rows, run_);
  }

  void place() {
    const fs::path& on = *options_.on;
    require(fs::is_directory(on), Fault::file, on.string() + ": no such folder");
    require(fs::exists(on / kLayoutMark), Fault::format,
            on.string() + " was not made by 'shoal layout': there is no " + kLayoutMark + " in it");
    require(!fs::exists(on / kTsne), Fault::argument,
            on.string() + " was laid out by t-SNE, which has no place for new rows; UMAP has");
    require(fs::exists(on / kUmap), Fault::argument,
            on.string() + " holds rows placed on another map; give that map's folder");
    require(fs::exists(on / kRows), Fault::argument,
            on.string() + " was made with " + option_name("keep_rows") +
                ": the rows that new ones are compared with are not there");
    const Umap umap = load_stage<Umap>(on / kUmap);
    const Rows old = open_rows(on / kRows);
    require(x_.cols() == old.cols(), Fault::data,
            input_.string() + " has vectors of " + std::to_string(x_.cols()) + " numbers; " + on.string() +
                " was made from vectors of " + std::to_string(old.cols()));
    points_ = umap.transform(in_space_of(umap.space(), x_, report_.assumed_space), old, run_);
    about_["on"] = on.string();
    about_["old_rows"] = old.rows();
    Matrix both(old.rows() + x_.rows(), 2);
    std::copy_n(umap.embedding().data(), old.rows() * 2, both.data());
    std::copy_n(points_.data(), x_.rows() * 2, both.data() + old.rows() * 2);
    Labels labels{std::vector<Label>(both.rows(), kNoise), 1};
    std::fill_n(labels.of.begin() + static_cast<std::ptrdiff_t>(old.rows()), x_.rows(), 0);
    draw("New rows on an old map", both, labels, {"new"}, "old");
  }

  void draw(const std::string& title, const Matrix& points, const Labels& labels,
            const std::vector<std::string>& names, const std::string& grey) const {
    write_file(out_ / "map.svg", scatter_svg({title, "", ""}, points.view(), labels, names, grey));
  }

  void write_points() const {
    write_rows(out_ / "points.npy", points_);
    CsvFile file(out_ / "points.csv", std::string(options_.aligned ? "input," : "") + "row,x,y" +
                                          (radii_.rows() > 0 ? ",radius,map_radius" : ""));
    Index table = 0, row = 0;
    for (Index i = 0; i < points_.rows(); ++i) {
      if (row == tables_[table].rows()) ++table, row = 0;
      if (options_.aligned) file.cell(table);
      file.cell(row++);
      for (const float v : points_[i]) file.cell(csv_number(v));
      if (radii_.rows() > 0)
        for (const float v : radii_[i]) file.cell(csv_number(v));
      file.end_row();
    }
    file.keep();
  }

  const LayoutOptions& options_;
  const Run& run_;
  fs::path input_;
  Rows x_;
  NewFolder out_;
  std::vector<Rows> tables_;
  Matrix points_, radii_{0, 2};
  Json about_;
  LayoutReport report_;
};

}  // namespace

LayoutReport lay_out(const LayoutOptions& options, const Run& run) {
  if (!options.overwrite && fs::exists(options.out / kLayoutMark)) {
    for (const fs::path& input : options.inputs)
      open_vectors(input, options.vector_column);  // says what is wrong
    if (has_receipt(options.out, kLayoutMark, key_of(options, run))) {
      NewFolder::clean_up(options.out, FolderMark{kLayoutMark}, kFiles);
      return {.out = options.out, .done_before = true};
    }
  }
  return LayoutRun(options, run).finish();
}

}  // namespace shoal
