// encode_bench MODEL TEXTS.jsonl ROUNDS THREADS OUT.f32: texts a second of Encoder::encode, as JSON, and the
// vectors as raw float32 for comparing. TEXTS holds one JSON string a line.
//
// The gemm peak is the best rate of this machine, in the same process and with as many threads, at the four
// shapes of the model's linear layers, without bias and activation; the share counts the linear layers alone.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <nlohmann/json.hpp>
#include <vector>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/encode/encoder.h"
#include "shoal/linear/product.h"
#include "shoal/tokenize/tokenizer.h"

namespace {

using namespace shoal;

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// Flops a second of a (rows x terms) times b (terms x outputs) by all threads, each on its own rows.
double gemm_rate(Index terms, Index outputs, const Run& run) {
  constexpr Index kRows = 224, kPieces = 16;
  Matrix weight(outputs, terms), a(kRows * kPieces, terms), c(kRows * kPieces, outputs);
  for (Index i = 0; i < a.rows() * terms; ++i) a.data()[i] = static_cast<float>(i % 7) - 3;
  for (Index i = 0; i < outputs * terms; ++i) weight.data()[i] = static_cast<float>(i % 5) - 2;
  const Packed packed = Packed::rows(weight.view());
  double best = 0;
  for (int round = 0; round < 7; ++round) {
    const double start = now();
    for_chunks(run, a.rows(), kRows, [&](Index, Index first, Index last) {
      multiply(a.view().slice(first, last - first), packed, {}, Activation::none,
               c.span().slice(first, last - first));
    });
    best = std::max(best, 2.0 * static_cast<double>(a.rows() * terms * outputs) / (now() - start));
  }
  return best;
}

double median(std::vector<double> x) {
  std::sort(x.begin(), x.end());
  return x[x.size() / 2];
}

int run_bench(char** argv) {
  const Encoder encoder = Encoder::load(argv[1]);
  std::ifstream in(argv[2]);
  Texts texts;
  for (std::string line; std::getline(in, line);) texts.add(nlohmann::json::parse(line).get<std::string>());
  const int rounds = std::atoi(argv[3]);
  const Run run{.threads = static_cast<unsigned>(std::atoi(argv[4]))};
  const Tokenizer tokenizer = Tokenizer::load(std::filesystem::path(argv[1]) / "tokenizer.json");
  const Index tokens = tokenizer.encode(texts, 0, texts.size(), encoder.max_tokens()).ids.size();

  encoder.encode(texts, 0, std::min<Index>(texts.size(), 64), {}, run);  // warm
  std::vector<double> seconds;
  double cpu = 0;  // of all threads: says more than the clock on the wall when others use the machine
  double peak = 0;
  Matrix vectors;
  for (int round = 0; round < rounds; ++round) {
    const double start = now();
    const std::clock_t spent = std::clock();
    vectors = encoder.encode(texts, {}, run);
    seconds.push_back(now() - start);
    cpu += static_cast<double>(std::clock() - spent) / CLOCKS_PER_SEC / rounds;
    for (const auto& [terms, outputs] :
         {std::pair<Index, Index>{384, 1152}, {384, 384}, {384, 1536}, {1536, 384}})
      peak = std::max(peak, gemm_rate(terms, outputs, run));
  }
  std::ofstream out(argv[5], std::ios::binary);
  out.write(reinterpret_cast<const char*>(vectors.data()),
            static_cast<std::streamsize>(vectors.rows() * vectors.cols() * sizeof(float)));
  const double typical = median(seconds);
  const double rate = encoder.flops(tokens) / typical;
  std::printf(
      "{\"who\": \"shoal\", \"level\": \"%s\", \"texts\": %zu, \"tokens\": %zu, \"texts_per_second\": %.1f, "
      "\"best_texts_per_second\": %.1f, \"texts_per_cpu_second\": %.1f, \"linear_gflops\": %.1f, "
      "\"gemm_peak_gflops\": %.1f, \"share_of_gemm_peak\": %.3f}\n",
      kernels().level, texts.size(), tokens, static_cast<double>(texts.size()) / typical,
      static_cast<double>(texts.size()) / *std::min_element(seconds.begin(), seconds.end()),
      static_cast<double>(texts.size()) / cpu, rate / 1e9, peak / 1e9, rate / peak);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(stderr, "usage: encode_bench MODEL TEXTS.jsonl ROUNDS THREADS OUT.f32\n");
    return 2;
  }
  try {
    return run_bench(argv);
  } catch (const Error& error) {
    std::fprintf(stderr, "encode_bench: %s\n", error.what());
    return static_cast<int>(error.fault);
  }
}
