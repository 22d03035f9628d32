#include "shoal/flow/adapt/make_profile.h"

#include <map>
#include <optional>

#include "shoal/core/error.h"
#include "shoal/flow/adapt/feedback_file.h"
#include "shoal/flow/stage_file.h"
#include "shoal/flow/texts/models.h"
#include "shoal/map/svg.h"
#include "shoal/store/collection/collection.h"

namespace shoal {
namespace fs = std::filesystem;
namespace {

/// The model whose vectors are searched: the one that is named, else the collection's.
std::string model_for(const MakeProfileOptions& options) {
  if (!options.read.model.empty()) return options.read.model;
  if (Collection::exists(options.input))
    if (const auto made_by = Collection::open(options.input, true).manifest("model"))
      return made_by->substr(0, made_by->find('@'));
  return kDefaultModel;
}

}  // namespace

MakeProfileReport make_profile(const MakeProfileOptions& options, const Run& run, const Notice& notice) {
  require(options.overwrite || !fs::exists(options.out), Fault::argument,
          options.out.string() + " exists; " + option_name("overwrite") + " replaces it");
  require(options.out.extension() == ".safetensors", Fault::argument,
          option_name("out") + " is " + options.out.string() + "; a profile ends in .safetensors");
  check_options(options.how);
  MakeProfileReport report;
  TextsAndVectorsOptions read = options.read;
  read.model = model_for(options);
  const TextsAndVectors corpus = read_texts_and_vectors(options.input, {}, read, run, notice);
  const EmbedTexts embed = [&](const Texts& texts) {
    const bool neutral = Collection::exists(options.input) &&
                         fs::exists(Collection::open(options.input, true).file(kNeutralFile));
    require(!neutral, Fault::unsupported,
            "the map is neutral to groups, and texts of feedback do not say theirs; give their row numbers");
    const Encoder encoder = load_model(read.model, read.models_folder, run);
    const Space& made = corpus.vectors.space();
    require(made.id.empty() || model_of(made.id) == model_of(encoder.space().id), Fault::argument,
            "the vectors that are searched are of the model " + made.id + ", and " + encoder.space().id +
                " would embed the texts of the feedback");
    report.assumed_space = made.id.empty();
    return encoder.encode(texts, read.encode, run);
  };
  const FeedbackTable table =
      read_feedback(options.feedback, corpus.vectors, options.how.seed.child(70), embed, run);
  const CorpusClusters clusters = CorpusClusters::of(corpus.vectors, options.how, run);
  const bool folders = !table.names.empty();
  const Profile profile =
      folders
          ? personalise(clusters, corpus.vectors, table.texts, table.folders, options.how, report.guard, run)
          : personalise(clusters, corpus.vectors, table.texts, table.pairs, options.how, report.guard, run);
  if (!options.plot.empty() && !folders)
    report.curve = learning_curve(clusters, table.texts, table.pairs, options.how, run);
  if (!report.curve.empty()) write_file(options.plot, curve_svg(report.curve));
  report.shape = table.shape;
  report.corpus = corpus.vectors.rows();
  report.table_rows = table.rows;
  report.drawn = table.drawn;
  report.moved = table.moved;
  report.folders = table.names.size();
  report.top = profile.top();
  save_stage(profile, options.out);
  report.bytes = fs::file_size(options.out);
  return report;
}

std::string curve_svg(const std::vector<CurvePoint>& curve) {
  std::vector<PlotCurve> panels;
  std::map<std::string, Index> place;
  for (const CurvePoint& point : curve) {
    const auto [at, added] = place.try_emplace(point.way, panels.size());
    if (added) {
      panels.push_back({.name = point.way + ", seen clusters: gain against the cosine alone",
                        .x = {},
                        .y = {},
                        .marked = {}});
      panels.push_back({.name = point.way + ", unseen clusters", .x = {}, .y = {}, .marked = {}});
    }
    for (const Index side : {Index{0}, Index{1}}) {
      PlotCurve& to = panels[at->second + side];
      to.x.push_back(static_cast<double>(point.pairs));
      to.y.push_back(side == 0 ? point.seen - point.seen_before : point.unseen - point.unseen_before);
    }
  }
  return curves_svg(
      {"What more feedback brings", "judgements learnt from", "gain of the area under the curve"}, panels);
}

std::vector<Profile> load_profiles(const std::vector<fs::path>& files) {
  std::vector<Profile> out;
  for (const auto& file : files) out.push_back(load_stage<Profile>(file));
  return out;
}

}  // namespace shoal
