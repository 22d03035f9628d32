#include "shoal/train/encoder.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/encode/encoder_impl.h"
#include "shoal/encode/pool.h"
#include "shoal/encode/weights.h"
#include "shoal/kernels/kernels.h"
#include "shoal/train/backward_impl.h"
#include "shoal/train/pool_back.h"
#include "shoal/train/save_model.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

constexpr float kHeadEpsilon = 1e-5f;  // of a LayerNorm after the pooling: torch's default
constexpr float kShortest = 1e-12f;    // as normalise()

Matrix row_matrix(const std::vector<float>& x) {
  Matrix out(1, x.size());
  std::ranges::copy(x, out.data());
  return out;
}

void add_to(const Matrix& x, Matrix& to) { kernels().axpy(1, x.data(), to.data(), x.rows() * x.cols()); }

/// slope: of the loss by x / |x|, row by row; becomes that by x.
void normalise_back(const Matrix& x, Matrix& slope) {
  for (Index i = 0; i < x.rows(); ++i) {
    const Index d = x.cols();
    const float length = std::sqrt(kernels().dot(x[i].data(), x[i].data(), d));
    const float by = std::max(length, kShortest);
    if (length > kShortest) {
      const float along = kernels().dot(slope[i].data(), x[i].data(), d) / (length * length);
      kernels().axpy(-along, x[i].data(), slope[i].data(), d);
    }
    for (float& s : slope[i]) s /= by;
  }
}

}  // namespace

ModelFolder read_trainable_folder(const fs::path& folder, const Run& run) {
  if (!static_table_folder(folder)) return read_model_folder(folder);
  std::string id;
  return TokenVectors::load(folder, run.quiet(), id).model();
}

TrainableEncoder::TrainableEncoder(ModelFolder model, Tokenizer tokenizer)
    : tokenizer_(std::move(tokenizer)),
      network_(TrainableNetwork::load(model.transformer, Weights(model.transformer_folder), parameters)),
      model_(std::move(model)),
      dims_(std::min(model_.truncate.value_or(model_.dims), model_.dims)),
      left_out_(make_plan(*tokenizer_, model_, {}).left_out),
      dropout_{.hidden = model_.transformer.hidden_dropout,
               .attention = model_.transformer.attention_dropout,
               .seed = {}} {
  add_head();
}

TrainableEncoder::TrainableEncoder(const fs::path& static_folder, const Run& run)
    : table_(TrainableTable::load(static_folder, parameters, run)),
      model_(table_->model()),
      dims_(std::min(model_.truncate.value_or(model_.dims), model_.dims)) {
  add_head();
}

TrainableEncoder TrainableEncoder::load(const fs::path& folder, const Run& run) {
  if (static_table_folder(folder)) return {folder, run};
  ModelFolder model = read_model_folder(folder);
  Tokenizer tokenizer = load_tokenizer(model);
  check_vocabulary(model, tokenizer);
  return {std::move(model), std::move(tokenizer)};
}

void TrainableEncoder::add_head() {
  for (const HeadStep& what : model_.head) {
    Step step{.what = what};
    if (what.kind != StepKind::normalize) {
      const Weights weights(what.folder);
      const std::string at = what.folder.filename().string() + "/";
      if (what.kind == StepKind::layer_norm) {
        step.weight =
            parameters.add(at + "norm.weight", row_matrix(weights.vector("norm.weight", what.inputs)), false);
        step.bias =
            parameters.add(at + "norm.bias", row_matrix(weights.vector("norm.bias", what.inputs)), false);
      } else {
        step.weight = parameters.add(at + what.tensor + ".weight",
                                     weights.matrix(what.tensor + ".weight", what.outputs, what.inputs));
        if (what.bias)
          step.bias = parameters.add(at + what.tensor + ".bias",
                                     row_matrix(weights.vector(what.tensor + ".bias", what.outputs)), false);
        if (what.residual && what.inputs != what.outputs)
          step.residual = parameters.add(at + "residual.weight",
                                         weights.matrix("residual.weight", what.outputs, what.inputs));
      }
    }
    steps_.push_back(std::move(step));
  }
}

