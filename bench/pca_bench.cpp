// Times streaming PCA over a folder of batch files, and that it equals the batch PCA:
//   pca_bench FOLDER COMPONENTS THREADS TRANSFORMED_OUT
// Prints one line of JSON: seconds to learn file by file and solve, the same from all files joined, seconds
// to transform, and the largest difference of the components (sign is fixed) and of the mean to one update
// with all rows. bench/pca.py runs it.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <string>

#include "shoal/core/error.h"
#include "shoal/reduce/pca.h"
#include "shoal/store/vectors/rows_file.h"
#include "shoal/store/vectors/vector_files.h"

namespace {

double since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

int bench(const char* const* args) {
  using namespace shoal;
  const Run run{.threads = static_cast<unsigned>(std::stoul(args[3])), .stop = {}, .progress = {}};
  const PcaOptions options{.n_components = std::stoul(args[2])};
  const auto begin = std::chrono::steady_clock::now();
  const auto batches = open_vector_files(args[1]);
  Pca pca(options);
  for (const VectorFile& b : batches) pca.update(b.rows, run);
  const Index kept = pca.n_components();
  const double learnt = since(begin);

  const auto middle = std::chrono::steady_clock::now();
  const Rows all = join_vector_files(batches);
  const Matrix reduced = pca.transform(all, run);
  const double transformed = since(middle);
  write_rows(args[4], reduced);

  const auto last = std::chrono::steady_clock::now();
  const Pca whole = Pca::fit(all, options, run);
  const double joined = since(last);
  double off = 0;
  for (Index i = 0; i < kept * all.cols(); ++i)
    off = std::max(off,
                   static_cast<double>(std::abs(pca.components().data()[i] - whole.components().data()[i])));
  for (Index j = 0; j < all.cols(); ++j)
    off = std::max(off, static_cast<double>(std::abs(pca.mean()[j] - whole.mean()[j])));
  std::printf(
      "{\"seconds\": %.4f, \"joined\": %.4f, \"transform\": %.4f, \"files\": %zu, \"ratio\": %.9f, "
      "\"off_batch\": %.3g}\n",
      learnt, joined, transformed, batches.size(), pca.explained_variance_ratio(), off);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 5) {
    std::fputs("usage: pca_bench FOLDER COMPONENTS THREADS TRANSFORMED_OUT\n", stderr);
    return 2;
  }
  try {
    return bench(argv);
  } catch (const shoal::Error& e) {
    std::fprintf(stderr, "pca_bench: %s\n", e.what());
    return static_cast<int>(e.fault);
  }
}
