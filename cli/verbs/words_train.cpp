#include <filesystem>

#include "shoal/core/error.h"
#include "shoal/core/rounded.h"
#include "shoal/encode/text_attention.h"
#include "shoal/flow/words/read_descriptions.h"
#include "shoal/flow/words/train_words.h"
#include "verbs/verbs.h"
#include "verbs/words.h"

namespace shoal::cli {
namespace {

std::string number(double x) { return rounded(x, "%.3f"); }

std::string in_words(const Health& health) {
  return "mean cosine " + number(health.mean_cosine) + ", uniformity " + number(health.uniformity) +
         ", effective rank " + rounded(health.effective_rank, "%.0f");
}

std::string in_words(const ChannelChoice& choice) {
  std::string out;
  for (const ChannelChosen& one : choice.chosen)
    out += (out.empty() ? "" : ", ") + heads_text({&one.channel, 1}) + " (" + number(one.score) + ")";
  return out + "; all alike " + number(choice.uniform);
}

std::string in_words(const TrainWordsReport& r, const Progress& progress) {
  if (r.done_before) return done_before(r.out);
  std::string out = with_commas(r.words) + " words of " + std::to_string(r.dims) + " numbers, from " +
                    with_commas(r.descriptions) + " descriptions: " + with_commas(r.targets) + " targets, " +
                    with_commas(r.contexts) + " contexts\n";
  if (r.forms > 0) out += counted(r.forms, "other form") + " of them known in texts\n";
  if (r.closed_form_descriptions > 0)
    out += "closed form: of " + counted(r.closed_form_descriptions, "description") + " of another store\n";
  if (r.choice) {
    out += "heads by what they predict: " + in_words(r.choice->heads) + "\n";
    if (!r.choice->layers.chosen.empty()) out += "layers: " + in_words(r.choice->layers) + "\n";
  } else if (!r.heads.empty()) {
    out += "heads " + r.heads + (r.layers.empty() ? "" : "; layers " + r.layers) + "\n";
  }
  if (!r.epochs.empty()) {
    out += "start: " + in_words(r.start) + "\n";
    out += "end: " + in_words(r.end) + "; loss " + number(r.epochs.front().loss) + " -> " +
           number(r.epochs.back().loss) + " in " + counted(r.epochs.size(), "epoch") + "\n";
  }
  return out + time_line(progress) + "\nwrote " + r.out.string() + "; shoal words neighbours " +
         r.out.string() + " WORD\n" +
         (r.course > 0 ? "kept the way of " + counted(r.course, "word") + "; shoal words show " +
                             r.out.string() + " --out moves.html\n"
                       : "");
}

void run_train(TrainWordsOptions& o, CLI::App& verb, Session& session) {
  require(!o.out.empty(), Fault::argument, "--out is empty; it names the folder to make");
  const auto needs = [&](const char* flag, bool fits, const char* what) {
    require(verb.count(flag) == 0 || fits, Fault::argument, flag + std::string(" is of ") + what);
  };
  needs("--sif", o.text_weights == TextWeights::sif, "--text-weights sif");
  const bool attention = o.contexts.weights == ContextWeights::attention;
  for (const char* flag : {"--heads", "--layers", "--floor", "--most"})
    needs(flag, attention, "--weights attention");
  for (const char* flag : {"--layers", "--others"})
    needs(flag, o.contexts.targets == TargetWords::all, "--targets all");
  const bool moved = o.space != WordSpaces::closed_form;
  for (const char* flag : {"--dims",       "--start",      "--epochs",       "--learning-rate", "--last-rate",
                           "--loss",       "--negatives",  "--margin",       "--temperature",   "--gate",
                           "--gate-share", "--gate-width", "--gate-rate",    "--gate-contexts", "--moves",
                           "--block",      "--read-out",   "--course-words", "--course-every",  "--watch"})
    needs(flag, moved, "--space both and moved");
  for (const char* flag : {"--svd-dims", "--shift", "--svd-power", "--closed-form-store"})
    needs(flag, o.space != WordSpaces::moved, "--space both and closed_form");
  needs("--margin", o.move.loss == WordLoss::hinge, "--loss hinge");
  needs("--temperature", o.move.loss == WordLoss::infonce, "--loss infonce");
  needs("--gate-share", o.move.gate == WordGate::fixed, "--gate fixed");
  for (const char* flag : {"--gate-width", "--gate-rate"})
    needs(flag, o.move.gate == WordGate::mlp, "--gate mlp");
  needs("--gate-contexts", o.move.gate != WordGate::none, "--gate fixed and mlp");

  TrainWordsNotices notices;
  notices.resumed = [&](Index epoch) { session.remark("it goes on after epoch " + std::to_string(epoch)); };
  const TrainWordsReport report = train_words(o, session.run(), notices);
  session.progress().finish();
  for (const std::string& note : report.notes) session.remark("note: " + note);
  if (!report.harm.empty())
    session.remark("warning: stopped after epoch " + std::to_string(report.epochs.size() - 1) + ": " +
                   report.harm +
                   ". The words are as they were then; more --negatives or a lower "
                   "--learning-rate help");
  if (report.without > 0)
    session.remark("note: " + counted(report.without, "word") + (report.without == 1 ? " stands" : " stand") +
                   " in no description with another word and got no vector, as \"" +
                   one_line(report.first_without, 40) + "\"");
  if (report.watch_missing > 0)
    session.remark("note: " + counted(report.watch_missing, "word") + " of --watch " +
                   (report.watch_missing == 1 ? "has" : "have") +
                   " no vector, the first: " + one_line(report.first_watch_missing, 40));
  auto json = made_json(report.out, "words.json", session);
  json["done_before"] = report.done_before;
  json["id"] = report.id;
  json["resumed_from"] = report.resumed_from;
  json["seconds"] = to_json(session.progress());
  session.answer(json, in_words(report, session.progress()));
}

}  // namespace

void add_words_train(CLI::App& words, Session& session) {
  auto options = std::make_shared<TrainWordsOptions>();
  auto watch = std::make_shared<std::string>();
  TrainWordsOptions& o = *options;
  auto* verb = words.add_subcommand("train", "From attention to vectors of words");
  verb->footer(
      "STORE is a file of 'shoal words prepare'. Words begin as far apart as they can be on a sphere, and "
      "each\n"
      "is moved towards the words that it attends to in its descriptions, and away from others. Beside that\n"
      "stands a closed form: singular vectors of the same attention, counted. OUT holds both spaces beside\n"
      "each other, and is a static model for --model of every verb, for Model2Vec and for\n"
      "sentence-transformers. Which heads of the encoder count is found without labels: by how well they\n"
      "predict words of descriptions that were held out.\n\n"
      "Stopped, the same command goes on after the last whole epoch. A collapse of the space ends it.\n\n"
      "Examples:\n"
      "  shoal words train wordnet.safetensors --out words.shoal-model\n"
      "  shoal words train wordnet.safetensors --targets head --loss infonce --negatives 20 --gate fixed "
      "--out gated\n"
      "  shoal words train wordnet.safetensors --space closed_form --weights counts --out counts");
  verb->add_option_function<std::string>(
          "store", [&o](const std::string& path) { o.store = path; }, "What 'shoal words prepare' made")
      ->required()
      ->type_name("STORE");
  verb->add_option_function<std::string>(
          "--out", [&o](const std::string& path) { o.out = path; }, "The folder to make")
      ->required()
      ->type_name("DIR");
  verb->add_flag("--overwrite", o.overwrite, "Replace a folder that this command has made");
  verb->add_option("--watch", *watch, "More words whose way is kept: a line each, or a table's column word")
      ->type_name("FILE");
  add_options(*verb, session, option_refs(o));
  add_options(*verb, session, option_refs(o.contexts), {}, "Contexts");
  add_options(*verb, session, option_refs(o.move), {}, "Moving words");
  add_options(*verb, session, option_refs(o.closed_form), {}, "Closed form");
  verb->add_option_function<std::string>(
          "--closed-form-store",
          [&o](const std::string& path) {
            require(!path.empty(), Fault::argument, "--closed-form-store is empty; it names a file");
            o.closed_form_store = path;
          },
          "Another file of 'shoal words prepare', of the same model: its descriptions make the closed form "
          "of "
          "the words of STORE. More descriptions help it more than they help words that move")
      ->type_name("STORE")
      ->group("Closed form");
  add_shared(*verb, session);
  verb->callback([options, watch, verb, &session] {
    if (!watch->empty()) options->watch = read_word_list(*watch);
    session.goes_on = [out = options->out] {
      return std::filesystem::exists((out.has_filename() ? out : out.parent_path()).string() +
                                     ".part.safetensors");
    };
    run_train(*options, *verb, session);
  });
}

}  // namespace shoal::cli
