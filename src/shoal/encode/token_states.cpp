#include "shoal/encode/token_states.h"

#include <algorithm>
#include <cmath>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/encode/encoder_impl.h"
#include "shoal/encode/model_place.h"
#include "shoal/encode/windows.h"
#include "shoal/kernels/kernels.h"

namespace shoal {
namespace {

constexpr Index kPieceTokens = 1024;

}  // namespace

struct TokenStates::State {
  TransformerModel transformer;
  std::string name, id;
};

TokenStates TokenStates::load(const std::filesystem::path& folder, const Run& run) {
  if (run.progress) run.progress("load model", 0, 1);
  std::string hash;
  TransformerModel model = TransformerModel::load(folder, run, hash);
  std::string name = model_name(model.model.folder);
  std::string id = name + "@" + hash;
  return TokenStates(std::make_shared<const State>(State{std::move(model), std::move(name), std::move(id)}));
}

const std::string& TokenStates::name() const { return state_->name; }
const std::string& TokenStates::id() const { return state_->id; }
const ModelFolder& TokenStates::model() const { return state_->transformer.model; }
Index TokenStates::dims() const { return model().transformer.hidden; }

Index TokenStates::room() const {
  const Tokenizer& t = state_->transformer.tokenizer;
  return model().limit - t.prefix().size() - t.suffix().size();
}

template <class Take>
void TokenStates::forward(const Tokens& own, const Run& run, std::string_view step, const Take& take) const {
  const Tokenizer& t = state_->transformer.tokenizer;
  const Index around = t.prefix().size() + t.suffix().size();
  std::vector<Index> lengths(own.size());
  for (Index i = 0; i < own.size(); ++i) {
    require(own[i].size() <= room(), Fault::argument, "a text has more tokens than the model takes");
    lengths[i] = own[i].size() + around;
  }
  const Pieces pieces = cut_pieces(lengths, kPieceTokens);
  for_chunks(
      run, pieces.size(), 1,
      [&](Index piece, Index, Index) {
        std::vector<std::uint32_t> ids;
        std::vector<Index> starts{0};
        for (Index i = pieces.starts[piece]; i < pieces.starts[piece + 1]; ++i) {
          const auto text = own[pieces.order[i]];
          ids.insert(ids.end(), t.prefix().begin(), t.prefix().end());
          ids.insert(ids.end(), text.begin(), text.end());
          ids.insert(ids.end(), t.suffix().begin(), t.suffix().end());
          starts.push_back(ids.size());
        }
        BertScratch scratch;
        const MatrixView states = state_->transformer.transformer.forward(ids, starts, scratch);
        for (Index i = pieces.starts[piece]; i < pieces.starts[piece + 1]; ++i) {
          const Index at = i - pieces.starts[piece];
          take(pieces.order[i], states.slice(starts[at], starts[at + 1] - starts[at]));
        }
      },
      step);
}

Matrix TokenStates::means(const Tokens& own, const Run& run, std::string_view step) const {
  Matrix out(own.size(), dims());
  forward(own, run, step, [&](Index text, MatrixView states) {
    const auto row = out[text];
    for (Index i = 0; i < states.rows; ++i) kernels().axpy(1.0f, states[i].data(), row.data(), row.size());
    for (float& x : row) x /= static_cast<float>(states.rows);
    require(std::isfinite(kernels().dot(row.data(), row.data(), row.size())), Fault::format,
            model().folder.string() + ": the weights give a vector that is not finite");
  });
  return out;
}

Matrix TokenStates::states(const Tokens& own, const Run& run) const {
  Matrix out(own.ids.size(), dims());
  const Index before = state_->transformer.tokenizer.prefix().size();
  forward(own, run.quiet(), {}, [&](Index text, MatrixView states) {
    for (Index i = 0; i < own[text].size(); ++i)
      std::copy_n(states[before + i].data(), dims(), out[own.starts[text] + i].data());
  });
  return out;
}

}  // namespace shoal
