#include "shoal/flow/mapping/make_map.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>

#include "shoal/core/error.h"
#include "shoal/flow/fingerprint.h"
#include "shoal/flow/folders/report_json_impl.h"
#include "shoal/flow/mapping/clusters_before.h"
#include "shoal/flow/mapping/map_options_impl.h"
#include "shoal/flow/mapping/map_steps_impl.h"
#include "shoal/flow/mapping/replace_impl.h"
#include "shoal/flow/mapping/show.h"
#include "shoal/flow/names/own_names.h"
#include "shoal/flow/neutral/neutral.h"
#include "shoal/flow/preparation.h"
#include "shoal/flow/search/search.h"
#include "shoal/flow/stage_file.h"
#include "shoal/flow/texts/embed.h"
#include "shoal/flow/texts/ingest.h"

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

/// The names that the user gave in a collection that will be replaced, and the input that they are about.
struct OldNames {
  std::string input;
  NamedRows named;
};

OldNames old_names(const MapOptions& options) {
  if (!options.overwrite || !Collection::exists(options.out)) return {};
  try {
    const Collection old = Collection::open(options.out, true);
    return {old.manifest("input").value_or(""), named_rows(old)};
  } catch (const Error&) {
    return {};  // it is damaged, and replaced for that
  }
}

/// Its clusters, if their numbers are to be kept.
std::optional<OldClusters> old_numbers(const MapOptions& options, const Run& run) {
  if (!options.keep_identities || !options.overwrite || !Collection::exists(options.out)) return std::nullopt;
  try {
    return old_clusters(Collection::open(options.out, true), run);
  } catch (const Error& e) {
    if (e.fault == Fault::cancelled) throw;
    return std::nullopt;  // it is damaged, and replaced for that
  }
}

/// One run of `map`: opens what it needs, takes in the rows, runs the steps, and tells of it.
class MapRun {
 public:
  MapRun(const MapOptions& options, const Run& run, const Notice& notice)
      : options_(options),
        run_(run),
        notice_(notice),
        encoder_(Encoder::load(options.model, run, options.models_folder)),
        source_(open_source()),
        old_names_(old_names(options)),
        old_numbers_(old_numbers(options, run)),
        old_(open_old(options)),
        fresh_(old_ || !Collection::exists(options.out)),
        collection_(open_or_create(options, old_)),
        job_{options, run, encoder_, collection_} {}

  /// Takes back what stands in the way of another try: a new collection that replaces an old one, or one in
  /// which nothing is worth keeping.
  void give_up(Fault fault) {
    if (old_ || (fresh_ && !job_.worth_keeping && (fault == Fault::data || fault == Fault::argument)))
      remove_collection(collection_.folder());
  }

  MapReport finish() {
    read();
    if (options_.neutral.empty()) {
      if (collection_.result(kNeutralGroups) || fs::exists(collection_.file(kNeutralFile)))
        forget_found_by_vectors(collection_);
      drop_neutral(collection_);
    }
    if (is_stale(collection_)) collection_.forget_step("page");
    report_.done_before = run_steps(collection_, *collection_.manifest("input"),
                                    map_steps(&job_, !options_.neutral.empty()), run_);
    report_.own_names.kept = job_.names.kept;
    report_.own_names.lost = job_.names.lost;
    report_.laid_out = job_.laid_out;
    if (!options_.names.empty() || is_stale(collection_)) finish_names();
    collection_.settle(words_of_index());  // last: any change after it would leave its trace in the bytes
    describe();
    if (old_) replace(collection_, *std::exchange(old_, std::nullopt));
    return report_;
  }

 private:
  static constexpr const char* kNamesGiven =
      "names_given";  // of a run that is not finished: by what was given

  std::string names_print() const {
    Fingerprint print;
    Texts all;
    for (const OwnName& own : options_.names) all.add(std::to_string(own.cluster) + " " + own.name);
    for (Index i = 0; i < all.size(); ++i) print.add(all, {}, i);
    return print.text();
  }

  /// Numbers mean the clusters that there were when this run, or one like it that was interrupted, began.
  void name_before() {
    if (options_.names.empty()) return;
    const Index clusters = collection_.clusters().size();
    if (clusters == 0 || collection_.manifest(kNamesGiven) == names_print())
      return check_own_names(options_.names, std::nullopt);
    check_own_names(options_.names, clusters);
    begin_change(collection_);
    name_own_clusters(collection_, options_.names);
    collection_.set_manifest(kNamesGiven, names_print());
  }

  void finish_names() {
    if (!options_.names.empty() && collection_.manifest(kNamesGiven) != names_print()) {
      const Index clusters = collection_.clusters().size();
      std::vector<OwnName> fitting;
      for (const OwnName& own : options_.names) {
        if (static_cast<Index>(own.cluster) < clusters)
          fitting.push_back(own);
        else
          report_.own_names.lost.push_back(own.name);
      }
      begin_change(collection_);
      if (!fitting.empty()) name_own_clusters(collection_, fitting);
    }
    redraw_page(collection_, page_title(options_));
    collection_.forget_manifest(kNamesGiven);
  }

  std::optional<Source> open_source() const {
    if (options_.inputs.empty()) {
      require(Collection::exists(options_.out), Fault::argument, "no input was given");
      return std::nullopt;
    }
    if (run_.progress) run_.progress("read", 0, 0);
    return Source(options_.inputs, options_.read, run_.stop);
  }

