#include "shoal/flow/watch/lifetime_report.h"

#include <algorithm>
#include <cmath>
#include <map>

#include "shoal/cluster/kmeans/spherical_kmeans.h"
#include "shoal/core/error.h"
#include "shoal/core/names.h"
#include "shoal/core/rounded.h"
#include "shoal/flow/watch/cluster_words_impl.h"
#include "shoal/map/svg.h"
#include "shoal/near/select_rows.h"
#include "shoal/watch/identities.h"

namespace shoal {
namespace {

constexpr Index kMostWindows = 60;

Labels classes_of(const Texts& column) {
  std::map<std::string, Label> known;
  Labels out;
  for (Index i = 0; i < column.size(); ++i) {
    const std::string value(column[i]);
    if (value.find_first_not_of(" \t") == std::string::npos) {
      out.of.push_back(kNoise);
      continue;
    }
    out.of.push_back(known.try_emplace(value, static_cast<Label>(known.size())).first->second);
  }
  out.count = known.size();
  return out;
}

/// Clusters of the first third of the windows and of the last, on the rows of the last.
void find_anew(const LifetimeReportOptions& options, const Labels& window, const Run& run,
               LifetimeReport& report) {
  std::vector<Index> first, last;
  for (Index i = 0; i < window.of.size(); ++i) {
    if (window.of[i] == kNoise) continue;
    const auto w = static_cast<Index>(window.of[i]);
    if (3 * w < window.count) first.push_back(i);
    if (3 * (w + 1) > 2 * window.count) last.push_back(i);
  }
  const Index k = report.found.clusters;
  if (first.size() < 2 * k || last.size() < 2 * k) return;
  SphericalKMeansOptions how;
  how.n_clusters = k;
  how.n_init = 1;
  how.seed = options.how.seed.child(20);
  const Rows &x = report.read.vectors, latest = select_rows(x, last), oldest = select_rows(x, first);
  std::optional<SphericalKMeans> before, now;
  try {
    before = SphericalKMeans::fit(oldest, how, run.quiet());
    now = SphericalKMeans::fit(latest, how, run.quiet());
  } catch (const Error& e) {
    if (e.fault != Fault::data) throw;
    report.notes.push_back("clusters were not found anew: the " + std::string(before ? "last" : "first") +
                           " third of the windows holds too few different texts");
    return;
  }
  const Labels old_labels = before->predict(latest, run.quiet()), &new_labels = now->labels();
  const ClusterMatch match = match_clusters(old_labels, new_labels);
  Texts old_texts, new_texts;
  if (report.read.has_texts()) {
    for (const Index i : first) old_texts.add(report.read.texts[i]);
    for (const Index i : last) new_texts.add(report.read.texts[i]);
  }
  const auto old_names = words_of_clusters(before->labels(), old_texts, "old cluster", run.quiet()),
             new_names = words_of_clusters(new_labels, new_texts, "new cluster", run.quiet());
  const std::vector<Index> old_sizes = label_sizes(old_labels), new_sizes = label_sizes(new_labels);
  for (Index n = 0; n < k; ++n) {
    if (match.goes_on[n]) {
      const auto o = static_cast<Index>(*match.goes_on[n]);
      report.clusters.push_back(
          {old_names[o], "goes on", new_names[n], old_sizes[o], new_sizes[n], match.kept[n]});
    } else {
      report.clusters.push_back({new_names[n], "born", "", 0, new_sizes[n], 0});
    }
  }
  for (const Label o : match.died)
    report.clusters.push_back(
        {old_names[static_cast<Index>(o)], "died", "", old_sizes[static_cast<Index>(o)], 0, 0});
  const auto listed = [](const std::vector<Label>& labels, const std::vector<std::string>& names) {
    std::string out;
    for (const Label label : labels) out += (out.empty() ? "" : "; ") + names[static_cast<Index>(label)];
    return out;
  };
  for (const auto& [o, parts] : match.splits)
    report.splits.push_back(old_names[static_cast<Index>(o)] + " splits into " + listed(parts, new_names));
  for (const auto& [n, parts] : match.merges)
    report.merges.push_back(listed(parts, old_names) + " merge into " + new_names[static_cast<Index>(n)]);
}

std::string points(double loss) { return rounded(100 * loss, "%.1f") + " points"; }

}  // namespace

LifetimeReport lifetime_report(const LifetimeReportOptions& options, const Run& run, const Notice& notice) {
  require(!options.time.empty(), Fault::argument,
          option_name("time") + " names the column that says when each row was");
  LifetimeReport out;
  std::vector<std::string> columns{options.time};
  if (!options.labels.empty()) columns.push_back(options.labels);
  out.read = read_texts_and_vectors(options.input, columns, options.read, run, notice);
  out.rows = out.read.vectors.rows();
  Times times;
  try {
    times = read_times(out.read.columns[0]);
  } catch (const Error& e) {
    throw Error(e.fault, "column " + options.time + ": " + e.marked, e.hint);
  }
  require(times.clock != Clock::time_of_day, Fault::data,
          "column " + options.time + " holds times of day, which come again every day; dates are needed");
  out.left_out = times.missing;
  if (times.missing > 0)
    out.notes.push_back(std::to_string(times.missing) + " of " + std::to_string(out.rows) +
                        " rows have no time in column " + options.time +
                        " that is written as the others are; they are left out");
  out.every = choose_period(times, options.every, kMostWindows);
  const Index periods = periods_between(times, out.every);
  out.join = options.join.value_or((periods + kMostWindows - 1) / kMostWindows);
  const std::int64_t first = period_number(times.low, out.every);
  Labels window{{}, (periods + out.join - 1) / out.join};
  std::vector<std::uint8_t> filled(window.count);
  for (const double day : times.days) {
    if (std::isnan(day)) {
      window.of.push_back(kNoise);
      continue;
    }
    window.of.push_back(
        static_cast<Label>(static_cast<Index>(period_number(day, out.every) - first) / out.join));
    filled[static_cast<Index>(window.of.back())] = 1;
  }
  std::vector<double> starts;
  for (Index w = 0; w < window.count; ++w)
    starts.push_back(period_start(first + static_cast<std::int64_t>(w * out.join), out.every));
  const auto gaps = static_cast<Index>(std::ranges::count(filled, 0));
  if (gaps > 0)
    out.notes.push_back(std::to_string(gaps) + " of " + std::to_string(window.count) +
                        " windows have no rows and are passed over");
  Labels labels;
  if (!options.labels.empty()) {
    labels = classes_of(out.read.columns[1]);
    require(labels.count >= 2, Fault::data,
            "column " + options.labels + " has " + std::to_string(labels.count) +
                " different values; accuracy needs two classes at least");
  }
  out.found = lifetime(out.read.vectors, window, starts, labels, options.how, run);
  const auto passed_over = [&](Index windows, const std::string& why) {
    if (windows > 0)
      out.notes.push_back(std::to_string(windows) + " of " + std::to_string(window.count) + " windows have " +
                          why + " and are passed over");
  };
  passed_over(window.count - gaps - out.found.windows - out.found.without_model,
              "fewer than " + std::to_string(out.found.rows_a_model) + " rows");
  passed_over(out.found.without_model,
              "too few different texts for " + std::to_string(out.found.clusters) + " clusters");
  find_anew(options, window, run, out);
  return out;
}

std::string time_in_words(double days) {
  const auto said = [](double n, const char* unit) {
    std::string text = rounded(n, n < 10 && n != std::floor(n) ? "%.1f" : "%.0f");
    return text + " " + unit + (text == "1" ? "" : "s");
  };
  if (days >= 2 * 365.2425) return said(days / 365.2425, "year");
  if (days >= 28) return said(days / 7, "week");
  if (days >= 1) return said(days, "day");
  return said(days * 24, "hour");
}

std::string lifetime_in_words(const LossCurve& curve, double loss, double confidence) {
  const Lifetime& l = curve.lifetime;
  const std::string interval = rounded(100 * confidence, "%.0f") + "% interval";
  if (l.answer == LifetimeAnswer::not_within_seen)
    return "no loss of " + points(loss) + " within the " + time_in_words(l.seen) +
           " that were seen (at that age " + points(l.loss_at) + ", " + interval + " " + points(l.loss_low) +
           " to " + points(l.loss_high) + ")";
  if (l.answer == LifetimeAnswer::not_enough_evidence) {
    if (curve.losses.size() < 5)
      return "not enough evidence: only " + std::to_string(curve.losses.size()) +
             " ages were seen, 5 are needed";
    return "not enough evidence: at an age of " + time_in_words(l.seen) + " the loss may be from " +
           points(l.loss_low) + " to " + points(l.loss_high) + " (" + interval + ")";
  }
  if (!l.age)
    return "as it goes, losses level off below " + points(loss) + "; a loss of so many comes after " +
           time_in_words(l.low) + " at the earliest (" + interval + ", without an upper bound)";
  return "a loss of " + points(loss) + " after " + time_in_words(*l.age) + " (" + interval + " " +
         time_in_words(l.low) + " to " + (l.high ? time_in_words(*l.high) : "no bound") + ")";
}

std::string lifetime_svg(const LifetimeReport& report, double loss) {
  std::vector<PlotCurve> curves;
  double longest = 0;
  for (const LossCurve& curve : report.found.curves)
    if (!curve.losses.empty()) longest = std::max(longest, curve.losses.back().age);
  const bool years = longest >= 2 * 365.2425;
  for (const LossCurve& curve : report.found.curves) {
    PlotCurve plotted{
        .name = std::string(name_of(curve.measure)) + ", loss in points", .x = {}, .y = {}, .marked = {}};
    for (const LossAtAge& at : curve.losses) {
      plotted.x.push_back(at.age / (years ? 365.2425 : 7));
      plotted.y.push_back(100 * at.loss);
    }
    if (plotted.x.empty()) continue;
    if (3 * std::ranges::max(plotted.y) >= 100 * loss) {
      plotted.level = 100 * loss;
      plotted.name += " (dashed: the " + rounded(100 * loss, "%.4g") + " that were asked about)";
    }
    curves.push_back(std::move(plotted));
  }
  return curves_svg(
      {"What an old model loses against one fitted just before", years ? "age in years" : "age in weeks", ""},
      curves);
}

}  // namespace shoal
