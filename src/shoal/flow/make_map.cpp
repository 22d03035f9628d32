#include "shoal/flow/make_map.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "shoal/core/error.h"
#include "shoal/flow/embed.h"
#include "shoal/flow/fingerprint.h"
#include "shoal/flow/ingest.h"
#include "shoal/flow/map_options_impl.h"
#include "shoal/flow/name_clusters.h"
#include "shoal/flow/replace_impl.h"
#include "shoal/flow/report_json_impl.h"
#include "shoal/flow/show.h"
#include "shoal/flow/steps_impl.h"
#include "shoal/store/archive/archive.h"
#include "shoal/store/vectors/rows_file.h"

namespace shoal {
namespace fs = std::filesystem;
namespace {

/// The collection that will be replaced, locked, if there is one.
std::optional<Collection> open_old(const MapOptions& options) {
  if (!options.overwrite || !Collection::exists(options.out)) return std::nullopt;
  return Collection::open_to_replace(fs::canonical(options.out));
}

Collection open_or_create(const MapOptions& options, const std::optional<Collection>& old) {
  if (old) return create_beside(*old);
  return Collection::exists(options.out) ? Collection::open(options.out, false)
                                         : Collection::create(options.out);
}

/// One run of `map`: the collection, and the chain of keys that says which steps still hold.
class MapRun {
 public:
  MapRun(const MapOptions& options, const Run& run)
      : options_(options),
        run_(run),
        encoder_(Encoder::load(options.model, run)),
        source_(open_source()),
        old_(open_old(options)),
        fresh_(old_ || !Collection::exists(options.out)),
        collection_(open_or_create(options, old_)) {}

  /// Takes back what stands in the way of another try: a new collection that replaces an old one, or one in
  /// which nothing is worth keeping.
  void give_up(Fault fault) {
    if (old_ || (fresh_ && !worth_keeping_ && (fault == Fault::data || fault == Fault::argument)))
      remove_collection(collection_.folder());
  }

  MapReport finish() {
    read();
    step("embed", embed_options(), [&] { embed(); });
    step("pca", list_fields(options_.pca), [&] { reduce(); });
    const std::string reduced_key = key_;
    step("layout", list_fields(layout_options()), [&] { lay_out(); });
    const std::string layout_key = std::exchange(key_, reduced_key);
    step("cluster", list_clustering(options_.clusters, report_.rows, options_.seed), [&] { cluster(); });
    step("explain", {}, [&] { explain(); });
    key_ += layout_key;
    step("page", page_options(), [&] { page(); });
    collection_.settle();  // last: any change after it would leave its trace in the bytes
    describe();
    if (old_) replace(collection_, *std::exchange(old_, std::nullopt));
    return report_;
  }

 private:
  std::optional<Source> open_source() const {
    if (options_.inputs.empty()) {
      require(Collection::exists(options_.out), Fault::argument, "no input was given");
      return std::nullopt;
    }
    if (run_.progress) run_.progress("read", 0, 0);
    return Source(options_.inputs, options_.read, run_.stop);
  }

  /// Whether a file that a finished step left is still there and, so far as its header tells, whole.
  bool whole(std::string_view name) const {
    const fs::path path = collection_.file(name);
    if (!fs::exists(path)) return false;
    if (path.extension() == ".json") return !read_report(path).empty();
    if (path.extension() != ".safetensors") return true;
    try {
      ArchiveReader{path};
      return true;
    } catch (const Error&) {
      return false;
    }
  }

  /// Runs `work` unless it was finished under the same key and its files are there. A step that is done anew
  /// makes all after it due.
  template <class Work>
  void step(std::string_view name, const std::vector<Field>& step_options, Work&& work) {
    key_ = step_key(key_, name, step_options);
    const MapStep* at = std::ranges::find(kSteps, name, &MapStep::name);
    if (collection_.done(name, key_)) {
      if (std::ranges::all_of(at->files, [&](auto file) { return file.empty() || whole(file); })) {
        report_.done_before.emplace_back(name);
        return;
      }
      if (name == "embed") collection_.set_manifest("vectors", "0");
    }
    for (const MapStep* due = at; due != std::end(kSteps); ++due)
      if (name != "layout" || due == at || due->name == "page") forget(*due);
    work();
    for (const std::string_view file : at->files)
      if (!file.empty()) collection_.set_manifest(checksum_key(file), sha256_file(collection_.file(file)));
    collection_.finish_step(name, key_);
  }

