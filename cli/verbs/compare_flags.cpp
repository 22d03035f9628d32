#include "verbs/compare_flags.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "shoal/core/error.h"
#include "shoal/flow/names/compare_outcome.h"
#include "shoal/flow/names/compare_times.h"
#include "shoal/store/archive/archive.h"

namespace shoal::cli {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr std::size_t kShown = 50;  // tests in the table on the terminal

/// Like printf, into a string.
template <class... Values>
std::string print(const char* format, Values... values) {
  char buffer[256];
  std::snprintf(buffer, sizeof buffer, format, values...);
  return buffer;
}

std::string short_real(double x) { return std::isnan(x) ? "-" : print("%.4g", x); }
std::string short_p(double p) {
  return std::isnan(p) ? "-" : p == 0 ? "<1e-300" : print(p < 0.001 ? "%.1e" : "%.3f", p);
}
std::string short_rate(double share) { return std::isnan(share) ? "-" : print("%.1f%%", 100 * share); }

/// What was compared, and the test of all clusters at once.
std::string in_words(const Association& found, const CompareFlags& flags) {
  std::string out = "outcome " + flags.outcome + ": ";
  if (found.kind == OutcomeKind::two_values)
    out += "'" + found.categories[1] + "' or '" + found.categories[0] + "'";
  else if (found.kind == OutcomeKind::categories)
    out += std::to_string(found.categories.size()) + " categories";
  else
    out += "numbers";
  out += ", " + with_commas(found.rows) + " rows";
  if (found.missing > 0) out += "; left out " + with_commas(found.missing) + " without a value";
  if (found.unclustered > 0) out += "; left out " + with_commas(found.unclustered) + " in no cluster";
  const OverallTest& all = found.overall;
  out += "\nall clusters: " + std::string(all.name) + " " + short_real(all.statistic) + " (" +
         short_real(all.df) +
         (found.kind == OutcomeKind::numbers ? " and " + short_real(all.df_within) : "") +
         " degrees of freedom), p " + short_p(all.p) + ", " + all.effect_name + " " + short_real(all.effect) +
         "\n";
  if (!all.remark.empty()) out += "  but: " + all.remark + "\n";
  const auto tested = std::ranges::count_if(found.tests, [](const auto& t) { return !std::isnan(t.p); });
  out += "each cluster against the rest: " +
         std::string(found.kind == OutcomeKind::numbers ? "Welch's t-test" : "Fisher's exact test") + ", " +
         std::to_string(tested) + " tests, correction " + name_of(flags.correction) +
         "; strongest correlation first\n";
  return out;
}

std::string line_of(const ClusterTest& test, const Association& found, const std::string& name) {
  const bool numbers = found.kind == OutcomeKind::numbers;
  const auto value = [&](double x) { return numbers ? short_real(x) : short_rate(x); };
  const std::string effect =
      short_real(test.effect) +
      (std::isnan(test.low) ? "" : " (" + short_real(test.low) + " to " + short_real(test.high) + ")");
  std::string out = print("%9s  %9s  %9s  %-32s", with_commas(test.rows).c_str(), value(test.here).c_str(),
                          value(test.elsewhere).c_str(), effect.c_str());
  if (numbers) out += print("  %6s", std::isnan(test.cohens_d) ? "-" : print("%.2f", test.cohens_d).c_str());
  out += print("  %6s  %8s  %9s  ", std::isnan(test.r) ? "-" : print("%+.3f", test.r).c_str(),
               short_p(test.p).c_str(), short_p(test.corrected_p).c_str());
  if (found.kind == OutcomeKind::categories)
    out += found.categories[static_cast<std::size_t>(test.category)] + " in ";
  return out + name + "\n";
}

std::string table_of(const Association& found, const std::vector<ClusterRecord>& clusters) {
  std::string out =
      found.kind == OutcomeKind::numbers
          ? print("%9s  %9s  %9s  %-32s  %6s", "rows", "mean", "elsewhere", "difference (95%)", "d")
          : print("%9s  %9s  %9s  %-32s", "rows", "rate", "elsewhere", "odds ratio (95%)");
  out += print("  %6s  %8s  %9s  ", "r", "p", "corrected") +
         std::string(found.kind == OutcomeKind::categories ? "category in cluster\n" : "cluster\n");
  for (std::size_t i = 0; i < std::min(kShown, found.tests.size()); ++i)
    out += line_of(found.tests[i], found, clusters[static_cast<std::size_t>(found.tests[i].cluster)].name);
  if (found.tests.size() > kShown)
    out +=
        "... and " + with_commas(found.tests.size() - kShown) + " more; --out FILE.csv or --json have all\n";
  return out;
}

Json to_json(const Association& found, const std::vector<ClusterRecord>& clusters,
             const CompareFlags& flags) {
  const bool numbers = found.kind == OutcomeKind::numbers;
  const OverallTest& all = found.overall;
  Json overall{{"test", all.name}, {"statistic", all.statistic}, {"df", all.df}};
  if (numbers) overall["df_within"] = all.df_within;
  overall["p"] = all.p;
  overall[all.effect_name] = all.effect;
  if (!all.remark.empty()) overall["remark"] = all.remark;
  Json tests = Json::array();
  for (const ClusterTest& t : found.tests) {
    Json& test = tests.emplace_back(
        Json{{"cluster", t.cluster}, {"cluster_name", clusters[static_cast<std::size_t>(t.cluster)].name}});
    if (!numbers) test["category"] = found.categories[static_cast<std::size_t>(t.category)];
    test["rows"] = t.rows;
    test[numbers ? "mean" : "rate"] = t.here;
    test[numbers ? "mean_elsewhere" : "rate_elsewhere"] = t.elsewhere;
    test[numbers ? "difference" : "odds_ratio"] = t.effect;
    test["low"] = t.low;
    test["high"] = t.high;
    if (numbers)
      test.update(Json{{"t", t.t}, {"df", t.df}, {"cohens_d", t.cohens_d}, {"hedges_g", t.hedges_g}});
    test.update(Json{{"r", t.r}, {"p", t.p}, {"corrected_p", t.corrected_p}});
  }
  return {{"outcome", flags.outcome},
          {"kind", name_of(found.kind)},
          {"rows", found.rows},
          {"missing", found.missing},
          {"unclustered", found.unclustered},
          {"correction", name_of(flags.correction)},
          {"overall", overall},
          {"tests", tests}};
}

void run_outcome(const CompareFlags& flags, const fs::path& folder, const Session& session) {
  const Collection collection = Collection::open(folder, true);
  const Association found = compare_outcome(collection, flags.outcome, flags.of_outcome, flags.correction);
  const auto clusters = collection.clusters();
  std::string text = in_words(found, flags) + table_of(found, clusters);
  Json object = to_json(found, clusters, flags);
  if (!flags.out.empty()) {
    write_file(flags.out, association_csv(found, clusters));
    text += "wrote " + with_commas(found.tests.size()) + " tests to " + flags.out + "\n";
    object["out"] = flags.out;
  }
  session.answer(object, text);
}

std::string of_clusters(const OverTime& found) {
  std::string out = std::to_string(found.periods.size()) + " " + name_of(found.every) +
                    (found.periods.size() == 1 ? "" : "s") + " from " + found.periods.front() + " to " +
                    found.periods.back();
  if (found.missing > 0) out += "; left out " + with_commas(found.missing) + " without a time";
  if (found.unclustered > 0) out += "; left out " + with_commas(found.unclustered) + " in no cluster";
  return out;
}

/// The shares of a cluster over time as bars of one letter each; at most kBars, neighbours are taken
/// together.
std::string bars_of(const OverTime& found, Index cluster) {
  constexpr std::size_t kBars = 40;
  constexpr const char* kHeights[] = {"\u2581", "\u2582", "\u2583", "\u2584",
                                      "\u2585", "\u2586", "\u2587", "\u2588"};
  const std::size_t n = found.periods.size(), each = (n + kBars - 1) / kBars;
  std::vector<double> shares;
  for (std::size_t p = 0; p < n; p += each) {
    Index rows = 0, all = 0;
    for (std::size_t q = p; q < std::min(n, p + each); ++q) {
      rows += found.counts[cluster][q];
      all += found.totals[q];
    }
    shares.push_back(all == 0 ? std::nan("") : static_cast<double>(rows) / static_cast<double>(all));
  }
  double most = 0;
  for (const double share : shares) most = std::isnan(share) ? most : std::max(most, share);
  std::string out;
  for (const double share : shares)
    out += std::isnan(share) ? " "
                             : kHeights[most > 0 ? std::min(7, static_cast<int>(share / most * 7.999)) : 0];
  return out;
}

/// Days, in the unit in which they are read best.
std::string span_of(double days) {
  if (std::isnan(days)) return "-";
  const double size = std::abs(days);
  if (size >= 730) return print("%+.1f years", days / 365.25);
  if (size >= 2) return print("%+.1f days", days);
  return size * 24 >= 2 ? print("%+.1f hours", days * 24) : print("%+.0f minutes", days * 1440);
}

std::string in_words(const OverTime& found, const std::vector<ClusterRecord>& clusters,
                     const CompareFlags& flags) {
  std::string out = "time " + flags.time + ": " + of_clusters(found) + "\n";
  if (found.trend.tests.empty())
    return out + "nothing changes over time: all rows have one time, or one cluster\n";
  out += "each cluster's rows against the others': how much later they are, Welch's t-test, correction " +
         std::string(name_of(flags.correction)) + "; strongest correlation first\n" +
         print("%9s  %14s  %9s  ", "rows", "later by", "corrected") + "share of each period, and cluster\n";
  for (std::size_t i = 0; i < std::min(kShown, found.trend.tests.size()); ++i) {
    const ClusterTest& test = found.trend.tests[i];
    const auto c = static_cast<Index>(test.cluster);
    out += print("%9s  %14s  %9s  ", with_commas(test.rows).c_str(), span_of(test.effect).c_str(),
                 short_p(test.corrected_p).c_str()) +
           bars_of(found, c) + "  " + clusters[c].name + "\n";
  }
  if (found.trend.tests.size() > kShown)
    out += "... and " + with_commas(found.trend.tests.size() - kShown) +
           " more; --out FILE.csv or --json have all\n";
  return out;
}

Json to_json(const OverTime& found, const std::vector<ClusterRecord>& clusters, const CompareFlags& flags) {
  Json list = Json::array();
  for (Index c = 0; c < found.counts.size(); ++c)
    list.push_back({{"cluster", c}, {"cluster_name", clusters[c].name}, {"rows", found.counts[c]}});
  Json tests = Json::array();
  for (const ClusterTest& t : found.trend.tests)
    tests.push_back({{"cluster", t.cluster},
                     {"rows", t.rows},
                     {"days_later", t.effect},
                     {"low", t.low},
                     {"high", t.high},
                     {"r", t.r},
                     {"p", t.p},
                     {"corrected_p", t.corrected_p}});
  return {{"time", flags.time},
          {"every", name_of(found.every)},
          {"periods", found.periods},
          {"rows", found.totals},
          {"missing", found.missing},
          {"unclustered", found.unclustered},
          {"correction", name_of(flags.correction)},
          {"clusters", list},
          {"trends", tests}};
}

void run_time(const CompareFlags& flags, const fs::path& folder, const Session& session) {
  const Collection collection = Collection::open(folder, true);
  const OverTime found = compare_times(collection, flags.time, flags.of_time, flags.correction);
  const auto clusters = collection.clusters();
  std::string text = in_words(found, clusters, flags);
  Json object = to_json(found, clusters, flags);
  if (!flags.out.empty()) {
    write_file(flags.out, over_time_csv(found, clusters));
    text += "wrote the counts of " + with_commas(clusters.size()) + " clusters to " + flags.out + "\n";
    object["out"] = flags.out;
  }
  if (!flags.plot.empty()) {
    write_file(flags.plot, over_time_svg(found, clusters, flags.time));
    text += "the plot is " + flags.plot + "\n";
    object["plot"] = flags.plot;
  }
  session.answer(object, text);
}

}  // namespace

