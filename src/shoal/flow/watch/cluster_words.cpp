#include "shoal/flow/watch/cluster_words_impl.h"

#include <algorithm>

#include "shoal/explain/ctfidf.h"

namespace shoal {

std::vector<std::string> words_of_clusters(const Labels& labels, const Texts& texts,
                                           const std::string& unnamed, const Run& run) {
  std::vector<std::string> out;
  if (texts.size() > 0) {
    CtfidfOptions words;
    words.min_count = std::min<Index>(3, std::max<Index>(1, texts.size() / 100));
    Ctfidf counts(labels.count, words);
    counts.add(texts, labels.of.data(), run);
    for (const auto& best : counts.top_words()) out.push_back(cluster_name(best));
  }
  out.resize(labels.count);
  for (Index c = 0; c < out.size(); ++c)
    if (out[c].empty()) out[c] = unnamed + " " + std::to_string(c);
  return out;
}

}  // namespace shoal
