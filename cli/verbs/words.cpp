#include "verbs/words.h"

#include "verbs/verbs.h"

namespace shoal::cli {

void add_words(CLI::App& app, Session& session) {
  auto* verb = app.add_subcommand("words", "Vectors of words from the attention in their descriptions");
  verb->footer(
      "Words start far apart, and move where the attention of a transformer in their descriptions says so.\n"
      "docs/words.md tells how, and what comes of it.");
  verb->require_subcommand(1);
  add_words_prepare(*verb, session);
  add_words_train(*verb, session);
  add_words_show(*verb, session);
  add_words_neighbours(*verb, session);
  add_words_evaluate(*verb, session);
}

}  // namespace shoal::cli
