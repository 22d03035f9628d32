#include <algorithm>
#include <chrono>

#include "shoal/core/error.h"
#include "shoal/core/utf8.h"
#include "shoal/encode/bert_names.h"
#include "shoal/train/course_impl.h"

namespace shoal {

Index freeze_parts(Parameters& parameters, const TrainOptions& options, Index layers) {
  const auto refuse = [&](const std::string& why) {
    throw Error(Fault::argument,
                option_name("freeze_layers") + " is " + std::to_string(options.freeze_layers) + why);
  };
  if (options.freeze_layers > layers) refuse("; the model has " + std::to_string(layers) + " layers");
  const bool embeddings = options.freeze_embeddings || options.freeze_layers > 0;
  const Index frozen = parameters.freeze([&](const std::string& name) {
    if (name.starts_with("embeddings.") || name == kRelativeBias) return embeddings;
    const auto at = name.find("layer.");
    return at != std::string::npos && std::stoul(name.substr(at + 6)) < options.freeze_layers;
  });
  if (frozen == parameters.size()) refuse(": nothing is left that learns");
  return frozen;
}

LearnOptions learn_options(const TrainOptions& options, double default_rate) {
  LearnOptions out = options.learn;
  out.optimiser.learning_rate = options.learning_rate.value_or(default_rate);
  return out;
}

std::string name_rows(const std::vector<Batch>& batches, const std::function<RowNames(Index set)>& names) {
  constexpr Index kMost = 20;
  std::string out;
  for (const Batch& batch : batches) {
    const RowNames of = names(batch.set);
    out += (out.empty() ? "" : "; ") + std::string("rows ");
    for (Index i = 0; i < std::min(kMost, batch.rows.size()); ++i) {
      const Index row = batch.rows[i];
      out += (i > 0 ? ", " : "") + std::to_string(of.numbers.empty() ? row + 1 : of.numbers[row]);
    }
    if (batch.rows.size() > kMost) out += " and " + std::to_string(batch.rows.size() - kMost) + " more";
    out += " of " + repair_utf8(of.set);  // a file's name may be anything, a checkpoint's words may not
  }
  return out;
}

std::vector<Batch> in_turns(const std::vector<Batches>& sets, Mixing mixing, Seed seed, Index epoch) {
  std::vector<Index> sizes, next(sets.size());
  for (const Batches& of : sets) sizes.push_back(of.size());
  std::vector<Batch> out;
  for (const Index s : set_order(sizes, mixing, seed, epoch)) {
    const auto rows = sets[s][next[s]++];
    out.push_back({{rows.begin(), rows.end()}, s, 0});
  }
  return out;
}

std::vector<Index> parts_of(Index rows, Index mini_batch, Index most_tokens,
                            const std::function<Index(Index row)>& tokens_of) {
  std::vector<Index> out{0};
  Index tokens = 0;
  for (Index i = 0; i < rows; ++i) {
    const Index own = tokens_of(i);
    const bool full = mini_batch == 0 ? tokens + own > most_tokens : i - out.back() >= mini_batch;
    if (i > out.back() && full) {
      out.push_back(i);
      tokens = 0;
    }
    tokens += own;
  }
  out.push_back(rows);
  return out;
}

double share_left(Index step, Index n_steps) {
  return static_cast<double>(n_steps - step) / static_cast<double>(std::max<Index>(n_steps, 1));
}

double whole_seconds(const std::vector<Batch>& batches, Index n_epochs, Parameters& parameters,
                     const Trial& trial, const Run& run) {
  constexpr double kEnough = 0.5, kBesides = 1.1;  // seconds; looks and scores
  Index tokens = 0, all = 0;
  for (const Batch& batch : batches) all += trial.tokens_of(batch);
  double spent = 0;
  for (Index i = 0; i < std::min<Index>(batches.size(), 4) && spent < kEnough; ++i) {
    const auto start = std::chrono::steady_clock::now();
    trial.learn_from(batches[i]);
    parameters.gradient_norm(run);
    trial.prepare();
    parameters.clear_gradients(run);
    if (i == 0 && batches.size() > 1) continue;  // memory is made warm
    spent += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    tokens += trial.tokens_of(batches[i]);
  }
  return kBesides * spent / static_cast<double>(std::max<Index>(tokens, 1)) * static_cast<double>(all) *
         static_cast<double>(n_epochs);
}

}  // namespace shoal
