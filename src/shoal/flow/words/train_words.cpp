#include "shoal/flow/words/train_words.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <numeric>
#include <unordered_map>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/encode/encoder.h"
#include "shoal/encode/model_place.h"
#include "shoal/encode/text_attention.h"
#include "shoal/flow/receipt.h"
#include "shoal/flow/words/words_folder_impl.h"
#include "shoal/store/archive/archive.h"
#include "shoal/tokenize/words.h"
#include "shoal/words/attention_file.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kPartKind = "words_part";
constexpr Index kWatched = 500;  // words that alarms look at
constexpr double kLeastRank = 2;

std::string part_of(const fs::path& out) {
  return (out.has_filename() ? out : out.parent_path()).string() + ".part.safetensors";
}

bool is_part(const fs::path& path) {
  try {
    const ArchiveReader in(path);
    const auto kind = in.metadata().find("kind");
    return kind != in.metadata().end() && kind->second == kPartKind;
  } catch (const Error& e) {
    if (e.fault == Fault::file) throw;
    return false;
  }
}

std::vector<Field> fields_of(const TrainWordsOptions& o) {
  std::vector<Field> out = list_fields(o);
  for (const auto& more : {list_fields(o.contexts), list_fields(o.move), list_fields(o.closed_form)})
    out.insert(out.end(), more.begin(), more.end());
  for (const std::string& word : o.watch) out.push_back({"watch", word});
  return out;
}

/// Health of kWatched words, evenly over the vocabulary.
Health look(const Matrix& vectors) {
  const Index n = std::min(kWatched, vectors.rows());
  Matrix some(n, vectors.cols());
  for (Index i = 0; i < n; ++i) std::ranges::copy(vectors[i * vectors.rows() / n], some[i].begin());
  return n < 2 ? Health() : health_of(some.view());
}

Json to_json(const Health& health) {
  return {{"mean_cosine", health.mean_cosine},
          {"uniformity", health.uniformity},
          {"effective_rank", health.effective_rank}};
}
Health read_health(const Json& json) {
  return {json.at("mean_cosine"), json.at("uniformity"), json.at("effective_rank")};
}

void save_health(ArchiveWriter& out, const std::vector<Health>& all) {
  std::vector<double> numbers;
  for (const Health& h : all) numbers.insert(numbers.end(), {h.mean_cosine, h.uniformity, h.effective_rank});
  out.add("health", std::span<const double>(numbers));
}
std::vector<Health> load_health(const ArchiveReader& in, Index epochs) {
  const std::vector<double> numbers = in.doubles("health", 3 * epochs);
  std::vector<Health> out;
  for (Index e = 0; e < epochs; ++e) out.push_back({numbers[3 * e], numbers[3 * e + 1], numbers[3 * e + 2]});
  return out;
}

Json to_json(const ChannelChoice& choice) {
  const auto list = [](const std::vector<ChannelChosen>& all) {
    Json out = Json::array();
    for (const auto& [channel, score] : all)
      out.push_back({{"channel", heads_text({&channel, 1})}, {"score", score}});
    return out;
  };
  return {{"uniform", choice.uniform}, {"chosen", list(choice.chosen)}, {"alone", list(choice.alone)}};
}

Json to_json(const MovedEpoch& e, const Health& after) {
  Json out{{"epoch", e.epoch},
           {"loss", e.loss},
           {"closeness", e.closeness},
           {"gate", e.gate},
           {"updates", e.updates}};
  out.update(to_json(after));
  return out;
}

/// The report as the folder keeps it.
Json mark_of(const TrainWordsReport& r, const AttentionRows& rows, const TrainWordsOptions& o) {
  Json out{{"format", "shoal words"},
           {"encoder", rows.space},
           {"store_sha256", sha256_file(o.store)},
           {"words", r.words},
           {"dims", r.dims},
           {"descriptions", r.descriptions},
           {"targets", r.targets},
           {"contexts", r.contexts},
           {"without", r.without},
           {"first_without", r.first_without},
           {"forms", r.forms},
           {"heads", r.heads},
           {"layers", r.layers}};
  if (!o.closed_form_store.empty()) {
    out["closed_form_store_sha256"] = sha256_file(o.closed_form_store);
    out["closed_form_descriptions"] = r.closed_form_descriptions;
  }
  Json options = Json::object();
  for (const Field& field : fields_of(o)) options[field.name] = text_of(field.value);
  out["options"] = options;
  if (r.choice) out["choice"] = {{"heads", to_json(r.choice->heads)}, {"layers", to_json(r.choice->layers)}};
  if (o.space != WordSpaces::closed_form) {
    out["start"] = to_json(r.start);
    out["end"] = to_json(r.end);
    out["epochs"] = Json::array();
    for (Index e = 0; e < r.epochs.size(); ++e) out["epochs"].push_back(to_json(r.epochs[e], r.health[e]));
    if (!r.harm.empty()) out["epochs"].back()["taken_back"] = true;
    out["course"] = {{"words", r.course}, {"watch_missing", r.watch_missing}};
  }
  out["harm"] = r.harm;
  return out;
}

