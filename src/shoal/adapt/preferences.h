#pragma once

#include <span>
#include <vector>

#include "shoal/adapt/feedback.h"
#include "shoal/core/labels.h"
#include "shoal/core/matrix.h"
#include "shoal/core/random.h"
#include "shoal/core/run.h"

namespace shoal {

class ArchiveWriter;
class ArchiveReader;

/// What somebody thinks of pairs of clusters of a corpus: a text belongs to cluster c by
/// h_c = softmax(temperature * cos(text, centroid c)); of the accepted pairs of clusters c and d there are
/// P = sum of h_c(a) h_d(b), of the rejected ones N, and the preference is (P - N) / (P + N + 1): -1..1, and
/// near 0 where little was said.
class ClusterPreferences {
 public:
  /// centers: of the corpus, unit rows. All is 0.
  explicit ClusterPreferences(Matrix centers, float temperature = 30);
  /// From pairs of texts (rows of length 1). O(pairs n_centroids^2).
  void learn(MatrixView texts, const std::vector<JudgedPair>& pairs);
  /// From all pairs of labelled texts: those of one label are accepted, the others rejected. kNoise left out.
  void learn(MatrixView texts, const Labels& labels);

  /// rows x centroids: h. x: rows of length 1.
  Matrix memberships(MatrixView x) const;
  /// v with v . h(g) = h(q)' L h(g).
  std::vector<float> ask(std::span<const float> membership) const;
  const Matrix& centers() const { return centers_; }
  const Matrix& table() const { return table_; }  ///< L, symmetric

  void save(ArchiveWriter& out) const;
  static ClusterPreferences load(const ArchiveReader& in, Index dims);

 private:
  void keep(const std::vector<double>& accepted, const std::vector<double>& rejected);
  Matrix centers_, table_;
  float temperature_;
};

}  // namespace shoal