Tokens TrainableEncoder::tokenize(const Texts& texts, Index first, Index count) const {
  if (table_) return table_->tokenize(texts, first, count);
  const EncodePlan plan = make_plan(*tokenizer_, model_, {});
  Texts prompted;
  for (Index i = first; i < first + count; ++i) prompted.add(plan.prompt + std::string(texts[i]));
  return tokenizer_->encode(prompted, 0, count, plan.limit);
}

Tokens TrainableEncoder::tokenize(const Texts& texts, const Run& run) const {
  constexpr Index kAtOnce = 128;
  std::vector<Tokens> parts(chunk_count(texts.size(), kAtOnce));
  for_chunks(
      run, texts.size(), kAtOnce,
      [&](Index chunk, Index first, Index last) { parts[chunk] = tokenize(texts, first, last - first); },
      "tokenize");
  Tokens out;
  for (const Tokens& part : parts) {
    const Index before = out.ids.size();
    out.ids.insert(out.ids.end(), part.ids.begin(), part.ids.end());
    for (Index i = 1; i < part.starts.size(); ++i) out.starts.push_back(before + part.starts[i]);
    out.cut += part.cut;
  }
  return out;
}

Matrix TrainableEncoder::head_forward(Matrix x, EncoderPass& pass, const Run& run) const {
  pass.read.clear();
  pass.before.clear();
  for (const Step& step : steps_) {
    const HeadStep& what = step.what;
    Matrix out(x.rows(), what.outputs), before;
    if (what.kind == StepKind::normalize) {
      out = x;
      for (Index i = 0; i < out.rows(); ++i) normalise(out[i]);
    } else if (what.kind == StepKind::layer_norm) {
      layer_norm_rows(x.view(), parameters[step.weight].value[0], parameters[step.bias].value[0],
                      kHeadEpsilon, out.span(), run);
    } else {
      const Packed weight = Packed::rows(parameters[step.weight].value);
      product(x.view(), weight, what.bias ? parameters[step.bias].value[0] : std::span<const float>(),
              out.span(), run);
      before = out;
      kernels().activate(what.activation, out.data(), out.rows() * out.cols());
      if (what.residual && what.inputs == what.outputs) {
        add_to(x, out);
      } else if (what.residual) {
        Matrix beside(out.rows(), out.cols());
        product(x.view(), Packed::rows(parameters[step.residual].value), {}, beside.span(), run);
        add_to(beside, out);
      }
    }
    pass.read.push_back(std::move(x));
    pass.before.push_back(std::move(before));
    x = std::move(out);
  }
  return x;
}

Matrix TrainableEncoder::head_backward(const EncoderPass& pass, Matrix slope, const Run& run) {
  for (Index i = steps_.size(); i-- > 0;) {
    const Step& step = steps_[i];
    const HeadStep& what = step.what;
    const Matrix& x = pass.read[i];
    if (what.kind == StepKind::normalize) {
      normalise_back(x, slope);
    } else if (what.kind == StepKind::layer_norm) {
      layer_norm_back(x.view(), parameters[step.weight].value[0], kHeadEpsilon, slope.span(),
                      parameters[step.weight], parameters[step.bias], run);
    } else {
      Matrix by_input(x.rows(), x.cols());
      if (what.residual && what.inputs == what.outputs) {
        by_input = slope;
      } else if (what.residual) {
        add_weight_gradient(slope.view(), x.view(), parameters[step.residual], run);
        product(slope.view(), Packed::columns(parameters[step.residual].value.view()), {}, by_input.span(),
                run);
      }
      activation_back(what.activation, pass.before[i].view(), slope.span(), run);
      add_weight_gradient(slope.view(), x.view(), parameters[step.weight], run);
      if (what.bias) add_row_sum(slope.view(), parameters[step.bias], run);
      Matrix through(x.rows(), x.cols());
      product(slope.view(), Packed::columns(parameters[step.weight].value.view()), {}, through.span(), run);
      add_to(through, by_input);
      slope = std::move(by_input);
    }
  }
  return slope;
}

