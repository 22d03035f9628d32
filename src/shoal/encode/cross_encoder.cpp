#include "shoal/encode/cross_encoder.h"

#include <algorithm>
#include <cmath>
#include <mutex>
#include <span>
#include <utility>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/encode/after_pooling.h"
#include "shoal/encode/bert_network.h"
#include "shoal/encode/cross_folder.h"
#include "shoal/encode/encoder_impl.h"
#include "shoal/encode/model_place.h"
#include "shoal/encode/sequence_head.h"
#include "shoal/encode/windows.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

// As encode_texts.cpp has them.
constexpr Index kPieceTokens = 1024, kGroupPairs = 16384, kGroupBytes = Index{8} << 20;
constexpr Index kTokenizedAtOnce = 64;

void activate(ScoreActivation activation, std::span<float> row) {
  if (activation == ScoreActivation::identity) return;
  for (float& x : row) {
    const auto z = static_cast<double>(x);
    x = static_cast<float>(activation == ScoreActivation::tanh ? std::tanh(z) : 1 / (1 + std::exp(-z)));
  }
}

void softmax(std::span<float> row) {
  const auto most = static_cast<double>(*std::ranges::max_element(row));
  double sum = 0;
  std::vector<double> powers;
  for (const float x : row) sum += powers.emplace_back(std::exp(static_cast<double>(x) - most));
  for (Index i = 0; i < row.size(); ++i) row[i] = static_cast<float>(powers[i] / sum);
}

/// What one thread works with while it has a piece.
struct Scratch {
  std::vector<std::uint32_t> ids, types;
  std::vector<Index> starts;
  BertScratch transformer;
};

}  // namespace

struct CrossEncoder::State {
  CrossFolder folder;
  std::string name, id;
  PairTokenizer tokenizer;
  BertNetwork network;
  AfterPooling dense;
  Packed last;
  std::vector<float> bias;

  Index limit_of(const ScoreOptions& options) const;
  std::vector<PairTokens> tokenize(const Texts& firsts, const Texts& seconds, Index first, Index count,
                                   Index limit, const std::string& prompt, const Run& run) const;
  Matrix logits(const std::vector<PairTokens>& tokens, std::span<const Index> which, Scratch& scratch) const;
  void rescale(ScoreScale scale, std::span<float> row) const;
};

CrossEncoder CrossEncoder::load(const fs::path& given, const Run& run) {
  if (run.progress) run.progress("load model", 0, 1);
  CrossFolder folder = read_cross_folder(given);
  const ModelFolder& model = folder.model;
  const Weights weights(model.transformer_folder);
  const SequenceHead head = read_sequence_head(model.transformer_folder, HeadUse::scores);
  AfterPooling dense = AfterPooling::load(model.head);
  std::vector<fs::path> files = small_files(model);
  files.insert(files.end(), weights.files().begin(), weights.files().end());
  FilesHash hash(std::move(files));
  std::optional<PairTokenizer> tokenizer;
  std::optional<BertNetwork> network;
  for_chunks(run.quiet(), 2 + hash.blocks(), 1, [&](Index part, Index, Index) {
    if (part == 0)
      tokenizer = PairTokenizer::load(model);
    else if (part == 1)
      network = BertNetwork::load(model.transformer, weights);
    else
      hash.hash(part - 2);
  });
  std::string name = model_name(model.folder), space = name + "@" + hash.finish();
  auto state = std::make_shared<const State>(State{std::move(folder), std::move(name), std::move(space),
                                                   std::move(*tokenizer), std::move(*network),
                                                   std::move(dense), Packed::rows(head.weight), head.bias});
  state->limit_of({});  // whether anything fits beside the special tokens
  return CrossEncoder(std::move(state));
}

Index CrossEncoder::State::limit_of(const ScoreOptions& options) const {
  check_options(options);
  const Index own = folder.model.limit, limit = options.max_tokens.value_or(own);
  const Index added = tokenizer.tokenizer().pair_template()->added();
  if (limit > own)
    throw Error(Fault::argument, option_name("max_tokens") + " is " + std::to_string(limit) +
                                     "; allowed for this model: 1.." + std::to_string(own));
  if (limit <= added)
    throw Error(Fault::argument, "special tokens take " + std::to_string(added) + " of " +
                                     std::to_string(limit) +
                                     " tokens, so that none is left for the texts; a larger " +
                                     option_name("max_tokens") + " is needed");
  return limit;
}

std::vector<PairTokens> CrossEncoder::State::tokenize(const Texts& firsts, const Texts& seconds, Index first,
                                                      Index count, Index limit, const std::string& prompt,
                                                      const Run& run) const {
  std::vector<PairTokens> out(chunk_count(count, kTokenizedAtOnce));
  for_chunks(run, count, kTokenizedAtOnce, [&](Index chunk, Index begin, Index end) {
    if (prompt.empty()) {
      out[chunk] = tokenizer.encode(firsts, seconds, first + begin, end - begin, limit);
      return;
    }
    Texts prompted, others;
    for (Index i = begin; i < end; ++i) {
      prompted.add(prompt + std::string(firsts[first + i]));
      others.add(seconds[first + i]);
    }
    out[chunk] = tokenizer.encode(prompted, others, 0, end - begin, limit);
  });
  return out;
}