TrainWordsReport read_report(const fs::path& out, const Run& run) {
  const auto mark = Json::parse(read_file(out / kWordsMarkFile, std::size_t{1} << 26));
  TrainWordsReport report;
  report.out = out;
  report.done_before = true;
  report.words = mark.at("words"), report.dims = mark.at("dims");
  report.descriptions = mark.at("descriptions"), report.targets = mark.at("targets");
  report.contexts = mark.at("contexts"), report.without = mark.at("without");
  report.first_without = mark.at("first_without"), report.forms = mark.value("forms", Index{0});
  report.heads = mark.at("heads");
  report.layers = mark.at("layers"), report.harm = mark.at("harm");
  report.closed_form_descriptions = mark.value("closed_form_descriptions", Index{0});
  if (mark.contains("start")) {
    report.start = read_health(mark.at("start")), report.end = read_health(mark.at("end"));
    for (const Json& e : mark.at("epochs")) {
      report.epochs.push_back(
          {e.at("epoch"), e.at("loss"), e.at("closeness"), e.at("gate"), e.at("updates")});
      report.health.push_back(read_health(e));
    }
    report.course = mark.at("course").at("words");
    report.watch_missing = mark.at("course").at("watch_missing");
  }
  report.id = Encoder::load(out, run.quiet()).space().id;
  return report;
}

/// What a checkpoint holds besides the mover.
struct Kept {
  WordCourse course;
  std::vector<Health> health;
};

/// Goes on from the checkpoint, if it is of this key; false if it cannot be used, and the mover neither.
bool resume(WordMover& mover, Kept& kept, const fs::path& part, const std::string& key,
            TrainWordsReport& report) {
  if (!fs::exists(part)) return true;
  try {
    const ArchiveReader in(part);
    check_kind(in, kPartKind);
    if (in.meta("key") == key) {
      WordCourse course = WordCourse::load(in.part("course"));
      const bool same = course.ids == kept.course.ids && course.watched == kept.course.watched &&
                        (course.frames.empty() || course.frames[0].cols() == mover.vectors().cols());
      require(same, Fault::format, part.string() + ": the course is of other words");
      std::vector<Health> health = load_health(in, in.tensor("health").count() / 3);
      mover.load(in);
      require(health.size() == mover.epoch(), Fault::format, part.string() + ": an epoch has no health");
      kept = {std::move(course), std::move(health)};
      return true;
    }
  } catch (const Error& e) {
    if (e.fault == Fault::file) throw;
  }
  report.notes.push_back(part.string() +
                         " was kept of other options or another store, or is damaged; it is not used");
  return false;
}

void keep_checkpoint(const WordMover& mover, const Kept& kept, const std::string& key, const fs::path& part) {
  ArchiveWriter out(kPartKind), course(kWordCourse);
  out.meta("key", key);
  mover.save(out);
  save_health(out, kept.health);
  kept.course.save(course);
  out.add_part("course", course);
  out.write(part);
}

