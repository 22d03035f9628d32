#pragma once

#include <CLI/CLI.hpp>

#include "session.h"

namespace shoal::cli {

// The subcommands of `words`, each in a file of its own.
void add_words_prepare(CLI::App& words, Session& session);

}  // namespace shoal::cli