  void read() {
    if (const auto made_by = collection_.manifest("model");
        made_by && model_of(*made_by) != model_of(encoder_.space().id)) {
      throw Error(Fault::argument, options_.out.string() + " was made by the model " + *made_by + ", and " +
                                       encoder_.space().id + " was given; choose another " +
                                       option_name("out") + ", or " + option_name("overwrite") +
                                       " to start it anew");
    }
    if (!fresh_) collection_.check();  // before the first change: the steps build on what is there
    name_before();
    if (source_) take_in();
    const auto input = collection_.manifest("input");
    require(input && !input->empty(), Fault::argument,
            options_.out.string() + " was interrupted while it read its input; give the input again");
    report_.rows = collection_.rows();
    report_.text_columns = text_columns(collection_);
    check_options();
    collection_.set_manifest("options", options_text(options_));
    compare_languages();
    job_.worth_keeping = true;
  }

  /// Said now, not after hours of embedding.
  void compare_languages() {
    constexpr Index kSample = 1000;
    const Index n = std::min(kSample, report_.rows);
    Texts some;
    for (Index i = 0; i < n; ++i) some.add(collection_.text(i * report_.rows / n));
    report_.languages = model_fit(encoder_, some, run_);
    if (notice_)
      for (const auto& line : poor_fit(report_.languages, encoder_.name())) notice_(line);
  }

  /// Whatever is wrong with the options is said now, not after the work.
  void check_options() const {
    shoal::check_options(options_.pca);
    check_components(options_.pca, "n_components", report_.rows, encoder_.space().dims, "texts");
    shoal::check_options(options_.umap);
    Ctfidf(1, options_.words);
    encoder_.encode(Texts(), options_.encode);
    color_column(collection_, options_.color);
    if (!options_.neutral.empty()) neutral_column(collection_, options_.neutral);
    check_clustering(options_.clusters, report_.rows);
  }

  void take_in() {
    collection_.set_manifest("model", encoder_.space().id);
    collection_.set_manifest("model_name", encoder_.name());
    const std::string print = ingest(*source_, collection_, run_);
    require(collection_.rows() >= 2, Fault::data, "the input has 1 text; a map needs at least 2");
    collection_.set_manifest("input", print);
    if (old_numbers_) {
      report_.own_names.gone = keep_old_clusters(collection_, *old_numbers_, run_);
      old_numbers_.reset();
    } else if (print == old_names_.input) {
      keep_named_rows(collection_, old_names_.named);
    } else {
      for (const ClusterRecord& own : old_names_.named.names) report_.own_names.gone.push_back(own.name);
    }
    report_.read = source_->report();
    collection_.set_manifest("text_columns", nlohmann::json(source_->text_columns()).dump());
  }

  void describe() {
    const Pca pca = load_stage<Pca>(collection_.file("pca.safetensors"));
    report_.dims = encoder_.space().dims;
    report_.max_tokens = options_.encode.max_tokens.value_or(encoder_.max_tokens());
    const Embedded done = embedded(collection_);
    report_.truncated_texts = done.cut;
    report_.unknown_texts = done.unknown;
    report_.first_unknown = done.first_unknown;
    if (done.unknown.value_or(0) > 0) report_.unknown_example = collection_.text(done.first_unknown);
    report_.components = pca.n_components();
    report_.variance = pca.explained_variance_ratio();
    describe_method(load_clusterer(collection_.file("clusters.safetensors")));
    report_.found = read_report(collection_.file("report.json"));
    require(
        !report_.found.empty(), Fault::format,
        collection_.file("report.json").string() +
            " is no report that this version of shoal reads; delete it, and the same command makes it anew");
    report_.clusters = collection_.clusters();
    report_.groups = collection_.groups();
    report_.page = options_.out / "map.html";
    if (run_.progress) run_.progress("languages", 0, 1);
    report_.follows = what_clusters_follow(collection_, run_);
    std::erase_if(report_.follows, [&](const Followed& f) {
      return !options_.neutral.empty() && f.column == neutral_column(collection_, options_.neutral);
    });
    if (!options_.neutral.empty()) report_.left_of_groups = left_of_groups(collection_, run_);
    if (run_.progress) run_.progress("languages", 1, 1);
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
  const Notice& notice_;
  Encoder encoder_;
  std::optional<Source> source_;
  OldNames old_names_;
  std::optional<OldClusters> old_numbers_;
  std::optional<Collection> old_;  // to be replaced
  bool fresh_;                     // the collection is made by this call
  Collection collection_;
  MapJob job_;
  MapReport report_;
};

}  // namespace

MapReport make_map(const MapOptions& given, const Run& run, const Notice& notice) {
  require(!given.overwrite || !given.inputs.empty(), Fault::argument,
          option_name("overwrite") + " makes " + given.out.string() +
              " anew: give the files of texts that it is made from");
  MapOptions options = given;
  if (!options.out.has_filename()) options.out = options.out.parent_path();  // NAME.shoal/
  mend_replacement(options.out);
  MapRun job(options, run, notice);
  try {
    return job.finish();
  } catch (const Error& e) {
    job.give_up(e.fault);
    throw;
  }
}

}  // namespace shoal
