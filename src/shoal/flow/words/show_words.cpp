#include "shoal/flow/words/show_words.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "shoal/core/error.h"
#include "shoal/core/with_commas.h"
#include "shoal/encode/model_place.h"
#include "shoal/flow/fingerprint.h"
#include "shoal/flow/receipt.h"
#include "shoal/flow/words/words_folder_impl.h"
#include "shoal/flow/words/words_record_impl.h"
#include "shoal/map/words_page.h"
#include "shoal/near/exact.h"
#include "shoal/reduce/pca.h"
#include "shoal/reduce/umap/umap.h"
#include "shoal/store/files/new_file.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

std::vector<Matrix> plane_of_all(const std::vector<Matrix>& frames, const Run& run) {
  const Pca pca = Pca::fit(Rows(frames.back()), {.n_components = 2}, run);
  std::vector<Matrix> out;
  for (const Matrix& frame : frames) out.push_back(pca.transform(Rows(frame), run));
  return out;
}

std::vector<Matrix> tied_maps(const std::vector<Matrix>& frames, Seed seed, const Run& run) {
  std::vector<Rows> tables;
  for (const Matrix& frame : frames) tables.emplace_back(frame);
  RelatedRows same;
  for (Index i = 0; i < frames[0].rows(); ++i) same.emplace_back(i, i);
  AlignedUmapOptions options;
  options.umap.seed = seed;
  std::vector<Umap> maps =
      Umap::fit_aligned(tables, std::vector<RelatedRows>(frames.size() - 1, same), options, run);
  std::vector<Matrix> out;
  for (Umap& map : maps) out.push_back(std::move(map).embedding());
  return out;
}

/// Loss, uniformity and mean cosine as words.json has them, without an epoch that was taken back.
std::vector<WordsCurve> curves_of(const Json& mark) {
  WordsCurve loss{"loss", "of each epoch: what training makes small", {}, {}};
  WordsCurve uniformity{"uniformity", "of 500 words: about -4 far apart, 0 collapsed", {}, {}};
  WordsCurve cosine{"mean cosine", "of pairs of 500 words: 1 is a collapse", {}, {}};
  const auto add = [](WordsCurve& curve, Index epoch, double value) {
    curve.epochs.push_back(epoch);
    curve.values.push_back(value);
  };
  const auto add_health = [&](Index epoch, const Json& of) {
    add(uniformity, epoch, of.at("uniformity"));
    add(cosine, epoch, of.at("mean_cosine"));
  };
  add_health(0, mark.at("start"));
  for (const Json& epoch : mark.at("epochs")) {
    if (epoch.contains("taken_back")) continue;
    add(loss, epoch.at("epoch"), epoch.at("loss"));
    add_health(epoch.at("epoch"), epoch);
  }
  return {std::move(loss), std::move(uniformity), std::move(cosine)};
}

WordsPageData data_of(const WordsRecord& space, const WordCourse& course, const ShowWordsOptions& o,
                      const Run& run) {
  WordsPageData data;
  data.title = o.title.empty() ? model_name(o.space) : o.title;
  data.subtitle = with_commas(course.ids.size()) + " of " + with_commas(space.words.size()) + " words, in " +
                  with_commas(course.frames[0].cols()) + " dimensions";
  data.made_by = "shoal " + std::string(shoal_version());
  const std::string harm = space.mark.at("harm");
  if (!harm.empty())
    data.notes.push_back("Training was stopped, and epoch " + std::to_string(space.mark.at("epochs").size()) +
                         " taken back: " + harm + ".");
  data.layout = o.layout == WordsLayout::umap
                    ? "A UMAP of each time, all laid out together, each word tied to itself before and after."
                    : "One plane for all times: the first two principal components of the end.";
  for (const std::uint32_t id : course.ids) data.words.add(space.words[id]);
  data.epochs = course.epochs;
  for (const std::uint32_t id : course.watched)
    data.chosen.push_back(
        static_cast<std::uint32_t>(std::ranges::lower_bound(course.ids, id) - course.ids.begin()));
  const Index k = std::min(o.neighbours, course.ids.size() - 1);
  for (const Matrix& frame : course.frames)
    data.near.push_back(nearest_neighbours(Rows(frame), k, Metric::cosine, run));
  data.points = o.layout == WordsLayout::umap ? tied_maps(course.frames, o.seed, run)
                                              : plane_of_all(course.frames, run);
  data.curves = curves_of(space.mark);
  return data;
}

}  // namespace

ShowWordsReport show_words(const ShowWordsOptions& o, const Run& run) {
  check_options(o);
  const WordsRecord space = open_words_record(o.space);
  const std::string key =
      result_key("words show", list_fields(o),
                 {o.space / kCourseFile, o.space / kWordsMarkFile, o.space / kWordsFile}, run);
  const auto inside = fs::weakly_canonical(o.out).lexically_relative(fs::weakly_canonical(o.space));
  require(inside.empty() || *inside.begin() == "..", Fault::argument,
          option_name("out") + " lies in " + o.space.string() + ", which holds what was trained and no more");
  ShowWordsReport report;
  if (fs::exists(o.out) && !o.overwrite) {
    auto facts = read_receipt(o.out, key);
    require(facts.has_value(), Fault::argument,
            o.out.string() + " exists; " + option_name("overwrite") + " replaces it");
    NewFile::clean_up(o.out);
    return {true, (*facts)["words"], (*facts)["frames"], fs::file_size(o.out)};
  }
  NewFile file(o.out);
  const WordCourse course = open_course(o.space / kCourseFile);
  require(course.ids.size() >= 3, Fault::argument,
          o.space.string() + " keeps the course of " + std::to_string(course.ids.size()) +
              " words; a map needs at least 3");
  check_course(course, space);
  const std::string page = words_page(data_of(space, course, o, run));
  report.words = course.ids.size(), report.frames = course.frames.size(), report.bytes = page.size();
  file.write(page);
  write_receipt(o.out, file.part(), key, {{"words", report.words}, {"frames", report.frames}});
  file.keep();
  return report;
}

}  // namespace shoal
