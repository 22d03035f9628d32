#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "shoal/adapt/feedback.h"
#include "shoal/adapt/profile.h"

namespace shoal {

/// A measure before and after, on what was held out.
struct HeldOutGain {
  double before = 0, after = 0;
  double gain = 0;                                    ///< mean of the differences
  double error = 0;                                   ///< its standard error
  Index n = 0;                                        ///< judgements, or queries, that it rests on
  double low() const { return gain - 1.96 * error; }  ///< 95% interval
  double high() const { return gain + 1.96 * error; }
};

/// How far a profile is trusted.
enum class Trust : std::uint8_t {
  none,    ///< held-out feedback is not told better: nothing changes
  order,   ///< the order below the top changes, the top stays
  gentle,  ///< the top changes a little too, which held-out feedback does not speak against
  top      ///< the top changes as far as held-out feedback proves gains
};
constexpr auto names_of(Trust) { return std::array{"none", "order", "gentle", "top"}; }

/// What the guard has seen and decided.
struct PersonaliseReport {
  bool of_labels = false;
  Index texts = 0, accepted = 0, rejected = 0, labels = 0;  ///< of the feedback, after conflicts
  FeedbackConflicts conflicts;
  HeldOutGain order;  ///< pairs: area under the curve; labels: average precision
  struct Top {
    Strength strength;
    HeldOutGain precision;  ///< of the first `keep`
  };
  std::vector<Top> tops;  ///< the strengths that were compared
  Trust trust = Trust::none;
  std::string reason;  ///< why there is no trust; empty: `order` and `tops` say it
};

/// Learns a profile and lets held-out feedback say how far it may go. corpus: what is searched, texts: those
/// of the feedback, both of one space.
///
/// Pairs: the texts of the feedback are dealt out to folds; a profile learnt from the pairs without a text of
/// the fold is asked about the others. Its order is used if it tells accepted from rejected pairs better
/// (area under the curve) by more than one bootstrap error.
/// For the top the texts held out are queries
/// against the corpus: of hits that enter the first `keep` and those that leave, the chance to be accepted is
/// taken from the held-out pairs between the same two clusters, drawn to a logistic fit of cosine and
/// profile; its interval counts clusters, not texts. Of the strengths better than none by their 95% interval
/// the best is used; if there is none, the gentlest, unless it is worse by its interval. Labels: the same
/// with average precision and precision of the first `keep` among the labelled texts held out. Takes n_folds
/// + 1 times what Profile::fit takes. Error(data) as Profile::fit.
Profile personalise(const CorpusClusters& clusters, const Rows& corpus, const Rows& texts,
                    const std::vector<JudgedPair>& pairs, const ProfileOptions& options,
                    PersonaliseReport& report, const Run& run = {});
Profile personalise(const CorpusClusters& clusters, const Rows& corpus, const Rows& texts,
                    const Labels& labels, const ProfileOptions& options, PersonaliseReport& report,
                    const Run& run = {});

/// How well held-out pairs are told apart (area under the curve, 0..1) after learning from so many.
struct CurvePoint {
  std::string way;  ///< what learns
  Index pairs = 0;
  double seen = 0, unseen = 0;                ///< clusters of texts that the learning has, and has not seen
  double seen_before = 0, unseen_before = 0;  ///< by the cosine alone
};

/// A learning curve: pairs inside a third of the clusters of the feedback's texts are never learnt from.
/// Ways: the profile with its gate; its map alone, without a gate, of full width, of rank 16, and with a
/// distance loss. Empty if there are fewer than 60 pairs or either side lacks accepted or rejected ones.
std::vector<CurvePoint> learning_curve(const CorpusClusters& clusters, const Rows& texts,
                                       const std::vector<JudgedPair>& pairs, const ProfileOptions& options,
                                       const Run& run = {});

}  // namespace shoal