  void forget(const MapStep& step) {
    collection_.forget_step(step.name);
    for (const std::string_view file : step.files)
      if (collection_.manifest(checksum_key(file))) collection_.set_manifest(checksum_key(file), "");
  }

  void read() {
    if (const auto made_by = collection_.manifest("model");
        made_by && model_of(*made_by) != model_of(encoder_.space().id)) {
      throw Error(Fault::argument, options_.out.string() + " was made by the model " + *made_by + ", and " +
                                       encoder_.space().id + " was given; choose another " +
                                       option_name("out") + ", or " + option_name("overwrite") +
                                       " to start it anew");
    }
    if (source_) take_in();
    const auto input = collection_.manifest("input");
    require(input && !input->empty(), Fault::argument,
            options_.out.string() + " was interrupted while it read its input; give the input again");
    key_ = *input;
    report_.rows = collection_.rows();
    report_.text_columns = text_columns(collection_);
    check_options();
    collection_.set_manifest("options", options_text(options_));
    worth_keeping_ = true;
  }

  /// Whatever is wrong with the options is said now, not after the work.
  void check_options() const {
    shoal::check_options(options_.pca);
    encoder_.encode(Texts(), options_.encode);
    color_column(collection_, options_.color);
    check_clustering(options_.clusters, report_.rows);
  }

  void take_in() {
    collection_.set_manifest("model", encoder_.space().id);
    collection_.set_manifest("model_name", encoder_.name());
    const std::string print = ingest(*source_, collection_, run_);
    require(collection_.rows() >= 2, Fault::data, "the input has 1 text; a map needs at least 2");
    collection_.set_manifest("input", print);
    report_.read = source_->report();
    collection_.set_manifest("text_columns", nlohmann::json(source_->text_columns()).dump());
  }

  std::vector<Field> embed_options() const {
    auto list = list_fields(options_.encode);
    list.push_back({"model", std::string(model_of(encoder_.space().id))});
    return list;
  }

  void embed() {
    // Vectors made with other options are of no use; a file begun under the model's old name is not gone on
    // with.
    const std::string made_with = key_ + " " + encoder_.space().id;
    if (collection_.manifest("vectors_key") != made_with) {
      collection_.set_manifest("vectors", "0");
      collection_.set_manifest("vectors_key", made_with);
    }
    embed_collection(encoder_, options_.encode, collection_, run_);
  }

  Rows vectors() const { return open_rows(collection_.file("vectors.safetensors")); }
  Rows reduced() const { return open_rows(collection_.file("reduced.safetensors")); }

  void reduce() {
    const Rows x = vectors();
    if (run_.progress) run_.progress("PCA", 0, static_cast<double>(x.rows()));
    const Pca pca = Pca::fit(x, options_.pca, run_);
    worth_keeping_ = pca.explained_variance().front() > 0;
    require(worth_keeping_, Fault::data,
            "all " + std::to_string(x.rows()) + " texts have the same vector: there is nothing to map");
    ArchiveWriter out(Pca::kind);
    pca.save(out);
    out.write(collection_.file("pca.safetensors"));

    const Space space{.id = x.space().id + "+pca", .dims = pca.n_components()};
    const fs::path whole = collection_.file("reduced.safetensors");
    RowsFile file(collection_.part("reduced.safetensors"), pca.n_components(), space, 0, whole);
    constexpr Index kBlock = 16384;  // rows in memory at once
    Matrix scratch;
    for (Index first = 0; first < x.rows(); first += kBlock) {
      const MatrixView block = x.block(first, std::min(kBlock, x.rows() - first), scratch);
      file.append(pca.transform(Rows(block, x.space()), run_));
      if (run_.progress)
        run_.progress("PCA", static_cast<double>(first + block.rows), static_cast<double>(x.rows()));
    }
    file.keep_as(whole);
  }

