// static_bench MODEL TEXTS.jsonl ROUNDS THREADS OUT.f32: seconds of Encoder::encode of all texts, one line of
// JSON, and the vectors as raw float32 for comparing. TEXTS holds one JSON string a line. Nothing of one
// round is left for the next but what the model keeps by itself.

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <nlohmann/json.hpp>

#include "shoal/core/error.h"
#include "shoal/encode/encoder.h"

namespace {

using namespace shoal;

int run_bench(char** argv) {
  std::ifstream in(argv[2]);
  Texts texts;
  for (std::string line; std::getline(in, line);) texts.add(nlohmann::json::parse(line).get<std::string>());
  const Run run{static_cast<unsigned>(std::atoi(argv[4])), {}, {}, {}};
  nlohmann::json seconds = nlohmann::json::array();
  Matrix vectors;
  for (int round = 0; round < std::atoi(argv[3]); ++round) {
    const Encoder encoder = Encoder::load(argv[1]);  // anew: what a round has learnt is not the next one's
    encoder.encode(texts, 0, std::min<Index>(texts.size(), 2000), {}, run);  // warm, as the peer
    const auto start = std::chrono::steady_clock::now();
    vectors = encoder.encode(texts, {}, run).to_matrix();
    seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::ofstream out(argv[5], std::ios::binary);
  out.write(reinterpret_cast<const char*>(vectors.data()),
            static_cast<std::streamsize>(vectors.rows() * vectors.cols() * sizeof(float)));
  std::printf("%s\n", nlohmann::json({{"seconds", seconds}, {"texts", texts.size()}}).dump().c_str());
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) {
    std::fprintf(stderr, "usage: static_bench MODEL TEXTS.jsonl ROUNDS THREADS OUT.f32\n");
    return 2;
  }
  try {
    return run_bench(argv);
  } catch (const Error& error) {
    std::fprintf(stderr, "static_bench: %s\n", error.what());
    return static_cast<int>(error.fault);
  }
}
