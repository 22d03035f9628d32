// Times the clusterers by density and the self-organising map on vectors from a file:
//   density_bench dbscan VECTORS THREADS OUT EPS MIN_SAMPLES cosine|euclidean
//   density_bench hdbscan VECTORS THREADS OUT MIN_CLUSTER_SIZE cosine|euclidean
//   density_bench som VECTORS THREADS OUT GRID_ROWS GRID_COLS N_EPOCHS
// Prints one line of JSON; OUT gets one label a line. bench/density.py runs it beside the peers.
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>

#include "shoal/cluster/density/dbscan.h"
#include "shoal/cluster/density/hdbscan.h"
#include "shoal/cluster/som/som.h"
#include "shoal/core/error.h"
#include "shoal/kernels/kernels.h"
#include "shoal/store/vectors/rows_file.h"

namespace {

using namespace shoal;

/// The most memory that this program has held; getrusage would count what its parent held when it forked.
double peak_mib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);)
    if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1024;
  return 0;
}

Metric metric(const char* name) {
  const auto found = named<Metric>(name);
  require(found.has_value(), Fault::argument, "a metric is cosine or euclidean");
  return *found;
}

int bench(int argc, const char* const* args) {
  const std::string what = args[1];
  const Matrix vectors = open_rows(args[2]).to_matrix();
  const double before = peak_mib();
  const Run run{.threads = static_cast<unsigned>(std::stoul(args[3])), .stop = {}, .progress = {}};
  const auto number = [&](int i) { return std::stoul(args[i]); };
  Labels labels;
  double value = 0;  // what is made small: the length of the spanning tree, the quantisation error
  const auto begin = std::chrono::steady_clock::now();
  if (what == "dbscan" && argc == 8) {
    labels =
        Dbscan::fit(vectors, {.eps = std::stod(args[5]), .min_samples = number(6), .metric = metric(args[7])},
                    run)
            .labels();
  } else if (what == "hdbscan" && argc == 7) {
    const Hdbscan groups =
        Hdbscan::fit(vectors, {.min_cluster_size = number(5), .metric = metric(args[6])}, run);
    labels = groups.labels();
    for (const Merge& m : groups.single_linkage().merges) value += m.height;
  } else if (what == "som" && argc == 8) {
    const Som som =
        Som::fit(vectors, {.grid_rows = number(5), .grid_cols = number(6), .n_epochs = number(7)}, run);
    labels = som.labels();
    value = som.quantisation_error();
  } else {
    throw Error(Fault::argument, "not understood: see the top of bench/density_bench.cpp");
  }
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  std::ofstream out(args[4]);
  for (const Label label : labels.of) out << label << '\n';
  std::printf(
      "{\"seconds\": %.4f, \"before_mib\": %.1f, \"peak_mib\": %.1f, \"value\": %.6f, \"level\": \"%s\"}\n",
      took.count(), before, peak_mib(), value, kernels().level);
  return out.good() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fputs("usage: density_bench dbscan|hdbscan|som VECTORS THREADS OUT OPTIONS\n", stderr);
    return 2;
  }
  try {
    return bench(argc, argv);
  } catch (const shoal::Error& e) {
    std::fprintf(stderr, "density_bench: %s\n", e.what());
    return static_cast<int>(e.fault);
  }
}