/// Of some pairs, in their order.
Matrix CrossEncoder::State::logits(const std::vector<PairTokens>& tokens, std::span<const Index> which,
                                   Scratch& scratch) const {
  scratch.ids.clear();
  scratch.types.clear();
  scratch.starts.assign(1, 0);
  for (const Index i : which) {
    const PairTokens& chunk = tokens[i / kTokenizedAtOnce];
    const Index at = i % kTokenizedAtOnce, first = chunk.starts[at], end = chunk.starts[at + 1];
    scratch.ids.insert(scratch.ids.end(), chunk.ids.data() + first, chunk.ids.data() + end);
    if (!chunk.types.empty())
      scratch.types.insert(scratch.types.end(), chunk.types.data() + first, chunk.types.data() + end);
    scratch.starts.push_back(scratch.ids.size());
  }
  const MatrixView states = network.forward(scratch.ids, scratch.starts, scratch.transformer, scratch.types);
  Matrix first_tokens(which.size(), states.cols);
  for (Index i = 0; i < which.size(); ++i)
    std::ranges::copy(states[scratch.starts[i]], first_tokens[i].begin());
  const Matrix read = dense.apply(std::move(first_tokens));
  Matrix out(which.size(), folder.labels.size());
  multiply(read.view(), last, bias, Activation::none, out.span());
  return out;
}

void CrossEncoder::State::rescale(ScoreScale scale, std::span<float> row) const {
  for (const float x : row)
    if (!std::isfinite(x))
      throw Error(Fault::format,
                  folder.model.folder.string() + ": the weights give a score that is not finite");
  if (scale == ScoreScale::softmax)
    softmax(row);
  else if (scale != ScoreScale::logits)
    activate(scale == ScoreScale::sigmoid ? ScoreActivation::sigmoid : folder.activation, row);
}

Matrix CrossEncoder::scores(const Texts& firsts, const Texts& seconds, const ScoreOptions& options,
                            const Run& run, Index* cut) const {
  require(firsts.size() == seconds.size(), Fault::argument,
          "there are " + std::to_string(firsts.size()) + " first texts and " +
              std::to_string(seconds.size()) + " second ones");
  const State& state = *state_;
  const Index limit = state.limit_of(options);
  require(options.scale != ScoreScale::softmax || labels().size() > 1, Fault::argument,
          option_name("scale") + " is softmax, but the model gives one score: it would always be 1");
  EncodeOptions prompted;
  prompted.prompt = options.prompt;
  const std::string prompt = prompt_of(state.folder.model, prompted);
  Matrix out(firsts.size(), labels().size());
  if (cut != nullptr) *cut = 0;
  std::mutex mutex;
  std::vector<std::unique_ptr<Scratch>> free;
  for (Index begin = 0, end; begin < firsts.size(); begin = end) {
    Index bytes = 0;
    for (end = begin; end < firsts.size() && end - begin < kGroupPairs && bytes < kGroupBytes; ++end)
      bytes += firsts[end].size() + seconds[end].size();
    const auto tokens = state.tokenize(firsts, seconds, begin, end - begin, limit, prompt, run);
    std::vector<Index> lengths;
    for (const PairTokens& chunk : tokens) {
      for (Index i = 0; i < chunk.size(); ++i) lengths.push_back(chunk[i].size());
      if (cut != nullptr) *cut += chunk.cut;
    }
    const Pieces pieces = cut_pieces(lengths, kPieceTokens);
    for_chunks(
        run, pieces.size(), 1,
        [&](Index piece, Index, Index) {
          const std::span which =
              std::span(pieces.order)
                  .subspan(pieces.starts[piece], pieces.starts[piece + 1] - pieces.starts[piece]);
          std::unique_ptr<Scratch> scratch;
          {
            const std::scoped_lock lock(mutex);
            if (!free.empty()) scratch = std::move(free.back()), free.pop_back();
          }
          if (!scratch) scratch = std::make_unique<Scratch>();
          Matrix found = state.logits(tokens, which, *scratch);
          {
            const std::scoped_lock lock(mutex);
            free.push_back(std::move(scratch));
          }
          for (Index i = 0; i < which.size(); ++i) {
            state.rescale(options.scale, found[i]);
            std::ranges::copy(found[i], out[begin + which[i]].begin());
          }
        },
        "score");
  }
  return out;
}

const std::string& CrossEncoder::name() const { return state_->name; }
const std::string& CrossEncoder::id() const { return state_->id; }
const std::vector<std::string>& CrossEncoder::labels() const { return state_->folder.labels; }
Index CrossEncoder::max_tokens() const { return state_->folder.model.limit; }

std::vector<std::string> CrossEncoder::prompts() const {
  std::vector<std::string> out;
  for (const auto& item : state_->folder.model.prompts) out.push_back(item.first);
  return out;
}

}  // namespace shoal
