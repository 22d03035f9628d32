#include <algorithm>

#include "shoal/core/error.h"
#include "shoal/core/rounded.h"
#include "shoal/flow/words/explain_word.h"
#include "shoal/flow/words/show_words.h"
#include "verbs/verbs.h"
#include "verbs/words.h"

namespace shoal::cli {
namespace {

using Json = nlohmann::ordered_json;

struct ShowFlags {
  ShowWordsOptions options;
  ExplainWordOptions why;
  std::string space, out, attention;
  Index top = 10;
};

Json to_json(const std::vector<WordNeighbour>& near) {
  Json out = Json::array();
  for (const WordNeighbour& one : near) out.push_back({{"word", one.word}, {"cosine", one.cosine}});
  return out;
}

Json to_json(const std::vector<WordPull>& pulls) {
  Json out = Json::array();
  for (const WordPull& one : pulls)
    out.push_back({{"word", one.word},
                   {"weight", one.weight},
                   {"descriptions", one.descriptions},
                   {"cosine_before", one.before},
                   {"cosine_after", one.after}});
  return out;
}

Json to_json(const WordReasons& r) {
  Json out{{"word", r.word},
           {"heads", r.heads},
           {"layers", r.layers},
           {"turned_degrees", r.turned},
           {"near_before", to_json(r.near_before)},
           {"near_after", to_json(r.near_after)},
           {"contexts", to_json(r.contexts)},
           {"targets", to_json(r.targets)},
           {"descriptions", Json::array()}};
  for (const WordReason& reason : r.descriptions) {
    Json contexts = Json::array();
    for (const auto& [word, weight] : reason.contexts)
      contexts.push_back({{"word", word}, {"weight", weight}});
    out["descriptions"].push_back({{"description", reason.description},
                                   {"describes", reason.describes},
                                   {"text", reason.text},
                                   {"contexts", contexts}});
  }
  return out;
}

std::string in_words(const std::vector<WordNeighbour>& near) {
  std::string out;
  for (const WordNeighbour& one : near)
    out += (out.empty() ? "" : ", ") + one.word + " " + rounded(one.cosine, "%.2f");
  return out;
}

void add_pulls(std::string& out, const std::string& title, const std::vector<WordPull>& pulls, Index top) {
  if (pulls.empty()) return;
  out += title + "\n  weight  descriptions  cosine before -> after\n";
  for (Index i = 0; i < std::min(top, pulls.size()); ++i) {
    const WordPull& one = pulls[i];
    out += "  " + rounded(one.weight, "%6.3f") + "  " +
           rounded(static_cast<double>(one.descriptions), "%12.0f") + "  " + rounded(one.before, "%6.2f") +
           " -> " + rounded(one.after, "%5.2f") + "  " + one.word + "\n";
  }
  if (pulls.size() > top) out += "  and " + counted(pulls.size() - top, "other") + "\n";
}

std::string in_words(const WordReasons& r, Index top) {
  const auto own = static_cast<Index>(std::ranges::count(r.descriptions, r.word, &WordReason::describes));
  std::string out = r.word + ": " + counted(own, "description") + ", and in " +
                    with_commas(r.descriptions.size() - own) + " of other words; turned by " +
                    rounded(r.turned, "%.0f") + " degrees\n";
  if (!r.heads.empty())
    out += "attention of heads " + r.heads + (r.layers.empty() ? "" : "; layers " + r.layers) + "\n";
  out += "nearest at the start: " + in_words(r.near_before) + "\n";
  out += "nearest at the end: " + in_words(r.near_after) + "\n";
  add_pulls(out, "moved towards its contexts, by weight over all these descriptions:", r.contexts, top);
  add_pulls(out, "moved along with words whose context it is:", r.targets, top);
  out += "descriptions:\n";
  for (Index i = 0; i < std::min(top, r.descriptions.size()); ++i) {
    const WordReason& reason = r.descriptions[i];
    std::string weights;
    for (const auto& [word, weight] : reason.contexts)
      weights += (weights.empty() ? "" : ", ") + word + " " + rounded(weight, "%.3f");
    out += "  " + one_line(reason.text, 200) + "\n    " + weights + "\n";
  }
  if (r.descriptions.size() > top) out += "  and " + counted(r.descriptions.size() - top, "other") + "\n";
  return out;
}

void run_show(ShowFlags& flags, const CLI::App& verb, Session& session) {
  const bool page = verb.count("--out") > 0, why = verb.count("--why") > 0;
  require(page || why, Fault::argument,
          "what to show? --out FILE makes a page, --why WORD tells what moved a word");
  require(!page || !flags.out.empty(), Fault::argument, "--out is empty; it names the page to make");
  require(!why || !flags.attention.empty(), Fault::argument,
          "--why reads the attention that the space was trained on: give its file by --attention");
  for (const char* flag : {"--attention", "--top"})
    require(verb.count(flag) == 0 || why, Fault::argument, flag + std::string(" is of --why"));
  for (const char* flag : {"--title", "--layout", "--seed", "--overwrite"})
    require(verb.count(flag) == 0 || page, Fault::argument, flag + std::string(" is of --out"));
  Json object{{"space", flags.space}};
  std::string text;
  if (why) {
    flags.why.space = flags.space, flags.why.attention = flags.attention;
    flags.why.neighbours = flags.options.neighbours;
    const WordReasons reasons = explain_word(flags.why, session.run());
    object["why"] = to_json(reasons);
    text += in_words(reasons, flags.top);
  }
  if (page) {
    flags.options.space = flags.space, flags.options.out = flags.out;
    const ShowWordsReport report = show_words(flags.options, session.run());
    object["out"] = flags.out;
    object["done_before"] = report.done_before;
    object["words"] = report.words, object["frames"] = report.frames, object["bytes"] = report.bytes;
    text += report.done_before
                ? done_before(flags.out)
                : "wrote " + flags.out + ", " + counted(report.words, "word") + " at " +
                      counted(report.frames, "time") + ", " + with_commas(report.bytes) + " bytes\n";
  }
  session.progress().finish();
  object["seconds_total"] = session.progress().seconds();
  session.answer(object, text + time_line(session.progress()) + "\n");
}

}  // namespace

void add_words_show(CLI::App& words, Session& session) {
  auto flags = std::make_shared<ShowFlags>();
  auto* verb = words.add_subcommand("show", "How words moved: a page, and why a word is where it is");
  verb->footer(
      "SPACE is a folder of 'shoal words train'. --out makes a page of the words whose way it keeps (500 "
      "and\n"
      "those of --watch): a map that moves from epoch to epoch, the trails of chosen words, their nearest\n"
      "words at that time, loss and uniformity beside it. --why lists the descriptions that moved a word, "
      "the\n"
      "weights of the words in them, and how near each came.\n\n"
      "Examples:\n"
      "  shoal words show words.shoal-model --out moves.html\n"
      "  shoal words show words.shoal-model --why bank --attention wordnet.safetensors");
  verb->add_option("space", flags->space, "A folder of 'shoal words train'")->required()->type_name("SPACE");
  verb->add_option("--out", flags->out, "The page to make: .html")->type_name("FILE");
  verb->add_flag("--overwrite", flags->options.overwrite, "Replace the page if it exists");
  add_options(*verb, session, option_refs(flags->options));
  verb->add_option("--why", flags->why.word, "A word whose way is to be explained")->type_name("WORD");
  verb->add_option("--attention", flags->attention, "--why: what the space was trained on")
      ->type_name("STORE");
  OptionRef top("top", flags->top, "--why: contexts, targets and descriptions that are told; --json has all",
                between(1, 1000));
  add_options(*verb, session, {top});
  add_shared(*verb, session);
  verb->callback([flags, verb, &session] { run_show(*flags, *verb, session); });
}

}  // namespace shoal::cli
