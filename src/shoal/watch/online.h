#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"

namespace shoal {

/// How a stream of rows is watched.
enum class OnlineMethod : std::uint8_t {
  martingale,  ///< bets against "nothing has changed"; the chance of any false alarm, however long, is stated
  cusum        ///< adds up evidence for a change; how many rows pass between false alarms is stated. Quicker
};
constexpr auto names_of(OnlineMethod) { return std::array{"martingale", "cusum"}; }

struct OnlineOptions {
  OnlineMethod method = OnlineMethod::martingale;
  double false_alarm = 0.01;  ///< martingale: chance that a stream without change ever alarms
  Index run_length = 10000;   ///< cusum: rows between false alarms, on average at least
  Index n_neighbors = 10;
  Index n_clusters = 8;
  Seed seed{42};
};
template <class V>
void fields(OnlineOptions& o, V&& visit) {
  visit("method", o.method, "how the stream is watched");
  visit("false_alarm", o.false_alarm,
        "martingale: chance that a stream without change ever alarms, however long it is", above(0).below(1));
  visit("run_length", o.run_length, "cusum: rows between false alarms, on average at least",
        between(10, 1e9));
  visit("n_neighbors", o.n_neighbors, "nearest rows of the reference whose mean distance is watched",
        between(1, 1000));
  visit("n_clusters", o.n_clusters, "clusters of the reference whose shares are watched", between(1, 1000));
  visit("seed", o.seed, "start of all randomness");
}

/// Watches rows one by one for a change against a reference.
///
///   OnlineDrift watch = OnlineDrift::fit(reference, options, run);
///   for (...) if (watch.update(row).alarm) ...
///
/// Half of the reference, drawn at random, is looked at: the distance to its rows and the closeness to each
/// of its clusters' centroids are scores of a row. The place of a new row's score among those of the other
/// half and of all rows that have come since (ties broken at random) is a p-value: as long as all are
/// exchangeable (any order as likely as any other) these are independent and uniform, whatever the texts are
/// like. On them rest both methods:
///   martingale   for each score a Simple Jumper (Vovk et al. 2021) multiplies a stake; their mean stays 1 on
///                average, and by Ville's inequality ever reaches 1 / false_alarm with at most that chance
///   cusum        for each score and direction max(0, W + log(1 + e (p - 1/2))); the threshold gives each of
///                the charts a run of run_length times their number, simulated once from uniform numbers
/// Rows that depend on their neighbours (a day's news on one story) are not exchangeable: shuffle within what
/// may be, or watch one row of each. As all rows that came are compared with, a slow drift is got used to.
class OnlineDrift {
 public:
  struct Step {
    Index row = 0;         ///< rows since the start, this one counted
    double p_val = 1;      ///< of the distance: how rarely a row is as far from the reference
    double statistic = 0;  ///< martingale: the stake; cusum: the highest chart
    bool alarm = false;    ///< the statistic has reached the threshold; then it starts anew
  };
  /// Error(data) for fewer than 20 rows, rows that are not finite; Error(argument) on an option out of range.
  /// O(rows d clusters).
  static OnlineDrift fit(const Rows& reference, const OnlineOptions& options, const Run& run);
  OnlineDrift(OnlineDrift&&) noexcept;
  OnlineDrift& operator=(OnlineDrift&&) noexcept;
  ~OnlineDrift();

  /// The next rows, in order. Error(data) if they are of another dimension or model. O(rows of the reference
  /// x d) a row.
  std::vector<Step> update(const Rows& rows, const Run& run);
  double threshold() const;
  Index scores() const;  ///< that are watched

 private:
  struct State;
  explicit OnlineDrift(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// The threshold at which a chart of cusum on uniform numbers, with log(1 + slope (u - 1/2)), runs for
/// `run_length` rows on average between alarms.
double cusum_threshold(double slope, double run_length, Seed seed);

}  // namespace shoal
