#pragma once

#include <CLI/CLI.hpp>

#include "session.h"

namespace shoal::cli {

// The subcommands of `words`, each in a file of its own.
void add_words_prepare(CLI::App& words, Session& session);
void add_words_train(CLI::App& words, Session& session);
void add_words_show(CLI::App& words, Session& session);
void add_words_neighbours(CLI::App& words, Session& session);
void add_words_evaluate(CLI::App& words, Session& session);

}  // namespace shoal::cli