void CompareFlags::add(CLI::App& verb, Session& session) {
  auto* by_outcome = verb.add_option("--outcome", outcome, "Compare clusters by this column of your own")
                         ->type_name("COLUMN");
  add_options(verb, session, option_refs(of_outcome));
  auto* by_time =
      verb.add_option("--time", time, "Count clusters over time by this column of dates, timestamps or years")
          ->type_name("COLUMN")
          ->excludes(by_outcome);
  add_options(verb, session, option_refs(of_time));
  add_options(
      verb, session,
      {OptionRef("correction", correction, "for the number of tests; bh is Benjamini-Hochberg's", {})});
  verb.add_option("--plot", plot, "Draw the shares of the clusters that change most over time")
      ->type_name("FILE.svg")
      ->needs(by_time);
  verb.add_option("--out", out, "Write all tests, or all counts over time, to this file as CSV")
      ->type_name("FILE.csv");
  verb.add_flag("--overwrite", overwrite, "Replace the files if they exist");
  for (const char* flag : {"--kind", "--value"}) verb.get_option(flag)->needs(by_outcome);
  verb.get_option("--every")->needs(by_time);
}

void CompareFlags::check(const CLI::App& verb) const {
  for (const char* flag : {"--correction", "--out", "--overwrite"})
    require(wanted() || verb.count(flag) == 0, Fault::argument,
            std::string(flag) + " is for a comparison: give --outcome or --time too");
}

void CompareFlags::run(const fs::path& collection, const Session& session) const {
  check_new_files({collection}, {{"--out", out}, {"--plot", plot}}, overwrite);
  if (outcome.empty())
    run_time(*this, collection, session);
  else
    run_outcome(*this, collection, session);
}

}  // namespace shoal::cli
