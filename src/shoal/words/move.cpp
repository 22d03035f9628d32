#include "shoal/words/move.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/kernels/kernels.h"
#include "shoal/learn/adamw.h"
#include "shoal/learn/mlp.h"
#include "shoal/linear/norms.h"

namespace shoal {
namespace {

constexpr Index kOwners = 8;   // parts of the rows, each with one writer at a time
constexpr Index kTries = 16;   // draws for another word before it is done without
constexpr Index kSources = 4;  // vectors of a target that rows move along
constexpr Index kGrain = 8;    // targets
constexpr float kShort = 1e-12f;
enum Source : std::uint8_t { own, loss_contexts, others, gate_contexts };

/// A row moves along a vector of its target.
struct Step {
  std::uint32_t row = 0;
  Source along = own;
  float by = 0;
};

/// Draws words by weight in constant time (Walker 1977).
class WeightedDraws {
 public:
  explicit WeightedDraws(const std::vector<double>& weights)
      : keep_(weights.size(), 1), other_(weights.size()) {
    const double all = std::accumulate(weights.begin(), weights.end(), 0.0);
    std::vector<std::uint32_t> small, large;
    for (Index i = 0; i < weights.size(); ++i) {
      keep_[i] = all > 0 ? weights[i] * static_cast<double>(weights.size()) / all : 1;
      other_[i] = static_cast<std::uint32_t>(i);
      (keep_[i] < 1 ? small : large).push_back(static_cast<std::uint32_t>(i));
    }
    while (!small.empty() && !large.empty()) {
      const auto less = small.back(), more = large.back();
      small.pop_back();
      other_[less] = more;
      keep_[more] -= 1 - keep_[less];
      if (keep_[more] < 1) {
        large.pop_back();
        small.push_back(more);
      }
    }
    for (const auto i : small) keep_[i] = 1;
  }
  std::uint32_t draw(const Random& random, std::uint64_t i) const {
    const double at = random.uniform(i) * static_cast<double>(keep_.size());
    const auto place = static_cast<std::uint32_t>(at);
    return at - place < keep_[place] ? place : other_[place];
  }

 private:
  std::vector<double> keep_;
  std::vector<std::uint32_t> other_;
};

/// Room for the works of one target after another.
struct Room {
  explicit Room(Index dims) : c(dims), seen(dims), slope(dims) {}
  std::vector<float> c, seen, slope, slopes;
  std::vector<std::uint8_t> half;
  std::vector<std::uint32_t> negatives;
  std::vector<double> cosines;
};

float length(std::span<const float> x) { return std::sqrt(kernels().dot(x.data(), x.data(), x.size())); }

}  // namespace

struct WordMover::State {
  const WordContexts& contexts;
  MoveOptions o;
  Matrix vectors;
  std::vector<double> gathered;  // G of each row
  std::vector<float> weight;     // w of each target
  WeightedDraws draws;
  Parameters gate_parameters;
  std::optional<Mlp> gate;
  std::optional<AdamW> gate_steps;
  std::vector<MovedEpoch> history;

  // Of the block in the works.
  Index first = 0;             // place of its first target in the epoch
  Matrix sources;              // block x kSources dims
  std::vector<float> squares;  // of the lengths of these
  std::vector<std::vector<Step>> steps;
  std::vector<double> losses, closeness, shares, slopes;  // of each target
  Matrix seen;                                            // what the mlp gate sees
  std::vector<Index> order;

  State(const WordContexts& all, const Texts& words, std::span<const std::uint64_t> frequency,
        const MoveOptions& options, const Run& run);

