#pragma once

#include <filesystem>
#include <string>

#include "shoal/explain/association.h"
#include "shoal/explain/outcome.h"
#include "shoal/explain/over_time.h"
#include "verbs/verbs.h"

namespace shoal::cli {

/// Clusters compared by a column of the user's: --outcome or --time, and what belongs to them.
struct CompareFlags {
  std::string outcome, time, out, plot;
  OutcomeOptions of_outcome;
  OverTimeOptions of_time;
  Correction correction = Correction::holm;
  bool overwrite = false;

  void add(CLI::App& verb, Session& session);
  bool wanted() const { return !outcome.empty() || !time.empty(); }
  std::string flag() const { return outcome.empty() ? "--time" : "--outcome"; }
  /// Error(argument) if something that belongs to a comparison was given without one.
  void check(const CLI::App& verb) const;
  /// Compares, answers, and writes --out and --plot.
  void run(const std::filesystem::path& collection, const Session& session) const;
};

}  // namespace shoal::cli