/// Moves the words to the end, with a checkpoint after each epoch. course: begun.
Matrix move_words(const AttentionRows& rows, const WordContexts& contexts, const TrainWordsOptions& o,
                  const std::string& key, WordCourse& course, TrainWordsReport& report, const Run& run,
                  const TrainWordsNotices& notices) {
  const auto begin = [&] { return WordMover(contexts, rows.words, rows.frequency, o.move, run); };
  WordMover mover = begin();
  report.start = report.end = look(mover.vectors());
  Matrix start = mover.vectors();
  Kept kept{std::move(course), {}};
  kept.course.add(0, start);
  if (!resume(mover, kept, part_of(o.out), key, report)) mover = begin();
  report.resumed_from = mover.epoch();
  if (report.resumed_from > 0 && notices.resumed) notices.resumed(report.resumed_from);
  Matrix good = mover.vectors();
  if (report.resumed_from > 0) report.end = look(good);
  while (!mover.done()) {
    const MovedEpoch epoch = mover.step(run);
    const Health now = look(mover.vectors());
    kept.health.push_back(now);
    if (notices.epoch) notices.epoch(epoch, now);
    // Words that begin as far apart as they can lose rank as they find their places: only 2 are too few.
    Health reference = report.start;
    reference.effective_rank = std::min(reference.effective_rank, 4 * kLeastRank);
    if (o.move.alarms) report.harm = harm_of(reference, now, "words");
    if (!report.harm.empty()) break;
    report.end = now;
    good = mover.vectors();
    if (epoch.epoch % o.course_every == 0) kept.course.add(epoch.epoch, good);
    keep_checkpoint(mover, kept, key, part_of(o.out));
  }
  report.epochs = mover.history();
  report.health = std::move(kept.health);
  course = std::move(kept.course);
  course.add(report.epochs.size() - (report.harm.empty() ? 0 : 1), good);
  course.start = std::move(start);
  course.end = good;
  return good;
}

/// Words that stand in a description with another one; of others nothing is known.
std::vector<std::uint8_t> known_words(const WordContexts& contexts) {
  std::vector<std::uint8_t> known(contexts.words);
  for (const std::uint32_t word : contexts.target) known[word] = 1;
  for (const std::uint32_t word : contexts.context) known[word] = 1;
  return known;
}

/// The words of the course, and in the report what of `watch` has no vector.
WordCourse choose_course(const Texts& words, const std::vector<std::uint8_t>& known,
                         const TrainWordsOptions& o, TrainWordsReport& report) {
  std::unordered_map<std::string, std::uint32_t> places;
  if (!o.watch.empty())
    for (Index i = 0; i < words.size(); ++i)
      if (known[i] != 0) places.emplace(words[i], static_cast<std::uint32_t>(i));
  std::vector<std::uint32_t> watched;
  for (const std::string& word : o.watch) {
    const auto at = places.find(lower_form(word));
    if (at != places.end())
      watched.push_back(at->second);
    else if (report.watch_missing++ == 0)
      report.first_watch_missing = word;
  }
  WordCourse out = begin_course(known, o.course_words, std::move(watched));
  report.course = out.ids.size();
  return out;
}

void choose(const AttentionRows& rows, ContextOptions& contexts, Seed seed, TrainWordsReport& report,
            const Run& run) {
  const bool heads = contexts.heads == "auto";
  const bool layers = contexts.layers == "auto" && contexts.targets == TargetWords::all;
  if (contexts.weights != ContextWeights::attention || (!heads && !layers)) return;
  report.choice = choose_heads(rows, {.seed = seed}, run);
  const auto channels = [](const ChannelChoice& choice) {
    std::vector<LayerHead> out;
    for (const ChannelChosen& one : choice.chosen) out.push_back(one.channel);
    return out;
  };
  if (heads) contexts.heads = heads_text(channels(report.choice->heads));
  if (!layers) return;
  if (report.choice->layers.chosen.empty())
    throw Error(Fault::argument,
                option_name("layers") +
                    " is auto, and the store has no attention of all words that could be "
                    "tried",
                option_name("targets") + " head does without it");
  contexts.layers = heads_text(channels(report.choice->layers));
}

/// Rows times a / (a + p): p is a word's share of the words of all descriptions.
void weigh(Matrix& vectors, const std::vector<std::uint64_t>& frequency, double a) {
  const double all = std::accumulate(frequency.begin(), frequency.end(), 0.0);
  for (Index i = 0; i < vectors.rows(); ++i) {
    const auto weight = static_cast<float>(a / (a + static_cast<double>(frequency[i]) / all));
    for (float& x : vectors[i]) x *= weight;
  }
}

/// The words' contexts in the other store.
WordContexts closed_form_contexts(const AttentionRows& rows, const ContextOptions& of,
                                  const TrainWordsOptions& o, TrainWordsReport& report, const Run& run) {
  const AttentionRows other = open_attention_rows(o.closed_form_store);
  require(other.space == rows.space, Fault::argument,
          o.closed_form_store.string() + " has the attention of " + other.space + ", " + o.store.string() +
              " that of " + rows.space + "; both must be of one model");
  report.closed_form_descriptions = other.descriptions();
  return in_vocabulary(contexts_of(other, of, run.quiet()), other.words, rows.words);
}

}  // namespace

