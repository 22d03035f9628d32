// Times a k-means on vectors from a file:
//   kmeans_bench VECTORS START|K ROUNDS THREADS LABELS_OUT [METHOD]
// METHOD is spherical (without it), euclidean, minibatch or mixture; the last two take K alone. START is a
// file of centroids, K a number (then k-means++ starts, and is timed too). Prints one line of JSON;
// LABELS_OUT gets one label a line. bench/kmeans.py runs it beside the peers.
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>

#include "shoal/cluster/kmeans/kmeans.h"
#include "shoal/cluster/kmeans/minibatch_kmeans.h"
#include "shoal/cluster/kmeans/spherical_kmeans.h"
#include "shoal/cluster/kmeans/vmf_mixture.h"
#include "shoal/core/error.h"
#include "shoal/kernels/kernels.h"
#include "shoal/store/vectors/rows_file.h"

namespace {

using namespace shoal;

double objective_of(const SphericalKMeans& s) { return s.objective(); }
double objective_of(const VmfMixture& m) { return m.log_likelihood(); }
template <class S>
double objective_of(const S& s) {
  return s.inertia();
}

/// Times `fit` and reports what it made.
template <class Fit>
int report(const char* labels_out, Fit&& fit) {
  const auto begin = std::chrono::steady_clock::now();
  const auto fitted = fit();
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::ofstream out(labels_out);
  for (const Label label : fitted.labels().of) out << label << '\n';
  std::printf("{\"seconds\": %.4f, \"objective\": %.4f, \"level\": \"%s\"}\n", took.count(),
              objective_of(fitted), kernels().level);
  return out.good() ? 0 : 1;
}

template <class KMeansOfAKind>
int lloyd_bench(const Matrix& vectors, const std::string& start, Index rounds, const Run& run,
                const char* labels_out) {
  typename KMeansOfAKind::Options options{.max_iter = rounds, .tol = 0};
  if (start.find_first_not_of("0123456789") == std::string::npos) {
    options.n_clusters = std::stoul(start);
    return report(labels_out, [&] { return KMeansOfAKind::fit(vectors, options, run); });
  }
  const Matrix centers = open_rows(start).to_matrix();
  options.n_clusters = centers.rows();
  return report(labels_out, [&] { return KMeansOfAKind::fit_from(vectors, centers, options, run); });
}

int bench(const char* const* args, const std::string& method) {
  const Matrix vectors = open_rows(args[1]).to_matrix();
  const Index rounds = std::stoul(args[3]);
  const Run run{.threads = static_cast<unsigned>(std::stoul(args[4])), .stop = {}, .progress = {}};
  if (method == "spherical") return lloyd_bench<SphericalKMeans>(vectors, args[2], rounds, run, args[5]);
  if (method == "euclidean") return lloyd_bench<KMeans>(vectors, args[2], rounds, run, args[5]);
  const Index k = std::stoul(args[2]);
  if (method == "minibatch")
    return report(args[5],
                  [&] { return MiniBatchKMeans::fit(vectors, {.n_clusters = k, .max_iter = rounds}, run); });
  if (method == "mixture")
    return report(args[5], [&] {
      return VmfMixture::fit(vectors, {.n_clusters = k, .max_iter = rounds, .tol = 0}, run);
    });
  throw Error(Fault::argument, "METHOD is \"" + method + "\"");
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6 && argc != 7) {
    std::fputs("usage: kmeans_bench VECTORS START|K ROUNDS THREADS LABELS_OUT [METHOD]\n", stderr);
    return 2;
  }
  try {
    return bench(argv, argc == 7 ? argv[6] : "spherical");
  } catch (const shoal::Error& e) {
    std::fprintf(stderr, "kmeans_bench: %s\n", e.what());
    return static_cast<int>(e.fault);
  }
}
