// Steps of training an encoder, timed part by part.
//
//   train_bench MODEL PAIRS.txt [--batch N] [--steps N] [--dropout P] [--loss NAME] [--threads N]
//
// PAIRS: lines of two texts parted by a tab, and a score where the loss wants one. Prints JSON: seconds a
// step (median), tokens a second, and the rate of the three products of each linear layer beside that of one
// large product on the same threads.

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "shoal/core/chunks.h"
#include "shoal/kernels/kernels.h"
#include "shoal/learn/adamw.h"
#include "shoal/linear/product.h"
#include "shoal/train/backward_impl.h"
#include "shoal/train/encoder.h"
#include "shoal/train/loss.h"

namespace {

using namespace shoal;
using Clock = std::chrono::steady_clock;

double since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

double median(std::vector<double> x) {
  std::ranges::sort(x);
  return x.empty() ? 0 : x[x.size() / 2];
}

/// Multiply-adds x 2 a second of a product of 4096 x 384 by 1536, rows on all threads.
double gemm_rate(const Run& run) {
  Matrix a(4096, 384), b(1536, 384), c(4096, 1536);
  for (Index i = 0; i < 4096 * 384; ++i) a.data()[i] = static_cast<float>(i % 7) - 3;
  for (Index i = 0; i < 1536 * 384; ++i) b.data()[i] = static_cast<float>(i % 5) - 2;
  const Packed packed = Packed::rows(b);
  std::vector<double> times;
  for (int round = 0; round < 15; ++round) {
    const auto start = Clock::now();
    for_chunks(run, 4096, 64, [&](Index, Index first, Index last) {
      multiply(a.view().slice(first, last - first), packed, {}, Activation::none,
               c.span().slice(first, last - first));
    });
    times.push_back(since(start));
  }
  return 2.0 * 4096 * 384 * 1536 / median(times);
}

/// Multiply-adds x 2 a second of the three products of each linear layer (forward, by its input, by its
/// weights), as they are called in training, over so many tokens.
double linear_rate(const BertConfig& c, Index tokens, const Run& run) {
  struct Shape {
    Index in, out;
  };
  const Shape shapes[] = {
      {c.hidden, 3 * c.hidden}, {c.hidden, c.hidden}, {c.hidden, c.inner}, {c.inner, c.hidden}};
  double flops = 0, seconds = 0;
  for (const Shape& shape : shapes) {
    Matrix x(tokens, shape.in), y(tokens, shape.out), by_x(tokens, shape.in), w(shape.out, shape.in);
    for (Index i = 0; i < tokens * shape.in; ++i) x.data()[i] = static_cast<float>(i % 7) - 3;
    for (Index i = 0; i < shape.out * shape.in; ++i) w.data()[i] = static_cast<float>(i % 5) - 2;
    Parameters parameters;
    parameters.add("w", w);
    const Packed forward = Packed::rows(w), back = Packed::columns(w.view());
    std::vector<double> times;
    for (int round = 0; round < 15; ++round) {
      const auto start = Clock::now();
      product(x.view(), forward, {}, y.span(), run);
      product(y.view(), back, {}, by_x.span(), run);
      add_weight_gradient(y.view(), x.view(), parameters[0], run);
      times.push_back(since(start));
    }
    flops += 3 * 2.0 * static_cast<double>(tokens * shape.in * shape.out);
    seconds += median(times);
  }
  return flops / seconds;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) return std::fprintf(stderr, "train_bench MODEL PAIRS [--batch N] [--steps N]\n"), 2;
  Index batch = 16, steps = 30;
  double dropout = 0.1;
  Run run{.threads = 2, .stop = {}, .progress = {}, .pool = {}};
  LossOptions how;
  for (int i = 3; i + 1 < argc; i += 2) {
    if (!std::strcmp(argv[i], "--batch")) batch = std::strtoull(argv[i + 1], nullptr, 10);
    if (!std::strcmp(argv[i], "--steps")) steps = std::strtoull(argv[i + 1], nullptr, 10);
    if (!std::strcmp(argv[i], "--dropout")) dropout = std::strtod(argv[i + 1], nullptr);
    if (!std::strcmp(argv[i], "--loss")) set_loss(how, argv[i + 1]);
    if (!std::strcmp(argv[i], "--threads"))
      run.threads = static_cast<unsigned>(std::strtoul(argv[i + 1], nullptr, 10));
  }
  Texts first, second;
  std::vector<float> scores;
  std::ifstream in(argv[2]);
  for (std::string line; std::getline(in, line);) {
    const auto a = line.find('\t'), b = line.find('\t', a + 1);
    first.add(line.substr(0, a));
    second.add(line.substr(a + 1, b - a - 1));
    scores.push_back(b == std::string::npos ? 0.5f : std::strtof(line.c_str() + b + 1, nullptr));
  }
  auto model = TrainableEncoder::load(argv[1], run);
  const Tokens one = model.tokenize(first, run), two = model.tokenize(second, run);
  AdamW optimiser(model.parameters, {.learning_rate = 2e-5});
  std::vector<double> forward, loss_time, backward, update, prepare, whole;
  Index tokens = 0;
  EncoderPass pass;
  for (Index step = 0; step < steps; ++step) {
    std::vector<std::span<const std::uint32_t>> texts;
    Matrix targets(batch, 1);
    for (const Tokens* of : {&one, &two})
      for (Index i = 0; i < batch; ++i) texts.push_back((*of)[(step * batch + i) % one.size()]);
    for (Index i = 0; i < batch; ++i) targets[i][0] = scores[(step * batch + i) % one.size()];
    for (const auto& text : texts) tokens += text.size();
    const auto start = Clock::now();
    auto at = start;
    const auto lap = [&](std::vector<double>& to) {
      to.push_back(since(at));
      at = Clock::now();
    };
    model.parameters.clear_gradients(run);
    const Matrix found = model.forward(
        texts, {.hidden = dropout, .attention = dropout, .seed = Seed{1}.child(step)}, pass, run);
    lap(forward);
    std::vector<Matrix> slopes;
    LossBatch of{.columns = {found.view().slice(0, batch), found.view().slice(batch, batch)}, .targets = {}};
    if (needs_of(how.kind).targets != LossTargets::none) of.targets = targets.view();
    loss(how, of, slopes, run);
    Matrix slope(2 * batch, model.dims());
    for (int c = 0; c < 2; ++c) std::copy_n(slopes[c].data(), batch * model.dims(), slope[c * batch].data());
    lap(loss_time);
    model.backward(pass, std::move(slope), run);
    lap(backward);
    model.parameters.gradient_norm(run);
    optimiser.step(model.parameters, 1, run);
    lap(update);
    model.prepare(run);
    lap(prepare);
    whole.push_back(since(start));
  }
  const auto& c = model.model().transformer;
  const double flops =
      3 * 2.0 * static_cast<double>(c.layers) *
      (4.0 * static_cast<double>(c.hidden * c.hidden) + 2.0 * static_cast<double>(c.hidden * c.inner));
  const double a_step = static_cast<double>(tokens) / static_cast<double>(steps), seconds = median(whole);
  const double rate = flops * a_step / seconds, peak = gemm_rate(run);
  const double products = linear_rate(c, static_cast<Index>(a_step), run);
  std::printf(
      "{\"step\": %.5f, \"tokens_a_step\": %.1f, \"forward\": %.5f, \"loss\": %.5f, \"backward\": %.5f, "
      "\"update\": %.5f, \"prepare\": %.5f, \"linear_gflops\": %.1f, \"gemm_gflops\": %.1f, \"share\": "
      "%.3f, \"products_share\": %.3f}\n",
      seconds, a_step, median(forward), median(loss_time), median(backward), median(update), median(prepare),
      rate / 1e9, peak / 1e9, rate / peak, products / peak);
}
