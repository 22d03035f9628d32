#include "shoal/watch/drift.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/core/names.h"
#include "shoal/kernels/kernels.h"
#include "shoal/linear/norms.h"
#include "shoal/linear/product.h"
#include "shoal/linear/symmetric_eigen.h"
#include "shoal/watch/drift_statistics_impl.h"
#include "shoal/watch/pair_sums_impl.h"
#include "shoal/watch/permutations.h"

namespace shoal {
namespace {

constexpr Index kComponents = 32;        // of the Gaussians and of the classifier
constexpr double kShrinkage = 0.1;       // of the common covariance
constexpr Index kMostPairBlocks = 3000;  // whose sums of pairs are kept
constexpr Index kMedianPairs = 20000;
constexpr Index kFewPairRows = 50;  // on a side, for which a comparison draws rows of its own
constexpr double kBorn = 0.1;       // of a share

bool has(const std::vector<DriftTest>& tests, DriftTest test) {
  return std::ranges::find(tests, test) != tests.end();
}

/// `most` of them, or all, drawn evenly by a hash, in ascending order.
std::vector<Index> some_of(std::vector<Index> all, Index most, Seed seed) {
  if (all.size() <= most) return all;
  const Random random(seed);
  std::ranges::sort(all, {}, [&](Index i) { return std::pair(random.bits(i), i); });
  all.resize(most);
  std::ranges::sort(all);
  return all;
}

/// `most` rows in all, or all that there are: of each unit the same share but for less than one row, so that
/// small units neither crowd out large ones nor are all kept. A unit may be left with none.
std::vector<std::vector<Index>> even_share(const std::vector<std::vector<Index>>& units, Index most,
                                           Seed seed) {
  Index n = 0;
  for (const auto& unit : units) n += unit.size();
  if (n <= most) return units;
  // Places at even distances along all rows, from a first one at random: those in a unit are its share.
  const double step = static_cast<double>(n) / static_cast<double>(most);
  const double first = Random(seed).uniform(0) * step;
  const auto places_below = [&](Index row) {
    const double places = std::ceil((static_cast<double>(row) - first) / step);
    return static_cast<Index>(std::clamp(places, 0.0, static_cast<double>(most)));
  };
  std::vector<std::vector<Index>> out;
  Index begin = 0;
  for (const auto& unit : units) {
    out.push_back(some_of(unit, places_below(begin + unit.size()) - places_below(begin), seed.child(1)));
    begin += unit.size();
  }
  return out;
}

}  // namespace

struct DriftStudy::State {
  DriftOptions options;
  Matrix x;                              // rows in the order of their blocks, less the mean
  std::vector<std::vector<Index>> rows;  // of each block, by their place in x
  std::vector<Label> cluster;            // of each place in x; empty: none
  Index n_clusters = 0;
  Packed whitening;   // d x d
  Packed components;  // the first of them
  Index n_components = 0;
  double bandwidth = 0;
  bool single_rows = true;                 // each block is a row
  UnitTables tables;                       // of all blocks, unless they are rows
  std::vector<std::vector<Index>> sample;  // of each block, rows for tests of pairs
  std::optional<PairSums> pairs;

