#include "shoal/encode/token_vectors.h"

#include <algorithm>
#include <cmath>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/encode/encoder_impl.h"
#include "shoal/kernels/kernels.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

constexpr Index kGrain = 128;  // texts tokenized at once
constexpr double kRare = 1e-3;

void check_vocabulary(const fs::path& folder, const Tokenizer& tokenizer, Index rows) {
  require(tokenizer.vocabulary() <= rows, Fault::format,
          (folder / "tokenizer.json").string() + ": knows " + std::to_string(tokenizer.vocabulary()) +
              " tokens, but there are vectors of " + std::to_string(rows));
}

}  // namespace

void TokenWeights::save(ArchiveWriter& out) const {
  out.add("weights", std::span<const float>(weights));
  out.add("mean", std::span<const float>(mean));
}

TokenWeights TokenWeights::load(const ArchiveReader& in, Index vocabulary, Index dims) {
  check_kind(in, kind);
  TokenWeights out{in.floats("weights", vocabulary), in.floats("mean", dims)};
  const auto finite = [](float x) { return std::isfinite(x); };
  require(std::ranges::all_of(out.weights, [](float x) { return std::isfinite(x) && x >= 0; }) &&
              std::ranges::all_of(out.mean, finite),
          Fault::format, in.path().string() + ": a weight or the mean is not finite");
  return out;
}

TokenVectors::TokenVectors(ModelFolder model, Tokenizer tokenizer, TensorTable table, Index rows, Index cols)
    : model_(std::move(model)),
      tokenizer_(std::move(tokenizer)),
      table_(std::move(table)),
      rows_(rows),
      cols_(cols),
      head_(AfterPooling::load(model_.head)) {}

TokenVectors TokenVectors::load(const fs::path& folder, const Run& run, std::string& id) {
  const Weights weights(static_table_folder(folder).value());
  require(weights.has("embedding.weight") || weights.has("embeddings"), Fault::format,
          weights.files().front().string() +
              ": has neither embedding.weight nor embeddings, the table of a StaticEmbedding");
  const char* name = weights.has("embedding.weight") ? "embedding.weight" : "embeddings";  // of model2vec
  const std::vector<Index> shape = weights.shape(name);
  require(shape.size() == 2 && shape[0] > 0 && shape[1] > 0, Fault::format,
          weights.files().front().string() + ": tensor " + name + " is no table of vectors");
  ModelFolder model = read_static_folder(folder, shape[1]);
  Tokenizer tokenizer = Tokenizer::load(model.transformer_folder / "tokenizer.json");
  check_vocabulary(model.transformer_folder, tokenizer, shape[0]);
  std::vector<fs::path> files{model.folder / "modules.json"};
  if (const fs::path config = model.folder / "config_sentence_transformers.json"; fs::exists(config))
    files.push_back(config);
  for (const HeadStep& step : model.head)
    if (fs::exists(step.folder / "config.json")) files.push_back(step.folder / "config.json");
  files.push_back(model.transformer_folder / "tokenizer.json");
  files.insert(files.end(), weights.files().begin(), weights.files().end());
  TokenVectors out(std::move(model), std::move(tokenizer), weights.table(name, shape[0], shape[1]), shape[0],
                   shape[1]);
  files.insert(files.end(), out.head_.files().begin(), out.head_.files().end());
  id = FilesHash::of(std::move(files), run);
  return out;
}

TokenVectors TokenVectors::of_transformer(const fs::path& folder, const Run& run, std::string& id) {
  ModelFolder model = read_model_folder(folder);
  Weights weights(model.transformer_folder);
  weights.find_prefix();
  const Index rows = model.transformer.vocabulary, cols = model.transformer.hidden;
  Tokenizer tokenizer = load_tokenizer(model);
  check_vocabulary(model.transformer_folder, tokenizer, rows);
  std::vector<fs::path> files = small_files(model);
  files.insert(files.end(), weights.files().begin(), weights.files().end());
  id = FilesHash::of(std::move(files), run);
  model.head.clear();
  model.truncate.reset();
  model.dims = cols;
  TokenVectors out(std::move(model), std::move(tokenizer),
                   weights.table("embeddings.word_embeddings.weight", rows, cols), rows, cols);
  out.unit_ = true;
  return out;
}

TokenVectors TokenVectors::of(const fs::path& folder, const Run& run, std::string& id) {
  return static_table_folder(folder) ? load(folder, run, id) : of_transformer(folder, run, id);
}

Index TokenVectors::dims() const { return std::min(model_.truncate.value_or(model_.dims), model_.dims); }

bool TokenVectors::unit() const {
  const bool last = !model_.head.empty() && model_.head.back().kind == StepKind::normalize;
  return unit_ || (last && dims() == model_.dims);
}

