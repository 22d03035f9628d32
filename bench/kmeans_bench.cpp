// Times SphericalKMeans on vectors from a file:
//   kmeans_bench VECTORS START|K ROUNDS THREADS LABELS_OUT
// START is a file of centroids, K a number (then k-means++ starts, and is timed too). Prints one line of
// JSON; LABELS_OUT gets one label a line. bench/kmeans.py runs it beside the peers.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "shoal/cluster/spherical_kmeans.h"
#include "shoal/core/error.h"
#include "shoal/kernels/kernels.h"
#include "shoal/store/rows_file.h"

namespace {

int bench(const char* const* args) {
  using namespace shoal;
  const Matrix vectors = open_rows(args[1]).to_matrix();
  const std::string start = args[2];
  const bool given = start.find_first_not_of("0123456789") != std::string::npos;
  const Matrix centers = given ? open_rows(start).to_matrix() : Matrix();
  SphericalKMeansOptions options{
      .n_clusters = given ? centers.rows() : std::stoul(start), .max_iter = std::stoul(args[3]), .tol = 0};
  const Run run{.threads = static_cast<unsigned>(std::stoul(args[4])), .stop = {}, .progress = {}};
  const auto begin = std::chrono::steady_clock::now();
  const auto fitted = given ? SphericalKMeans::fit_from(vectors, centers, options, run)
                            : SphericalKMeans::fit(vectors, options, run);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::ofstream out(args[5]);
  for (const Label label : fitted.labels().of) out << label << '\n';
  std::printf("{\"seconds\": %.4f, \"objective\": %.4f, \"rounds\": %zu, \"level\": \"%s\"}\n", took.count(),
              fitted.objective(), fitted.n_iter(), kernels().level);
  return out.good() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fputs("usage: kmeans_bench VECTORS START|K ROUNDS THREADS LABELS_OUT\n", stderr);
    return 2;
  }
  try {
    return bench(argv);
  } catch (const shoal::Error& e) {
    std::fprintf(stderr, "kmeans_bench: %s\n", e.what());
    return static_cast<int>(e.fault);
  }
}
