// shoal as a library: texts to vectors to groups. usage: example MODEL_FOLDER
#include <cstdio>

#include "shoal/cluster/kmeans/spherical_kmeans.h"
#include "shoal/core/error.h"
#include "shoal/encode/encoder.h"

int main(int argc, char** argv) try {
  const auto encoder = shoal::Encoder::load(argc > 1 ? argv[1] : "");

  shoal::Texts texts;
  for (const char* text : {"the cat sleeps", "a dog runs", "shares fell today", "the bank raised rates"})
    texts.add(text);

  const shoal::Matrix vectors = encoder.encode(texts);
  const auto groups =
      shoal::SphericalKMeans::fit(shoal::Rows(vectors, encoder.space()), {.n_clusters = 2, .n_init = 10});
  for (shoal::Index i = 0; i < texts.size(); ++i)
    std::printf("%d  %.*s\n", groups.labels().of[i], static_cast<int>(texts[i].size()), texts[i].data());
} catch (const shoal::Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return static_cast<int>(error.fault);
}