bool TokenVectors::mean_of(std::span<const std::uint32_t> ids, std::span<float> row,
                           std::span<float> sum) const {
  std::ranges::fill(sum, 0.0f);
  float total = 0;
  for (const std::uint32_t id : ids) {
    const float weight = weights_ ? weights_->weights[id] : 1.0f;
    table_.read(id, row);
    kernels().axpy(weight, row.data(), sum.data(), sum.size());
    total += weight;
  }
  if (!(total > 0)) return false;
  for (float& x : sum) x /= total;
  return true;
}

TokenWeights TokenVectors::fit_weights(const TextPasses& texts, const Run& run) const {
  std::vector<std::uint64_t> times(rows_);
  std::uint64_t all = 0;
  texts([&](const Texts& batch) {
    std::vector<Tokens> found(chunk_count(batch.size(), kGrain));
    for_chunks(run.quiet(), batch.size(), kGrain, [&](Index chunk, Index first, Index last) {
      found[chunk] = tokenizer_.encode_plain(batch, first, last - first);
    });
    for (const Tokens& tokens : found)
      for (const std::uint32_t id : tokens.ids) ++times[id], ++all;
    if (run.progress) run.progress("tokens", static_cast<double>(all), 0);
  });
  TokenVectors weighted = *this;
  TokenWeights out{std::vector<float>(rows_, 1.0f), std::vector<float>(cols_)};
  if (all > 0)
    for (Index id = 0; id < rows_; ++id)
      out.weights[id] =
          static_cast<float>(kRare / (kRare + static_cast<double>(times[id]) / static_cast<double>(all)));
  weighted.weights_ = out;
  std::vector<double> mean(cols_);
  Index rows = 0;
  texts([&](const Texts& batch) {
    struct Part {
      std::vector<double> sum;
      Index rows = 0;
    };
    const Part part = fold_chunks(
        run.quiet(), batch.size(), kGrain, Part(),
        [&](Index first, Index last) {
          Part of{std::vector<double>(cols_), 0};
          const Tokens tokens = tokenizer_.encode_plain(batch, first, last - first);
          std::vector<float> row(cols_), sum(cols_);
          for (Index i = 0; i < tokens.size(); ++i) {
            if (!weighted.mean_of(tokens[i], row, sum)) continue;
            ++of.rows;
            for (Index j = 0; j < cols_; ++j) of.sum[j] += static_cast<double>(sum[j]);
          }
          return of;
        },
        [&](Part& total, Part&& more) {
          total.rows += more.rows;
          if (total.sum.empty()) return total.sum.swap(more.sum);
          for (Index j = 0; j < cols_; ++j) total.sum[j] += more.sum[j];
        });
    rows += part.rows;
    for (Index j = 0; j < part.sum.size(); ++j) mean[j] += part.sum[j];
  });
  for (Index j = 0; j < cols_ && rows > 0; ++j)
    out.mean[j] = static_cast<float>(mean[j] / static_cast<double>(rows));
  return out;
}

Matrix TokenVectors::encode(const Texts& texts, Index first, Index count, const EncodeOptions& options,
                            const Run& run, TextFates& fates) const {
  const std::string prompt = prompt_of(model_, options);
  Index before = 0;
  if (!prompt.empty()) {
    Texts one;
    one.add(prompt);
    before = tokenizer_.encode_plain(one, 0, 1).ids.size();
  }
  const Index limit = options.max_tokens.value_or(~Index{0});
  Matrix out(count, dims());
  std::vector<Index> cut(chunk_count(count, kGrain));
  for_chunks(
      run, count, kGrain,
      [&](Index chunk, Index begin, Index end) {
        Texts prompted;
        for (Index i = begin; i < end; ++i) prompted.add(prompt + std::string(texts[first + i]));
        const Tokens tokens = tokenizer_.encode_plain(prompted, 0, prompted.size());
        Matrix pooled(end - begin, cols_);
        std::vector<float> row(cols_);
        for (Index i = 0; i < tokens.size(); ++i) {
          auto ids = tokens[i];
          if (ids.size() > limit) ids = ids.first(limit), ++cut[chunk];
          const bool known = tokenizer_.knows_any(ids.subspan(std::min<Index>(before, ids.size())));
          fates.unknown[begin + i] = !known;
          if (!mean_of(known ? ids : ids.first(0), row, pooled[i])) continue;
          if (weights_) kernels().axpy(-1.0f, weights_->mean.data(), pooled[i].data(), cols_);
        }
        const Matrix found = head_.apply(std::move(pooled));
        for (Index i = 0; i < found.rows(); ++i) {
          require(std::isfinite(kernels().dot(found[i].data(), found[i].data(), found.cols())), Fault::format,
                  model_.folder.string() + ": the weights give a vector that is not finite");
          std::copy_n(found[i].data(), out.cols(), out[begin + i].data());
          if (unit_) normalise(out[begin + i]);
        }
      },
      "encode");
  for (const Index n : cut) fates.cut += n;
  return out;
}

}  // namespace shoal
