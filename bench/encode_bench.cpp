// encode_bench MODEL TEXTS.jsonl ROUNDS THREADS OUT.f32: texts a second of Encoder::encode, as JSON, and the
// vectors as raw float32 for comparing. TEXTS holds one JSON string a line.
//
// A slice of the texts is encoded, then the products of the linear layers alone are run for as long, in turn,
// by the same threads: what share of that rate the encoder keeps is the median over the slices, so that a
// machine whose speed changes from second to second does not blur it.

#include <algorithm>
#include <array>
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
#include "shoal/kernels/kernels.h"
#include "shoal/linear/product.h"
#include "shoal/tokenize/tokenizer.h"

namespace {

using namespace shoal;

double now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

/// The products of the model's linear layers alone, as the encoder cuts them, on made-up numbers.
class LinearLayers {
 public:
  LinearLayers() {
    for (Index i = 0; i < a_.rows() * a_.cols(); ++i) a_.data()[i] = static_cast<float>(i % 7) - 3;
    for (const auto& [terms, outputs] : kShapes) {
      Matrix weight(outputs, terms);
      for (Index i = 0; i < outputs * terms; ++i) weight.data()[i] = static_cast<float>(i % 5) - 2;
      packed_.push_back(Packed::rows(weight.view()));
    }
  }
  /// Seconds for one layer over about `tokens` rows, without bias and activation, by all threads.
  double seconds(Index tokens, const Run& run) {
    const Index blocks = std::max<Index>(1, tokens / kRows);
    const double start = now();
    for_chunks(run, blocks, 1, [&](Index, Index, Index) {
      thread_local Matrix c(kRows, 1536);
      for (Index i = 0; i < kShapes.size(); ++i)
        multiply({a_.data(), kRows, kShapes[i].first, kShapes[i].first}, packed_[i], {}, Activation::none,
                 {c.data(), kRows, kShapes[i].second, kShapes[i].second});
    });
    return (now() - start) * static_cast<double>(tokens) / static_cast<double>(blocks * kRows);
  }
  static double flops(Index tokens) {
    double sum = 0;
    for (const auto& [terms, outputs] : kShapes) sum += 2.0 * static_cast<double>(tokens * terms * outputs);
    return sum;
  }

 private:
  static constexpr Index kRows = 256;
  static constexpr std::array<std::pair<Index, Index>, 4> kShapes{
      {{384, 1152}, {384, 384}, {384, 1536}, {1536, 384}}};
  Matrix a_{kRows, 1536};
  std::vector<Packed> packed_;
};

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
  LinearLayers linear;
  linear.seconds(2048, run);
  constexpr Index kSliceTokens = 8192;
  const Index slices = std::max<Index>(1, tokens / kSliceTokens), layers = 6;
  std::vector<double> seconds, shares, rates;
  double cpu = 0;  // of all threads: says more than the clock on the wall when others use the machine
  Matrix vectors(texts.size(), encoder.space().dims);
  for (int round = 0; round < rounds; ++round) {
    double whole = 0;
    for (Index slice = 0; slice < slices; ++slice) {
      const Index first = texts.size() * slice / slices, last = texts.size() * (slice + 1) / slices;
      const Index part = tokenizer.encode(texts, first, last - first, encoder.max_tokens()).ids.size();
      const double start = now();
      const std::clock_t spent = std::clock();
      const Matrix found = encoder.encode(texts, first, last - first, {}, run).to_matrix();
      const double took = now() - start;
      cpu += static_cast<double>(std::clock() - spent) / CLOCKS_PER_SEC / rounds;
      whole += took;
      std::copy_n(found.data(), found.rows() * found.cols(), vectors[first].data());
      const double alone = linear.seconds(part * layers, run);
      shares.push_back(encoder.flops(part) / took / (LinearLayers::flops(part * layers) / alone));
      rates.push_back(LinearLayers::flops(part * layers) / alone);
    }
    seconds.push_back(whole);
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
      static_cast<double>(texts.size()) / cpu, rate / 1e9, median(rates) / 1e9, median(shares));
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
