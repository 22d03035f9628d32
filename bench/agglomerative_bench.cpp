// Times Agglomerative on vectors from a file:
//   agglomerative_bench VECTORS LINKAGE METRIC THREADS HEIGHTS_OUT
// Prints one line of JSON with the seconds and the most memory used; HEIGHTS_OUT gets the heights, one a
// line. bench/agglomerative.py runs it beside the peers.
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <string>

#include "shoal/cluster/linkage/agglomerative.h"
#include "shoal/core/error.h"
#include "shoal/kernels/kernels.h"
#include "shoal/store/vectors/rows_file.h"

namespace {

int bench(const char* const* args) {
  using namespace shoal;
  const auto linkage = named<Linkage>(args[2]);
  const auto metric = named<Metric>(args[3]);
  require(linkage && metric, Fault::argument, "no such linkage or metric");
  const Matrix vectors = open_rows(args[1]).to_matrix();
  const Run run{.threads = static_cast<unsigned>(std::stoul(args[4])), .stop = {}, .progress = {}};
  const auto begin = std::chrono::steady_clock::now();
  const auto fitted = Agglomerative::fit(
      vectors, {.n_clusters = 20, .linkage = *linkage, .metric = *metric, .memory_bytes = Index{1} << 40},
      run);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  std::FILE* out = std::fopen(args[5], "w");
  require(out != nullptr, Fault::file, "the heights cannot be written");
  for (const Merge& m : fitted.dendrogram().merges) std::fprintf(out, "%.17g\n", m.height);
  const bool written = std::fclose(out) == 0;
  std::printf("{\"seconds\": %.3f, \"mib\": %.0f, \"agreement\": %.4f, \"level\": \"%s\"}\n", took.count(),
              static_cast<double>(usage.ru_maxrss) / 1024, fitted.placement_agreement(), kernels().level);
  return written ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fputs("usage: agglomerative_bench VECTORS LINKAGE METRIC THREADS HEIGHTS_OUT\n", stderr);
    return 2;
  }
  try {
    return bench(argv);
  } catch (const shoal::Error& e) {
    std::fprintf(stderr, "agglomerative_bench: %s\n", e.what());
    return static_cast<int>(e.fault);
  }
}