Matrix TrainableEncoder::forward(std::span<const std::span<const std::uint32_t>> texts,
                                 const NetworkDropout& dropout, EncoderPass& pass, const Run& run) const {
  std::vector<std::uint32_t> ids;
  std::vector<Index> starts{0};
  for (const auto& text : texts) {
    ids.insert(ids.end(), text.begin(), text.end());
    starts.push_back(ids.size());
  }
  Matrix pooled;
  if (table_) {
    pooled = table_->forward(ids, starts, parameters, run);
    pass.network.ids = std::move(ids), pass.network.starts = std::move(starts);
  } else {
    pass.states = network_->forward(ids, starts, parameters, dropout, pass.network, run);
    pooled = Matrix(texts.size(), model_.pooling.modes.size() * model_.transformer.hidden);
    for (Index i = 0; i < texts.size(); ++i)
      pool(model_.pooling.modes, pass.states.view().slice(starts[i], starts[i + 1] - starts[i]), left_out_,
           pooled[i]);
  }
  Matrix out = head_forward(std::move(pooled), pass, run);
  if (out.cols() == dims_) return out;
  Matrix cut(out.rows(), dims_);
  for (Index i = 0; i < out.rows(); ++i) std::copy_n(out[i].data(), dims_, cut[i].data());
  return cut;
}

void TrainableEncoder::backward(const EncoderPass& pass, Matrix slope, const Run& run) {
  if (dims_ < model_.dims) {
    Matrix whole(slope.rows(), model_.dims);
    for (Index i = 0; i < slope.rows(); ++i) std::ranges::copy(slope[i], whole[i].begin());
    slope = std::move(whole);
  }
  slope = head_backward(pass, std::move(slope), run);
  if (table_) return table_->backward(pass.network.ids, pass.network.starts, slope.view(), parameters);
  Matrix by_states(pass.states.rows(), pass.states.cols());
  const std::vector<Index>& starts = pass.network.starts;
  for_chunks(run.quiet(), slope.rows(), 1, [&](Index i, Index, Index) {
    const Index first = starts[i], count = starts[i + 1] - first;
    pool_back(model_.pooling.modes, pass.states.view().slice(first, count), left_out_, slope[i],
              by_states.span().slice(first, count));
  });
  network_->backward(pass.network, std::move(by_states), parameters, run);
}

Matrix TrainableEncoder::encode(std::span<const std::span<const std::uint32_t>> texts, const Run& run) const {
  Matrix out(texts.size(), dims_);
  EncoderPass pass;
  pass.network.keeps = false;
  for (Index first = 0, last; first < texts.size(); first = last) {
    check_stop(run);
    Index tokens = 0;
    for (last = first; last < texts.size() && (last == first || tokens + texts[last].size() <= kTokensAtOnce);
         ++last)
      tokens += texts[last].size();
    const Matrix found = forward(texts.subspan(first, last - first), {}, pass, run.quiet());
    std::copy_n(found.data(), found.rows() * found.cols(), out[first].data());
    if (run.progress) run.progress("encode", static_cast<double>(last), static_cast<double>(texts.size()));
  }
  return out;
}

Matrix TrainableEncoder::encode(const Tokens& texts, const Run& run) const {
  std::vector<std::span<const std::uint32_t>> all;
  for (Index i = 0; i < texts.size(); ++i) all.push_back(texts[i]);
  return encode(all, run);
}

void TrainableEncoder::save(const fs::path& to) const {
  copy_beside_weights(model_, to);
  const auto named = [&](const std::string& name) -> const Matrix* {
    for (Index i = 0; i < parameters.size(); ++i)
      if (parameters[i].name == name) return &parameters[i].value;
    return nullptr;
  };
  const auto place = [&](const fs::path& folder) { return to / fs::relative(folder, model_.folder); };
  if (table_) {
    std::error_code ignored;
    fs::create_directories(place(model_.transformer_folder), ignored);
    table_->save(place(model_.transformer_folder), parameters);
  } else {
    write_weights(model_.transformer_folder, place(model_.transformer_folder), named);
  }
  for (const Step& step : steps_)
    if (step.what.kind != StepKind::normalize) {
      const std::string at = step.what.folder.filename().string() + "/";
      write_weights(step.what.folder, place(step.what.folder),
                    [&](const std::string& name) { return named(at + name); });
    }
}

}  // namespace shoal