  /// The weighted sum of the vectors of those contexts that `half` names, as a unit vector: returns the
  /// length that it had.
  float towards(Index target, std::span<const std::uint8_t> half, std::uint8_t which,
                std::span<float> to) const {
    const auto words = contexts.words_of(target);
    const auto weights = contexts.weights_of(target);
    std::ranges::fill(to, 0.0f);
    for (Index j = 0; j < words.size(); ++j)
      if (half.empty() || half[j] == which)
        kernels().axpy(weights[j], vectors[words[j]].data(), to.data(), to.size());
    const float norm = length(to);
    if (norm > kShort) kernels().scale(1 / norm, to.data(), to.size());
    return norm;
  }
  void halve(Index target, std::vector<std::uint8_t>& half) const;
  void draw(Index target, std::vector<std::uint32_t>& words) const;
  void see(Index slot);
  void work_out(Index slot, Room& room);
  void take(const Step& step, Index slot, double rate);
  MovedEpoch epoch(const Run& run);
};

WordMover::State::State(const WordContexts& all, const Texts& words, std::span<const std::uint64_t> frequency,
                        const MoveOptions& options, const Run& run)
    : contexts(all),
      o(options),
      vectors(start_words(words, options.dims, options.start, options.seed.child(1), run)),
      gathered(words.size(), 1),
      draws([&] {
        std::vector<double> weights(frequency.size());
        for (Index i = 0; i < weights.size(); ++i)
          weights[i] = std::pow(static_cast<double>(frequency[i]), 0.75);
        return weights;
      }()) {
  double sum = 0;
  for (const float x : all.weight) sum += static_cast<double>(x);
  const double mean = sum / static_cast<double>(all.size());
  weight.resize(all.size());
  for (Index t = 0; t < all.size(); ++t) {
    double own_sum = 0;
    for (const float x : all.weights_of(t)) own_sum += static_cast<double>(x);
    weight[t] = static_cast<float>(own_sum / mean);
  }
  if (o.gate == WordGate::mlp) {
    gate.emplace(std::vector<Index>{2 * o.dims + 1, o.gate_width, 1}, gate_parameters, o.seed.child(2));
    gate_steps.emplace(gate_parameters, AdamWOptions{.learning_rate = o.gate_rate});
    seen = Matrix(o.block, 2 * o.dims + 1);
  }
  sources = Matrix(o.block, kSources * o.dims);
  squares.resize(o.block * kSources);
  steps.resize(o.block);
  losses.resize(o.block);
  closeness.resize(o.block);
  shares.resize(o.block);
  slopes.resize(o.block);
}

/// 1: the gate sees it, 0: the loss has it. Empty: there is no gate, or it sees all.
void WordMover::State::halve(Index target, std::vector<std::uint8_t>& half) const {
  half.clear();
  if (o.gate == WordGate::none || o.gate_contexts == GateContexts::same) return;
  const Index n = contexts.words_of(target).size();
  half.assign(n, 0);
  const Random random(o.seed.child(3).child(history.size()).child(target));
  Index left = n / 2;
  for (Index j = 0; j < n && left > 0; ++j)  // each half is as likely as any other
    if (random.below(j, n - j) < left) {
      half[j] = 1;
      --left;
    }
}

void WordMover::State::draw(Index target, std::vector<std::uint32_t>& words) const {
  words.clear();
  const auto own_words = contexts.words_of(target);
  const Random random(o.seed.child(4).child(history.size()).child(target));
  for (Index k = 0; k < o.negatives; ++k)
    for (Index attempt = 0; attempt < kTries; ++attempt) {
      const std::uint32_t word = draws.draw(random, k * kTries + attempt);
      if (word == contexts.target[target] || std::ranges::find(own_words, word) != own_words.end()) continue;
      words.push_back(word);
      break;
    }
}

/// What the mlp gate sees of a target: its vector, the context, and their cosine.
void WordMover::State::see(Index slot) {
  const Index t = order[first + slot], dims = o.dims;
  std::vector<std::uint8_t> half;
  halve(t, half);
  const auto row = seen[slot];
  const auto v = vectors[contexts.target[t]];
  std::ranges::copy(v, row.begin());
  towards(t, half, 1, row.subspan(dims, dims));
  row[2 * dims] = kernels().dot(v.data(), row.data() + dims, dims);
}

void WordMover::State::work_out(Index slot, Room& room) {
  const Kernels& k = kernels();
  const Index t = order[first + slot], dims = o.dims;
  const auto source = [&](Source which) { return sources[slot].subspan(which * dims, dims); };
  const std::uint32_t word = contexts.target[t];
  const auto v = std::as_const(vectors)[word];
  const float w = weight[t];
  std::vector<Step>& out = steps[slot];
  out.clear();
  losses[slot] = closeness[slot] = slopes[slot] = 0;
  auto& [c, seen_context, slope, slopes_of, half, negatives, cosines] = room;
  halve(t, half);
  const float far = towards(t, half, 0, c);
  if (!(far > kShort)) {
    shares[slot] = 0;
    return;
  }

  // u, what is compared.
  const auto u = source(others);
  const bool gated = o.gate != WordGate::none;
  float share = 0, gate_far = 0, before = 1;
  std::ranges::copy(v, u.begin());
  if (gated) {
    gate_far = towards(t, half, 1, seen_context);
    share = gate_far > kShort ? static_cast<float>(shares[slot]) : 0;
    shares[slot] = static_cast<double>(share);
    k.scale(1 - share, u.data(), dims);
    k.axpy(share, seen_context.data(), u.data(), dims);
    before = length(u);
    if (!(before > kShort)) return;
    k.scale(1 / before, u.data(), dims);
  }

  // The loss, and its slopes by the cosines.
  draw(t, negatives);
  const float near = k.dot(u.data(), c.data(), dims);
  closeness[slot] = static_cast<double>(near);
  slopes_of.assign(negatives.size(), 0);
  float by_near = -w;
  if (o.loss == WordLoss::hinge) {
    double loss = -static_cast<double>(w * near);
    for (Index j = 0; j < negatives.size(); ++j) {
      const float cosine = k.dot(u.data(), vectors[negatives[j]].data(), dims);
      if (cosine <= static_cast<float>(o.margin)) continue;
      loss += static_cast<double>(cosine) - o.margin;
      slopes_of[j] = 1;
    }
    losses[slot] = loss;
  } else {
    cosines.assign(1, static_cast<double>(near));
    for (const std::uint32_t n : negatives)
      cosines.push_back(static_cast<double>(k.dot(u.data(), vectors[n].data(), dims)));
    const double most = *std::ranges::max_element(cosines);
    double sum = 0;
    for (double& x : cosines) sum += x = std::exp((x - most) / o.temperature);
    losses[slot] = -static_cast<double>(w) * o.temperature * std::log(std::max(cosines[0] / sum, 1e-300));
    by_near = -w * static_cast<float>(1 - cosines[0] / sum);
    for (Index j = 0; j < negatives.size(); ++j) slopes_of[j] = w * static_cast<float>(cosines[j + 1] / sum);
  }

  // By u.
  std::ranges::fill(slope, 0.0f);
  k.axpy(by_near, c.data(), slope.data(), dims);
  for (Index j = 0; j < negatives.size(); ++j)
    if (slopes_of[j] != 0) k.axpy(slopes_of[j], vectors[negatives[j]].data(), slope.data(), dims);

  const auto keep = [&](Source which) {
    const auto x = source(which);
    squares[slot * kSources + which] = k.dot(x.data(), x.data(), dims);
  };
  // By v, and by the context that the gate sees.
  const auto mine = source(own);
  if (gated) {
    k.axpy(-k.dot(u.data(), slope.data(), dims), u.data(), slope.data(), dims);
    k.scale(1 / before, slope.data(), dims);
    if (share > 0) {
      slopes[slot] = static_cast<double>(k.dot(slope.data(), seen_context.data(), dims)) -
                     static_cast<double>(k.dot(slope.data(), v.data(), dims));
      const auto to = source(gate_contexts);
      k.scaled(static_cast<double>(share / gate_far), slope.data(), to.data(), dims);
      k.axpy(-k.dot(to.data(), seen_context.data(), dims), seen_context.data(), to.data(), dims);
      keep(gate_contexts);
    }
    k.scaled(static_cast<double>(1 - share), slope.data(), mine.data(), dims);
  } else {
    std::ranges::copy(slope, mine.begin());
  }
  keep(own);
  out.push_back({word, own, 1});
  if (o.moves == WordMoves::target) return;

  // By the contexts, and by the other words.
  const auto to = source(loss_contexts);
  k.scaled(static_cast<double>(by_near / far), u.data(), to.data(), dims);
  k.axpy(-by_near * near / far, c.data(), to.data(), dims);
  keep(loss_contexts);
  keep(others);
  const auto words = contexts.words_of(t);
  const auto weights = contexts.weights_of(t);
  const bool all_seen = half.empty();
  for (Index j = 0; j < words.size(); ++j) {
    if (all_seen || half[j] == 0) out.push_back({words[j], loss_contexts, weights[j]});
    if (share > 0 && (all_seen || half[j] == 1)) out.push_back({words[j], gate_contexts, weights[j]});
  }
  for (Index j = 0; j < negatives.size(); ++j)
    if (slopes_of[j] != 0) out.push_back({negatives[j], others, slopes_of[j]});
}

/// The row moves along the vector, less what of it lies along the row.
void WordMover::State::take(const Step& step, Index slot, double rate) {
  const Index dims = o.dims;
  const float* along = sources[slot].data() + step.along * dims;
  const auto row = vectors[step.row];
  const double by = static_cast<double>(step.by);
  const double part = static_cast<double>(kernels().dot(row.data(), along, dims));
  const double across = by * by * (static_cast<double>(squares[slot * kSources + step.along]) - part * part);
  if (!(across > 0)) return;
  gathered[step.row] += across;
  const double far = rate / std::sqrt(gathered[step.row]);
  // The step is at a right angle to the row, which has length 1.
  const double shorter = 1 / std::sqrt(1 + far * far * across);
  kernels().scale(static_cast<float>((1 + far * by * part) * shorter), row.data(), dims);
  kernels().axpy(static_cast<float>(-far * by * shorter), along, row.data(), dims);
}

MovedEpoch WordMover::State::epoch(const Run& run) {
  const Index n = contexts.size(), now = history.size();
  order.resize(n);
  std::iota(order.begin(), order.end(), Index{0});
  const Random random(o.seed.child(5).child(now));
  for (Index i = n; i > 1; --i) std::swap(order[i - 1], order[random.below(i, i)]);
  MovedEpoch out{.epoch = now + 1};
  const Run inner = run.quiet();
  Room alone(o.dims);
  const double all = static_cast<double>(n) * static_cast<double>(o.epochs);
  for (first = 0; first < n; first += o.block) {
    const Index count = std::min(o.block, n - first);
    const double done = static_cast<double>(now * n + first);
    if (first / 4096 != (first + o.block) / 4096 || first == 0) {
      check_stop(run);
      if (run.progress) run.progress("move", done, all);
    }
    const auto each = [&](auto&& work) {
      if (o.block == 1)
        work(Index{0}, alone);
      else
        for_chunks(inner, count, kGrain, [&](Index, Index from, Index to) {
          Room room(o.dims);
          for (Index slot = from; slot < to; ++slot) work(slot, room);
        });
    };
    if (o.gate == WordGate::fixed) std::ranges::fill(shares, o.gate_share);
    if (gate) {
      each([&](Index slot, Room&) { see(slot); });
      const Matrix found = gate->forward(seen.view().slice(0, count), gate_parameters, inner);
      for (Index slot = 0; slot < count; ++slot)
        shares[slot] = 1 / (1 + std::exp(-static_cast<double>(found[slot][0])));
    }
    std::vector<double> opened(shares.begin(), shares.begin() + static_cast<std::ptrdiff_t>(count));
    each([&](Index slot, Room& room) { work_out(slot, room); });
    const auto rate = [&](Index slot) {
      return o.learning_rate + (o.last_rate - o.learning_rate) * (done + static_cast<double>(slot)) / all;
    };
    if (o.block == 1) {
      for (const Step& step : steps[0]) take(step, 0, rate(0));
    } else {
      for_chunks(inner, kOwners, 1, [&](Index, Index owner, Index) {
        for (Index slot = 0; slot < count; ++slot)
          for (const Step& step : steps[slot])
            if (step.row % kOwners == owner) take(step, slot, rate(slot));
      });
    }
    if (gate) {
      gate_parameters.clear_gradients();
      gate->backward(
          seen.view().slice(0, count), gate_parameters,
          [&](Index from, MatrixSpan outputs) {
            for (Index i = 0; i < outputs.rows; ++i)
              outputs[i][0] = static_cast<float>(slopes[from + i] * opened[from + i] *
                                                 (1 - opened[from + i]) / static_cast<double>(count));
            return 0.0;
          },
          {}, inner);
      gate_steps->step(gate_parameters, 1, inner);
    }
    for (Index slot = 0; slot < count; ++slot) {
      out.loss += losses[slot];
      out.closeness += closeness[slot];
      if (o.gate != WordGate::none) out.gate += shares[slot];
      out.updates += steps[slot].size();
    }
  }
  unit_rows(vectors.span());  // roundings
  out.loss /= static_cast<double>(n);
  out.closeness /= static_cast<double>(n);
  out.gate /= static_cast<double>(n);
  history.push_back(out);
  if (run.progress) run.progress("move", static_cast<double>((now + 1) * n), all);
  return out;
}

WordMover::WordMover(const WordContexts& contexts, const Texts& words,
                     std::span<const std::uint64_t> frequency, const MoveOptions& options, const Run& run) {
  check_options(options);
  require(frequency.size() == words.size() && contexts.words == words.size(), Fault::argument,
          "contexts, words and frequencies are of different vocabularies");
  require(contexts.size() > 0, Fault::data,
          "no word has a context towards which it could move; descriptions need at least two words of the "
          "vocabulary");
  state_ = std::make_unique<State>(contexts, words, frequency, options, run);
}
WordMover::WordMover(WordMover&&) noexcept = default;
WordMover& WordMover::operator=(WordMover&&) noexcept = default;
WordMover::~WordMover() = default;

bool WordMover::done() const { return state_->history.size() >= state_->o.epochs; }
Index WordMover::epoch() const { return state_->history.size(); }
MovedEpoch WordMover::step(const Run& run) { return state_->epoch(run); }
const Matrix& WordMover::vectors() const& { return state_->vectors; }
Matrix WordMover::vectors() && { return std::move(state_->vectors); }
const std::vector<MovedEpoch>& WordMover::history() const { return state_->history; }

void WordMover::save(ArchiveWriter& out) const {
  const State& s = *state_;
  out.lend("vectors", s.vectors.view(), {s.vectors.rows(), s.vectors.cols()});
  out.add("gathered", std::span<const double>(s.gathered));
  std::vector<double> numbers;
  for (const MovedEpoch& e : s.history)
    for (const double x : {e.loss, e.closeness, e.gate, static_cast<double>(e.updates)}) numbers.push_back(x);
  out.add("history", std::span<const double>(numbers));
  if (s.gate) {
    s.gate_parameters.save(out, "gate");
    s.gate_steps->save(out, "gate steps");
  }
}

void WordMover::load(const ArchiveReader& in) {
  State& s = *state_;
  Matrix vectors = in.matrix("vectors", s.vectors.rows(), s.vectors.cols());
  std::vector<double> gathered = in.doubles("gathered", s.gathered.size());
  const Index count = in.tensor("history").count();
  const std::vector<double> numbers = in.doubles("history", count);
  require(count % 4 == 0 && count / 4 <= s.o.epochs, Fault::format,
          in.path().string() + ": the history of epochs is broken");
  if (s.gate) {
    s.gate_parameters.load(in, "gate");
    s.gate_steps->load(in, "gate steps");
  }
  s.vectors = std::move(vectors);
  s.gathered = std::move(gathered);
  s.history.clear();
  for (Index e = 0; e < count / 4; ++e)
    s.history.push_back({e + 1, numbers[4 * e], numbers[4 * e + 1], numbers[4 * e + 2],
                         static_cast<Index>(numbers[4 * e + 3])});
}

}  // namespace shoal
