#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/matrix.h"
#include "shoal/core/random.h"
#include "shoal/core/run.h"
#include "shoal/core/texts.h"
#include "shoal/store/archive/archive.h"
#include "shoal/words/contexts.h"
#include "shoal/words/start.h"

namespace shoal {

/// What is made small.
enum class WordLoss : std::uint8_t {
  hinge,   ///< minus the cosine with the context, plus those with other words where they are above a margin
  infonce  ///< minus the log of the context's share among it and other words (van den Oord et al. 2018)
};
constexpr auto names_of(WordLoss) { return std::array{"hinge", "infonce"}; }

/// What says how far a word moves towards its context before it is compared.
enum class WordGate : std::uint8_t {
  none,   ///< the word itself is compared
  fixed,  ///< one share for all
  mlp     ///< a perceptron that sees word and context
};
constexpr auto names_of(WordGate) { return std::array{"none", "fixed", "mlp"}; }

/// Which contexts the gate sees.
enum class GateContexts : std::uint8_t {
  held_out,  ///< half of them, drawn anew each time; the loss has the others
  same       ///< those of the loss: it can copy the answer
};
constexpr auto names_of(GateContexts) { return std::array{"held_out", "same"}; }

/// What a target moves.
enum class WordMoves : std::uint8_t {
  both,   ///< itself, its contexts and the other words it is held against
  target  ///< itself alone
};
constexpr auto names_of(WordMoves) { return std::array{"both", "target"}; }

struct MoveOptions {
  Index dims = 300;
  WordStart start = WordStart::spread;
  Index epochs = 20;
  double learning_rate = 1;
  double last_rate = 0.02;
  WordLoss loss = WordLoss::hinge;
  Index negatives = 3;
  double margin = 0;
  double temperature = 0.2;
  WordGate gate = WordGate::none;
  double gate_share = 0.5;
  Index gate_width = 32;
  double gate_rate = 1e-3;
  GateContexts gate_contexts = GateContexts::held_out;
  WordMoves moves = WordMoves::both;
  Index block = 128;
  bool alarms = true;
  Seed seed{42};
};
template <class V>
void fields(MoveOptions& o, V&& visit) {
  visit("dims", o.dims, "dimensions of the sphere on which words move", between(2, 65536));
  visit("start", o.start, "where words begin; spread: simplex if dims are words - 1 or more, else frame");
  visit("epochs", o.epochs, "passes over all targets; 0: words stay where they begin", at_least(0));
  visit("learning_rate", o.learning_rate, "how far a word moves, in the first epoch", above(0));
  visit("last_rate", o.last_rate, "how far a word moves at the end", above(0));
  visit("loss", o.loss, "what is made small");
  visit("negatives", o.negatives, "other words a target is held against", between(0, 256));
  visit("margin", o.margin, "hinge: cosine above which another word is pushed away", between(-1, 1));
  visit("temperature", o.temperature, "infonce: cosines are divided by it", above(0));
  visit("gate", o.gate, "what says how far a word goes towards its context before it is compared");
  visit("gate_share", o.gate_share, "fixed gate: how far, 0 not at all, 1 all the way", at_least(0).below(1));
  visit("gate_width", o.gate_width, "mlp gate: hidden numbers", at_least(1));
  visit("gate_rate", o.gate_rate, "mlp gate: its learning rate", above(0));
  visit("gate_contexts", o.gate_contexts, "which contexts the gate sees");
  visit("moves", o.moves, "what a target moves");
  visit("block", o.block,
        "targets whose steps are worked out together, from where words are before them; 1: one by one",
        between(1, 65536));
  visit("alarms", o.alarms, "stop at a collapse of the space, and take back what led to it");
  visit("seed", o.seed, "start of all randomness");
}

/// What an epoch did.
struct MovedEpoch {
  Index epoch = 0;       ///< 1..epochs
  double loss = 0;       ///< mean of its targets
  double closeness = 0;  ///< mean cosine of a target with its context
  double gate = 0;       ///< mean share of the way, 0 without a gate
  Index updates = 0;     ///< steps of rows
};

/// Words on a sphere, moved by their contexts. Each target t with v, its vector, and c, the unit vector along
/// the weighted sum of its contexts' vectors, w its weight (the sum of its contexts' weights by the mean over
/// all targets), and n other words, drawn by frequency^0.75, neither the target nor its contexts:
///   hinge     -w u.c + sum of max(0, u.n - margin)
///   infonce   -w T log(exp(u.c / T) / (exp(u.c / T) + sum of exp(u.n / T)))
/// where u = v, or with a gate g the unit vector along (1 - g) v + g c', c' of the contexts that the gate
/// sees. Its gradients by v, by the contexts' and the other words' vectors move each of these rows: of the
/// gradient h without its part along the row, G += |h|^2 (from 1), row -= rate h / sqrt(G), then to length 1.
/// The rate goes down along a line over all targets. Targets come in an order drawn for each epoch. With
/// blocks, gradients are worked out from where words are before the block, then each row takes its own one
/// after another, in the order of the targets. The same bits for any number of threads.
class WordMover {
 public:
  /// contexts: kept by reference. frequency: of each word. Error(argument) as check_options; Error(data) if
  /// there are no targets.
  WordMover(const WordContexts& contexts, const Texts& words, std::span<const std::uint64_t> frequency,
            const MoveOptions& options, const Run& run);
  WordMover(WordMover&&) noexcept;
  WordMover& operator=(WordMover&&) noexcept;
  ~WordMover();

  bool done() const;
  Index epoch() const;  ///< epochs that were done
  /// One epoch. Step "move", in targets of all epochs. Error(cancelled): nothing is of use but what was saved
  /// before.
  MovedEpoch step(const Run& run);
  const Matrix& vectors() const&;  ///< words x dims, unit vectors
  Matrix vectors() &&;
  const std::vector<MovedEpoch>& history() const;

  /// All that it takes to go on, between epochs.
  void save(ArchiveWriter& out) const;
  /// Error(format) if it is of another number of words or dimensions.
  void load(const ArchiveReader& in);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace shoal
