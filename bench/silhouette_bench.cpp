// Times the exact cosine silhouette of vectors and labels from files:
//   silhouette_bench VECTORS.npy LABELS.txt THREADS OUT
// LABELS.txt has one label a line. Prints one line of JSON; OUT gets each row's silhouette, one a line.
// bench/silhouette.py runs it beside scikit-learn.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <ctime>
#include <fstream>
#include <string>

#include "shoal/core/error.h"
#include "shoal/measure/separation.h"
#include "shoal/measure/silhouette.h"
#include "shoal/store/vectors/rows_file.h"

namespace {

double peak_mib() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

int bench(const char* const* args) {
  using namespace shoal;
  using Clock = std::chrono::steady_clock;
  const Matrix vectors = open_rows(args[1]).to_matrix();
  Labels labels;
  std::ifstream in(args[2]);
  for (Label label; in >> label;) {
    labels.of.push_back(label);
    labels.count = std::max(labels.count, static_cast<Index>(label + 1));
  }
  const Run run{.threads = static_cast<unsigned>(std::stoul(args[3])), .stop = {}, .progress = {}};
  const double before = peak_mib();
  const std::clock_t cpu = std::clock();
  const auto begin = Clock::now();
  const Silhouette found = silhouette(vectors, labels, Metric::cosine, run);
  const std::chrono::duration<double> took = Clock::now() - begin;
  const double used = static_cast<double>(std::clock() - cpu) / CLOCKS_PER_SEC;
  const double more = peak_mib() - before;
  const auto again = Clock::now();
  const Separation all = judge_labels(vectors, labels, {}, run);
  const std::chrono::duration<double> judged = Clock::now() - again;
  std::ofstream out(args[4]);
  for (const double value : found.of_row) out << value << '\n';
  std::printf(
      "{\"seconds\": %.4f, \"cpu\": %.4f, \"mean\": %.9f, \"mib\": %.1f, \"all_measures\": %.4f, "
      "\"davies_bouldin\": %.6f}\n",
      took.count(), used, found.mean, more, judged.count(), all.davies_bouldin);
  return out.good() ? 0 : 1;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fputs("usage: silhouette_bench VECTORS LABELS THREADS OUT\n", stderr);
    return 2;
  }
  try {
    return bench(argv);
  } catch (const shoal::Error& e) {
    std::fprintf(stderr, "silhouette_bench: %s\n", e.what());
    return static_cast<int>(e.fault);
  }
}