  void whiten(const Run& run);
  void find_bandwidth();
  Matrix product(const std::vector<Index>& places, const Packed& by, const Run& run) const;
  UnitTables make_tables(const std::vector<std::vector<Index>>& units, const Run& run) const;
};

void DriftStudy::State::whiten(const Run& run) {
  const Index d = x.cols(), n = x.rows();
  std::vector<double> covariance = gram(Rows(x), {}, run);
  double trace = 0;
  for (double& v : covariance) v /= static_cast<double>(n);
  for (Index j = 0; j < d; ++j) trace += covariance[j * d + j];
  const EigenPairs eigen = symmetric_eigen(covariance, d);
  const double mean = trace / static_cast<double>(d);
  Matrix w(d, d);
  n_components = std::min({kComponents, d, n});
  for (Index c = 0; c < d; ++c) {
    const double variance = (1 - kShrinkage) * std::max(0.0, eigen.values[c]) + kShrinkage * mean;
    const double scale = variance > 0 ? 1 / std::sqrt(variance) : 0;
    for (Index j = 0; j < d; ++j) w[c][j] = static_cast<float>(eigen.vectors[c * d + j] * scale);
  }
  whitening = Packed::rows(w);
  Matrix leading(n_components, d);
  for (Index c = 0; c < n_components; ++c) {
    const double scale = eigen.values[c] > 1e-12 * trace ? 1 / std::sqrt(eigen.values[c]) : 0;
    for (Index j = 0; j < d; ++j) leading[c][j] = static_cast<float>(eigen.vectors[c * d + j] * scale);
  }
  components = Packed::rows(leading);
}

void DriftStudy::State::find_bandwidth() {
  const Random random(options.seed.child(1));
  std::vector<float> distances;
  for (Index i = 0; i < kMedianPairs; ++i) {
    const Index a = random.below(2 * i, x.rows()), b = random.below(2 * i + 1, x.rows());
    if (a != b) distances.push_back(kernels().squared_distance(x[a].data(), x[b].data(), x.cols()));
  }
  if (!distances.empty()) {
    std::ranges::nth_element(distances,
                             distances.begin() + static_cast<std::ptrdiff_t>(distances.size() / 2));
    bandwidth = std::sqrt(static_cast<double>(distances[distances.size() / 2]));
  }
  if (!(bandwidth > 0)) bandwidth = 1;  // half of all rows are equal
}

Matrix DriftStudy::State::product(const std::vector<Index>& places, const Packed& by, const Run& run) const {
  Matrix out(places.size(), by.outputs());
  for_chunks(run, places.size(), 128, [&](Index, Index first, Index last) {
    Matrix block(last - first, x.cols());
    for (Index i = first; i < last; ++i) std::ranges::copy(x[places[i]], block[i - first].begin());
    multiply(block.view(), by, {}, Activation::none,
             MatrixSpan{out[first].data(), last - first, out.cols(), out.cols()});
  });
  return out;
}

UnitTables DriftStudy::State::make_tables(const std::vector<std::vector<Index>>& units,
                                          const Run& run) const {
  const auto& tests = options.tests;
  std::vector<Index> places;
  for (const auto& unit : units) places.insert(places.end(), unit.begin(), unit.end());
  UnitTables out;
  out.rows.reserve(units.size());
  for (const auto& unit : units) out.rows.push_back(static_cast<double>(unit.size()));
  const auto summed = [&](const Matrix& of_rows) {
    Matrix sums(units.size(), of_rows.cols());
    std::vector<Index> begin(units.size() + 1);
    for (Index u = 0; u < units.size(); ++u) begin[u + 1] = begin[u] + units[u].size();
    for_chunks(run, units.size(), 16, [&](Index, Index first, Index last) {
      std::vector<double> sum(of_rows.cols());
      for (Index u = first; u < last; ++u) {
        std::ranges::fill(sum, 0.0);
        for (Index i = begin[u]; i < begin[u + 1]; ++i)
          for (Index j = 0; j < sum.size(); ++j) sum[j] += static_cast<double>(of_rows[i][j]);
        for (Index j = 0; j < sum.size(); ++j) sums[u][j] = static_cast<float>(sum[j]);
      }
    });
    return sums;
  };
  if (has(tests, DriftTest::mean_shift)) {
    Matrix own(places.size(), x.cols());
    for (Index i = 0; i < places.size(); ++i) std::ranges::copy(x[places[i]], own[i].begin());
    out.sums = summed(own);
  }
  if (has(tests, DriftTest::hotelling)) out.white_sums = summed(product(places, whitening, run));
  if (has(tests, DriftTest::kl_gaussian)) {
    const Matrix leading = product(places, components, run);
    const Index q = leading.cols();
    Matrix moments(places.size(), q + q * (q + 1) / 2);
    for_chunks(run, places.size(), 256, [&](Index, Index first, Index last) {
      for (Index i = first; i < last; ++i) {
        auto to = std::ranges::copy(leading[i], moments[i].begin()).out;
        for (Index a = 0; a < q; ++a)
          for (Index b = 0; b <= a; ++b) *to++ = leading[i][a] * leading[i][b];
      }
    });
    out.moments = summed(moments);
    out.components = q;
  }
  if (n_clusters > 0) {
    out.histogram = Matrix(units.size(), n_clusters);
    for (Index u = 0; u < units.size(); ++u)
      for (const Index i : units[u])
        if (cluster[i] != kNoise) ++out.histogram[u][static_cast<Index>(cluster[i])];
  }
  return out;
}

DriftStudy::DriftStudy(DriftStudy&&) noexcept = default;
DriftStudy::~DriftStudy() = default;

DriftStudy::DriftStudy(const Rows& x, const Labels& blocks, const Labels& clusters,
                       const DriftOptions& options, const Run& run)
    : state_(std::make_unique<State>()) {
  check_options(options);
  check_labels(blocks, x.rows());
  if (!clusters.of.empty()) check_labels(clusters, x.rows());
  State& s = *state_;
  s.options = options;
  if (run.progress) run.progress("prepare", 0, 1);
  std::vector<std::vector<Index>> original(blocks.count);
  for (Index i = 0; i < x.rows(); ++i)
    if (blocks.of[i] != kNoise) original[static_cast<Index>(blocks.of[i])].push_back(i);
  Index n = 0;
  for (const auto& rows : original) n += rows.size(), s.single_rows = s.single_rows && rows.size() <= 1;
  require(n > 0, Fault::data, "no row is in a block");
  check_finite(x, run);
  s.x = Matrix(n, x.cols());
  s.n_clusters = clusters.of.empty() ? 0 : clusters.count;
  s.rows.resize(blocks.count);
  Matrix scratch;
  Index at = 0;
  for (Index b = 0; b < blocks.count; ++b)
    for (const Index row : original[b]) {
      std::ranges::copy(x.block(row, 1, scratch)[0], s.x[at].begin());
      if (s.n_clusters > 0) s.cluster.push_back(clusters.of[row]);
      s.rows[b].push_back(at++);
    }
  const std::vector<double> mean = column_means(Rows(s.x), run);
  for_chunks(run, n, 1024, [&](Index, Index first, Index last) {
    for (Index i = first; i < last; ++i)
      for (Index j = 0; j < mean.size(); ++j)
        s.x[i][j] = static_cast<float>(static_cast<double>(s.x[i][j]) - mean[j]);
  });
  s.find_bandwidth();
  if (has(options.tests, DriftTest::hotelling) || has(options.tests, DriftTest::kl_gaussian) ||
      has(options.tests, DriftTest::classifier))
    s.whiten(run);
  if (run.progress) run.progress("prepare", 1, 1);
  if (s.single_rows) return;
  s.tables = s.make_tables(s.rows, run);
  s.sample = even_share(s.rows, options.max_rows, options.seed.child(2));
  const auto kinds = pair_kernels(options.tests, s.bandwidth);
  if (!kinds.empty() && s.rows.size() <= kMostPairBlocks) s.pairs = pair_sums(s.x, s.sample, kinds, run);
}

double DriftStudy::bandwidth() const { return state_->bandwidth; }

DriftResult DriftStudy::compare(const std::vector<Index>& old_blocks, const std::vector<Index>& new_blocks,
                                const Run& run) const {
  const State& s = *state_;
  DriftResult out;
  if (run.progress) run.progress("permute", 0, 1);
  // The blocks that have rows; of rows that are blocks themselves at most max_rows, evenly of both sides.
  std::vector<std::vector<Index>> units, sample;
  std::vector<Index> which;
  std::vector<std::uint8_t> side;
  const auto filled = [&](const std::vector<Index>& blocks, Index& rows) {
    std::vector<Index> kept;
    for (const Index b : blocks) {
      require(b < s.rows.size(), Fault::argument, "there is no block " + std::to_string(b));
      if (!s.rows[b].empty()) kept.push_back(b);
      rows += s.rows[b].size();
    }
    return kept;
  };
  std::vector<Index> old_kept = filled(old_blocks, out.old_rows), new_kept = filled(new_blocks, out.new_rows);
  require(out.old_rows > 0 && out.new_rows > 0, Fault::data,
          std::string("there are no ") + (out.old_rows == 0 ? "old" : "new") + " rows");
  require(out.old_rows + out.new_rows >= 4, Fault::data,
          "there are " + std::to_string(out.old_rows + out.new_rows) +
              " rows on both sides together; at least 4 are needed");
  if (s.single_rows) {
    const Index most = s.options.max_rows, half = most / 2;
    const Index of_old = old_kept.size() <= half  ? old_kept.size()
                         : new_kept.size() < half ? most - new_kept.size()
                                                  : half;
    old_kept = some_of(old_kept, of_old, s.options.seed.child(3));
    new_kept = some_of(new_kept, most - std::min(most, old_kept.size()), s.options.seed.child(4));
  }
  for (const Index b : old_kept) which.push_back(b), side.push_back(1);
  for (const Index b : new_kept) which.push_back(b), side.push_back(0);
  out.old_blocks = old_kept.size();
  out.new_blocks = new_kept.size();
  for (const Index b : which) {
    units.push_back(s.rows[b]);
    sample.push_back(s.single_rows ? s.rows[b] : s.sample[b]);
  }
  const auto count_pair_rows = [&] {
    out.pair_rows = out.old_pair_rows = 0;
    for (Index u = 0; u < sample.size(); ++u)
      out.pair_rows += sample[u].size(), out.old_pair_rows += side[u] ? sample[u].size() : 0;
  };
  count_pair_rows();
  // Where two short periods of a long time are compared, their share of all rows says little.
  bool of_all = true;
  if (!s.single_rows && std::min(out.old_pair_rows, out.pair_rows - out.old_pair_rows) < kFewPairRows) {
    sample = even_share(units, s.options.max_rows, s.options.seed.child(7));
    of_all = false;
    count_pair_rows();
  }
  const UnitTables tables = s.single_rows ? s.make_tables(units, run) : s.tables.select(which);
  const BlockDeals deals = deal_blocks(side, s.options.permutations, s.options.seed.child(5));
  out.deals = deals.count;
  out.exact = deals.exact;
  out.smallest_p = deals.smallest_p;
  out.enough_blocks = deals.smallest_p <= s.options.alpha * (1 + 1e-12);

  std::vector<PairKernel> kinds = pair_kernels(s.options.tests, s.bandwidth);
  std::vector<std::vector<double>> of_pairs;
  if (!kinds.empty())
    of_pairs = s.pairs && of_all ? pair_statistics(*s.pairs, which, sample, deals, run)
                                 : pair_statistics(s.x, sample, kinds, deals, run);
  // Blocks need not be of one size, and then deals differ in how many rows stand on each side. A distance of
  // few rows is large by chance alone: deals are compared by distances times n m / (n + m), as G and T^2 are.
  const auto weights_of = [&](const std::vector<std::vector<Index>>& rows) {
    std::vector<double> weights(deals.count);
    for (Index deal = 0; deal < deals.count; ++deal) {
      double n = 0, m = 0;
      for (Index u = 0; u < rows.size(); ++u)
        (deals.on_old(deal, u) ? n : m) += static_cast<double>(rows[u].size());
      weights[deal] = n > 0 && m > 0 ? n * m / (n + m) : 0;
    }
    return weights;
  };
  const std::vector<double> by_rows = weights_of(units), by_sample = weights_of(sample);
  const bool pairs_seen = out.old_pair_rows > 0 && out.old_pair_rows < out.pair_rows;
  std::vector<std::vector<double>> p_values;
  for (const DriftTest test : s.options.tests) {
    check_stop(run);
    std::vector<double> statistics;
    const auto pair = std::ranges::find(kinds, test, &PairKernel::test);
    if (pair != kinds.end()) {
      if (!pairs_seen) {  // of one side no row was drawn: nothing is known
        constexpr double kUnknown = std::numeric_limits<double>::quiet_NaN();
        out.tests.push_back({.test = test, .distance = kUnknown, .threshold = kUnknown, .p_val = kUnknown});
        continue;
      }
      statistics = of_pairs[static_cast<Index>(pair - kinds.begin())];
    } else if (test == DriftTest::classifier) {
      std::vector<Index> places;
      std::vector<Index> unit_of;
      const auto seen = even_share(sample, kClassifierRows, s.options.seed.child(6));
      for (Index u = 0; u < seen.size(); ++u)
        for (const Index i : seen[u]) places.push_back(i), unit_of.push_back(u);
      statistics = classifier_statistics(s.product(places, s.components, run), unit_of, deals, run);
    } else if (s.n_clusters > 0 || (test != DriftTest::g_test && test != DriftTest::kl_clusters)) {
      statistics = table_statistics(test, tables, deals, run);
    } else {
      continue;  // a test of clusters, without clusters
    }
    const double distance = statistics.front();
    const std::vector<double>& weights = pair != kinds.end() ? by_sample : by_rows;
    const bool weighed =
        test != DriftTest::g_test && test != DriftTest::hotelling && test != DriftTest::classifier;
    const bool squared = test != DriftTest::mean_shift;
    const auto weight = [&](Index deal) {
      return !weighed ? 1 : squared ? weights[deal] : std::sqrt(weights[deal]);
    };
    for (Index deal = 0; deal < statistics.size(); ++deal) statistics[deal] *= weight(deal);
    p_values.push_back(permutation_p_values(statistics));
    DriftTestResult result{.test = test, .distance = distance, .p_val = p_values.back().front()};
    std::ranges::sort(statistics);
    const auto rank =
        static_cast<Index>(std::ceil((1 - s.options.alpha) * static_cast<double>(statistics.size())));
    result.threshold = statistics[std::clamp<Index>(rank, 1, statistics.size()) - 1] / weight(0);
    out.tests.push_back(result);
  }
  require(!p_values.empty(), Fault::argument,
          pairs_seen ? "none of the tests can be made without clusters"
                     : "of one side no row is among the " + std::to_string(s.options.max_rows) +
                           " that tests of pairs look at; " + option_name("max_rows") + " allows more");
  out.p_val = omnibus_p_value(p_values);
  if (out.enough_blocks) out.is_drift = out.p_val <= s.options.alpha * (1 + 1e-12);

  if (s.n_clusters > 0) {
    const std::vector<std::vector<double>> shifts = share_shifts(tables, deals, run);
    for (Index c = 0; c < s.n_clusters; ++c) {
      ClusterChange change{.cluster = static_cast<Label>(c),
                           .p_val = permutation_p_values(shifts[c]).front()};
      double in_old = 0, in_new = 0, old_total = 0, new_total = 0;
      for (Index u = 0; u < which.size(); ++u) {
        (side[u] ? in_old : in_new) += static_cast<double>(tables.histogram[u][c]);
        (side[u] ? old_total : new_total) += tables.rows[u];
      }
      change.old_rows = static_cast<Index>(in_old);
      change.new_rows = static_cast<Index>(in_new);
      change.old_share = in_old / old_total;
      change.new_share = in_new / new_total;
      out.clusters.push_back(change);
    }
    const std::vector<double> corrected = step_down_p_values(shifts);
    for (Index c = 0; c < s.n_clusters; ++c) {
      ClusterChange& change = out.clusters[c];
      change.corrected_p_val = corrected[c];
      if (!(corrected[c] <= s.options.alpha * (1 + 1e-12))) continue;
      const bool more = change.new_share > change.old_share;
      const double less = std::min(change.new_share, change.old_share),
                   larger = std::max(change.new_share, change.old_share);
      change.fate = less < kBorn * larger ? (more ? ClusterFate::born : ClusterFate::died)
                                          : (more ? ClusterFate::grew : ClusterFate::shrank);
    }
  }
  if (run.progress) run.progress("permute", 1, 1);
  return out;
}

std::vector<DriftTest> drift_tests(const std::string& names) {
  std::vector<DriftTest> out;
  const auto all = names_of(DriftTest{});
  if (names == "all") {
    for (Index i = 0; i < all.size(); ++i) out.push_back(static_cast<DriftTest>(i));
    return out;
  }
  std::string known;
  for (const char* name : all) known += (known.empty() ? "" : ", ") + std::string(name);
  for (std::size_t at = 0; at <= names.size();) {
    const std::size_t end = std::min(names.find(',', at), names.size());
    const std::string name = names.substr(at, end - at);
    const auto found = std::ranges::find(all, name);
    require(found != all.end(), Fault::argument,
            option_name("tests") + " names '" + name + "'; there are: all, " + known);
    const auto test = static_cast<DriftTest>(found - all.begin());
    if (!has(out, test)) out.push_back(test);
    at = end + 1;
  }
  return out;
}

}  // namespace shoal
