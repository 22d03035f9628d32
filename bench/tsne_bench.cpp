// Times Tsne on vectors from a file, with its defaults and cosine:
//   tsne_bench VECTORS THREADS OUT.npy [SEED]    rows x 2
// Prints one line of JSON. bench/tsne.py runs it beside openTSNE.
#include <chrono>
#include <cstdio>
#include <string>

#include "shoal/core/error.h"
#include "shoal/kernels/kernels.h"
#include "shoal/reduce/tsne/tsne.h"
#include "shoal/store/vectors/rows_file.h"

namespace {

using namespace shoal;
using Clock = std::chrono::steady_clock;

double since(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

void layout(const Matrix& x, Run run, const char* out, const TsneOptions& options) {
  const Clock::time_point begin = Clock::now();
  double neighbours = 0, start = 0;  // until neighbours are found; until the first iteration is done
  run.progress = [&](std::string_view step, double, double) {
    if (step == "neighbours")
      neighbours = since(begin);
    else if (start == 0)
      start = since(begin);
  };
  const Tsne map = Tsne::fit(x, options, run);
  std::printf("{\"seconds\": %.3f, \"neighbours\": %.3f, \"start\": %.3f, \"kl\": %.5f, \"level\": \"%s\"}\n",
              since(begin), neighbours, start, static_cast<double>(map.kl_divergence()), kernels().level);
  write_rows(out, map.embedding());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 && argc != 5) {
    std::fputs("usage: tsne_bench VECTORS THREADS OUT.npy [SEED]\n", stderr);
    return 2;
  }
  try {
    const Matrix x = open_rows(argv[1]).to_matrix();
    TsneOptions options;
    if (argc == 5) options.seed = {std::stoull(argv[4])};
    layout(x, {.threads = static_cast<unsigned>(std::stoul(argv[2])), .stop = {}, .progress = {}}, argv[3],
           options);
    return 0;
  } catch (const Error& e) {
    std::fprintf(stderr, "tsne_bench: %s\n", e.what());
    return static_cast<int>(e.fault);
  }
}