TrainWordsReport train_words(const TrainWordsOptions& o, const Run& run, const TrainWordsNotices& notices) {
  check_options(o);
  check_options(o.contexts);
  check_options(o.move);
  check_options(o.closed_form);
  const AttentionRows rows = open_attention_rows(o.store);
  std::vector<fs::path> inputs{o.store};
  if (!o.closed_form_store.empty()) inputs.push_back(o.closed_form_store);
  const std::string key = result_key("words train", fields_of(o), inputs, run);
  const fs::path part = part_of(o.out);
  const auto forget = [&] {
    std::error_code ignored;
    if (fs::exists(part, ignored) && is_part(part)) fs::remove(part, ignored);
  };
  if (!o.overwrite && fs::exists(o.out / kWordsMarkFile) && has_receipt(o.out, kWordsMarkFile, key)) {
    NewFolder::clean_up(o.out, kWordsMark, kWordsFiles);
    forget();
    return read_report(o.out, run);
  }
  if (fs::exists(fs::symlink_status(part)) && !is_part(part))
    throw Error(Fault::argument,
                part.string() + " was not made by this command, which keeps its work under that name",
                "choose another " + option_name("out") + ", or move the file away");
  NewFolder folder(o.out, kWordsMark, o.overwrite, kWordsFiles);
  for (const fs::path& input : inputs) folder.keep_off(input);

  TrainWordsReport report;
  report.out = o.out;
  report.words = rows.words.size(), report.descriptions = rows.descriptions();
  ContextOptions of = o.contexts;
  choose(rows, of, o.move.seed, report, run);
  const WordContexts contexts = contexts_of(rows, of, run.quiet());
  if (of.weights == ContextWeights::attention) {
    report.heads = of.heads;
    if (of.targets == TargetWords::all) report.layers = of.layers;
  }
  report.targets = contexts.size(), report.contexts = contexts.context.size();
  const std::vector<std::uint8_t> known = known_words(contexts);
  Matrix closed, vectors;
  if (o.space != WordSpaces::moved) {
    const auto form = [&](const WordContexts& of_words) {
      return closed_form(of_words, o.closed_form, o.move.seed.child(9), run);
    };
    closed =
        o.closed_form_store.empty() ? form(contexts) : form(closed_form_contexts(rows, of, o, report, run));
  }
  if (o.space != WordSpaces::closed_form) {
    WordCourse course = choose_course(rows.words, known, o, report);
    const Matrix moved = move_words(rows, contexts, o, key, course, report, run, notices);
    if (!course.empty()) {
      ArchiveWriter out(kWordCourse);
      course.save(out);
      out.write(folder / kCourseFile);
    }
    vectors = read_out(moved, contexts, o.read_out, run);
  }
  if (o.space == WordSpaces::closed_form)
    vectors = std::move(closed);
  else if (o.space == WordSpaces::both)
    vectors = beside(vectors, closed);
  // A word that no description speaks of lies where it began.
  for (Index i = 0; i < known.size(); ++i) {
    if (known[i]) continue;
    std::ranges::fill(vectors[i], 0.0f);
    if (report.without++ == 0) report.first_without = rows.words[i];
  }
  report.dims = vectors.cols();
  if (rows.old_version)
    report.notes.push_back(o.store.string() +
                           " is of an earlier version, which kept no other forms of words: "
                           "make it anew, and the model knows \"cards\" as \"card\"");
  if (o.word2vec) write_word2vec(folder / kWord2vecFile, rows.words, vectors);
  StaticOrigin origin{rows.space.substr(0, rows.space.find('@')), {}, {}};
  if (o.text_weights == TextWeights::sif) {
    weigh(vectors, rows.frequency, o.sif);
    origin.sif = o.sif;
  }
  if (o.forms != FormRows::none) report.forms = rows.forms.size();
  write_words_model(folder, {rows.words, vectors, rows.forms, rows.form_words}, o.forms, origin);
  write_file(folder / kWordsMarkFile, mark_of(report, rows, o).dump(1) + "\n");
  report.id = Encoder::load(folder / "", run.quiet()).space().id;
  report.id = model_name(o.out) + report.id.substr(report.id.find('@'));
  add_receipt(folder / "", kWordsMarkFile, key);
  folder.keep();
  forget();
  return report;
}

}  // namespace shoal
