// Times Logistic on vectors and labels from files:
//   logistic_bench VECTORS LABELS C TOL THREADS WEIGHTS_OUT
// LABELS has one number a line. WEIGHTS_OUT gets classes x (columns + 1) as .npy, the intercept last. Prints
// one line of JSON. bench/logistic.py runs it beside scikit-learn.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>

#include "shoal/classify/logistic.h"
#include "shoal/core/error.h"
#include "shoal/store/vectors/rows_file.h"

namespace {

int bench(const char* const* args) {
  using namespace shoal;
  const Matrix vectors = open_rows(args[1]).to_matrix();
  Labels labels;
  std::ifstream in(args[2]);
  for (Label label; in >> label;) {
    labels.of.push_back(label);
    labels.count = std::max(labels.count, static_cast<Index>(label + 1));
  }
  const LogisticOptions options{.c = std::stod(args[3]), .tol = std::stod(args[4])};
  const Run run{.threads = static_cast<unsigned>(std::stoul(args[5])), .stop = {}, .progress = {}};
  const auto begin = std::chrono::steady_clock::now();
  const Logistic l = Logistic::fit(vectors, labels, options, run);
  const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
  Matrix weights(l.n_classes(), vectors.cols() + 1);
  for (Index c = 0; c < l.n_classes(); ++c) {
    std::ranges::copy(l.coefficients()[c], weights[c].begin());
    weights[c][vectors.cols()] = l.intercepts()[c];
  }
  write_rows(args[6], weights);
  std::printf("{\"seconds\": %.4f, \"loss\": %.9f, \"evaluations\": %zu, \"converged\": %s}\n", took.count(),
              l.loss(), l.n_iter(), l.converged() ? "true" : "false");
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 7) {
    std::fputs("usage: logistic_bench VECTORS LABELS C TOL THREADS WEIGHTS_OUT\n", stderr);
    return 2;
  }
  try {
    return bench(argv);
  } catch (const shoal::Error& e) {
    std::fprintf(stderr, "logistic_bench: %s\n", e.what());
    return static_cast<int>(e.fault);
  }
}
