#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "shoal/adapt/feedback.h"
#include "shoal/adapt/gate.h"
#include "shoal/adapt/pair_map.h"
#include "shoal/adapt/preferences.h"
#include "shoal/core/fields.h"
#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"
#include "shoal/core/stage.h"

namespace shoal {

/// What a profile may be told.
struct ProfileOptions {
  Index n_centroids = 150;  ///< clusters of the corpus between which preferences are kept
  Index rank = 64;          ///< of the map; 0: as large as it is learnt
  double lambda = 1;        ///< penalty of the map of labels
  Index keep = 10;          ///< hits of the top that only proven gains may change
  Seed seed{42};
};
template <class V>
void fields(ProfileOptions& o, V&& visit) {
  visit("n_centroids", o.n_centroids, "clusters of the texts between which preferences are kept",
        between(2, 1000));
  visit("rank", o.rank, "rank of the map; 0: as large as it is learnt");
  visit("lambda", o.lambda, "penalty of the map of labels", above(0));
  visit("keep", o.keep, "hits of the top that only proven gains may change", at_least(1));
  visit("seed", o.seed, "start of all randomness");
}

/// How much the map and the preferences count beside the cosine, which counts 1.
struct Strength {
  float map = 0, preferences = 0;
  bool none() const { return map == 0 && preferences == 0; }
  bool operator==(const Strength&) const = default;
};

/// The clusters of what is searched and a sample of it: found once, for all profiles of it.
struct CorpusClusters {
  Space space;     ///< of the corpus, its dims known
  Matrix centers;  ///< unit rows
  Matrix sample;   ///< at most 3,000 rows of length 1, drawn by the seed
  /// The sample without rows that equal one of the texts, if any are left.
  CorpusClusters without(MatrixView texts) const;
  /// From at most 20,000 rows, drawn by the seed. Error(data) for rows that are not finite or all 0.
  static CorpusClusters of(const Rows& corpus, const ProfileOptions& options = {}, const Run& run = {});
};

/// The feedback of one user or tenant, as it bends the order of hits: the encoder and the vectors stay as
/// they are. Of a query q and a text g, both of length 1:
///
///   cos(q, g) + w(q) [map cos(Mq, Mg) + preferences h(q)' L h(g)]
///
/// M is a map learnt from the feedback (pair_map.h), h and L are ClusterPreferences, and w is FeedbackGate:
/// a query that is far from all that the feedback was about is answered as if there were no profile. Two such
/// scores are kept apart. `order` (w wide) orders the hits below the top; `top`, of smaller strength and a
/// narrow w, says which `keep` hits stand first, since there the cosine is mostly right. Which strengths are
/// given is for `personalise` to find out.
class Profile {
 public:
  using Options = ProfileOptions;
  static constexpr std::string_view kind = "profile";

  /// Learns the map and the preferences from pairs of texts, which must be of the corpus' space. The
  /// strengths are 0: see `set_strengths`. Error(data) unless there are accepted and rejected pairs, and for
  /// rows that are not finite.
  static Profile fit(const CorpusClusters& corpus, const Rows& texts, const std::vector<JudgedPair>& pairs,
                     const Options& options = {}, const Run& run = {});
  /// The same from texts in folders (labels; kNoise: in none). Error(data) if fewer than two labels have
  /// rows.
  static Profile fit(const CorpusClusters& corpus, const Rows& texts, const Labels& labels,
                     const Options& options = {}, const Run& run = {});
  void set_strengths(Strength order, Strength top) { order_ = order, top_ = top; }
  Strength order() const { return order_; }
  Strength top() const { return top_; }
  /// It changes nothing.
  bool identity() const { return order_.none() && top_.none(); }

  /// A query, ready to be compared.
  struct Query {
    std::vector<float> mapped, preferred;
    float wide = 0, narrow = 0;
  };
  Query ask(std::span<const float> q) const;  ///< q: of length 1
  /// Rows of length 1, mapped and placed among the clusters: what of a text does not depend on the query.
  struct Texts {
    Matrix mapped, memberships;
  };
  Texts prepare(MatrixView x) const;
  /// cos(Mq, Mg) and h(q)' L h(g) of each row of `texts`.
  void compare(const Query& query, const Texts& texts, std::span<float> map,
               std::span<float> preferred) const;  // out: map, preferred
  /// Adds what the profile adds to the cosine. order, top: one number a row of `texts`.
  void add(const Query& query, const Texts& texts, std::span<float> order,
           std::span<float> top) const;  // in and out: order, top

  /// Rows for what compares rows with each other (clusters, classes, maps): [x, w(x) sqrt(map) M x / |M x|],
  /// scaled to length 1; rows x out_dims. As they are, but of length 1, for an identity. Error(data) for rows
  /// of another space or dimension.
  Rows applied(const Rows& x) const;
  Index out_dims() const;
  Space out_space() const;

  const Space& space() const& { return space_; }
  Space space() && { return std::move(space_); }
  const Options& options() const& { return options_; }
  Options options() && { return std::move(options_); }
  bool of_labels() const { return !residual_; }

  void save(ArchiveWriter& out) const;  ///< numbers of 16 bits
  static Profile load(const ArchiveReader& in);

 private:
  Profile(const CorpusClusters& corpus, const Matrix& about, const Options& options, const Run& run);
  Profile(Space space, Options options, ClusterPreferences preferences, FeedbackGate gate);
  void take_map(Matrix map);
  void map_rows(MatrixView x, MatrixSpan out) const;  // out: out, scaled to length 1
  Index mapped_dims() const { return left_.rows() > 0 ? left_.rows() : right_.rows(); }

  Space space_;
  Options options_;
  Strength order_, top_;
  bool residual_ = true;  // mapped x = x + W x, else W x
  Matrix left_, right_;   // W = left right; left empty: W = right
  ClusterPreferences preferences_;
  FeedbackGate gate_;
};
static_assert(Stage<Profile>);

/// Which hits come first: the `keep` with the largest top score, in that order, then the others by `order`;
/// ties to the smaller row.
std::vector<Index> personal_order(std::span<const float> order, std::span<const float> top, Index keep,
                                  Index n);

}  // namespace shoal