  void cluster() {
    const Clustering made = find_clusters(reduced(), options_.clusters, options_.seed, run_);
    save_clusterer(made.fitted, collection_.file("clusters.safetensors"));
    write_file(collection_.file("report.json"), report_of(made));
    collection_.set_labels(made.clusters.labels);
  }

  /// As `cluster` writes it, but for what a collection has elsewhere: names and words.
  std::string report_of(const Clustering& made) const {
    const Pca pca = Pca::load(ArchiveReader(collection_.file("pca.safetensors")));
    ClusterReport report{.rows = report_.rows,
                         .dims = encoder_.space().dims,
                         .components = pca.n_components(),
                         .variance = pca.explained_variance_ratio(),
                         .found = made.findings};
    for (const Index size : label_sizes(made.clusters.labels))
      report.clusters.push_back({.id = static_cast<Label>(report.clusters.size()), .size = size});
    return report_text(report_json(
        report,
        {.pca = options_.pca, .clusters = options_.clusters, .classifier = {}, .seed = options_.seed}));
  }

  void explain() {
    name_clusters(collection_, reduced(), saved_method(collection_.file("clusters.safetensors")).metric(),
                  run_);
  }

  UmapOptions layout_options() const {
    UmapOptions with_seed = options_.umap;
    with_seed.seed = options_.seed.child(2);
    return with_seed;
  }

  void lay_out() {
    const Umap umap = Umap::fit(reduced(), layout_options(), run_);
    ArchiveWriter out(Umap::kind);
    umap.save(out);
    out.write(collection_.file("umap.safetensors"));
    collection_.set_points(umap.embedding().view());
  }

  std::string title() const {
    return options_.title.empty() ? name_of_collection(options_.out) : options_.title;
  }

  std::vector<Field> page_options() const { return {{"title", title()}, {"color", options_.color}}; }

  void page() {
    if (run_.progress) run_.progress("page", 0, 1);
    write_map_page(collection_, {.title = title(), .color = options_.color});
    if (run_.progress) run_.progress("page", 1, 1);
  }

  void describe() {
    const Pca pca = Pca::load(ArchiveReader(collection_.file("pca.safetensors")));
    report_.dims = encoder_.space().dims;
    report_.max_tokens = options_.encode.max_tokens.value_or(encoder_.max_tokens());
    report_.truncated_texts = embedded(collection_).cut;
    report_.components = pca.n_components();
    report_.variance = pca.explained_variance_ratio();
    describe_method(load_clusterer(collection_.file("clusters.safetensors")));
    report_.found = read_report(collection_.file("report.json"));
    report_.clusters = collection_.clusters();
    report_.groups = collection_.groups();
    report_.page = options_.out / "map.html";
  }

  void describe_method(const AnyClusterer& fitted) {
    report_.method = options_.clusters.method.kind();
    report_.noise = static_cast<Index>(std::ranges::count(labels_of(fitted).of, kNoise));
    if (const auto* spherical = std::get_if<SphericalKMeans>(&fitted))
      report_.objective = spherical->objective() / static_cast<double>(report_.rows);
    std::visit(
        [&](const auto& method) {
          if constexpr (requires { method.n_iter(); }) report_.n_iter = method.n_iter();
        },
        fitted);
  }

  const MapOptions& options_;
  const Run& run_;
  Encoder encoder_;
  std::optional<Source> source_;
  std::optional<Collection> old_;  // to be replaced
  bool fresh_;                     // the collection is made by this call
  bool worth_keeping_ = false;     // the texts are in it, the options fit them, and they can be mapped
  Collection collection_;
  std::string key_;
  MapReport report_;
};

}  // namespace

MapReport make_map(const MapOptions& given, const Run& run) {
  require(!given.overwrite || !given.inputs.empty(), Fault::argument,
          option_name("overwrite") + " makes " + given.out.string() +
              " anew: give the files of texts that it is made from");
  MapOptions options = given;
  if (!options.out.has_filename()) options.out = options.out.parent_path();  // NAME.shoal/
  mend_replacement(options.out);
  MapRun job(options, run);
  try {
    return job.finish();
  } catch (const Error& e) {
    job.give_up(e.fault);
    throw;
  }
}

}  // namespace shoal
