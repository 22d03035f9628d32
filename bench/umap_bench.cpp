// Times Umap, or the neighbours that it begins with, on vectors from a file:
//   umap_bench layout VECTORS THREADS OUT.npy        rows x 2
//   umap_bench neighbours VECTORS THREADS OUT.npy    rows x 15, ids as floats
// Prints one line of JSON. bench/layout.py and bench/neighbours.py run it beside the peers.
#include <chrono>
#include <cstdio>
#include <map>
#include <string>

#include "shoal/core/error.h"
#include "shoal/kernels/kernels.h"
#include "shoal/reduce/umap/umap.h"
#include "shoal/store/vectors/rows_file.h"

namespace {

using namespace shoal;
using Clock = std::chrono::steady_clock;

double since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

void layout(const Matrix& x, Run run, const char* out) {
  const Clock::time_point begin = Clock::now();
  double neighbours = 0;  // until the first word from the layout
  run.progress = [&](std::string_view step, double, double) {
    if (step == "neighbours") neighbours = since(begin);
  };
  const Umap map = Umap::fit(x, {}, run);
  std::printf("{\"seconds\": %.3f, \"neighbours\": %.3f, \"level\": \"%s\"}\n", since(begin), neighbours,
              kernels().level);
  write_rows(out, map.embedding());
}

void neighbours(const Matrix& x, const Run& run, const char* out) {
  const Clock::time_point begin = Clock::now();
  const Neighbours near = nearest_neighbours(x, 15, Metric::cosine, run);
  std::printf("{\"seconds\": %.3f, \"level\": \"%s\"}\n", since(begin), kernels().level);
  Matrix ids(near.rows(), near.k);
  for (Index i = 0; i < near.id.size(); ++i) ids.data()[i] = static_cast<float>(near.id[i]);
  write_rows(out, ids);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc == 5 ? argv[1] : "";
  if (what != "layout" && what != "neighbours") {
    std::fputs("usage: umap_bench layout|neighbours VECTORS THREADS OUT.npy\n", stderr);
    return 2;
  }
  try {
    const Matrix x = open_rows(argv[2]).to_matrix();
    const Run run{.threads = static_cast<unsigned>(std::stoul(argv[3])), .stop = {}, .progress = {}};
    if (what == "layout")
      layout(x, run, argv[4]);
    else
      neighbours(x, run, argv[4]);
    return 0;
  } catch (const Error& e) {
    std::fprintf(stderr, "umap_bench: %s\n", e.what());
    return static_cast<int>(e.fault);
  }
}
