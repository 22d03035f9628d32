#include "shoal/encode/token_vectors.h"

#include <algorithm>
#include <cmath>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/core/utf8.h"
#include "shoal/encode/encoder_impl.h"
#include "shoal/encode/json_fields_impl.h"
#include "shoal/encode/tokenizer_facts_impl.h"
#include "shoal/kernels/kernels.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

constexpr Index kGrain = 128;  // texts tokenized at once
constexpr double kRare = 1e-3;

constexpr Index kModel2VecLimit = 512;  // where its config.json says nothing

/// To the nearest float16 and back.
void round_to_half(std::span<float> row) {
  std::vector<std::uint16_t> halves(row.size());
  kernels().f32_to_f16(row.data(), halves.data(), row.size());
  kernels().f16_to_f32(halves.data(), row.data(), row.size());
}

/// Where the first `most` code points of valid UTF-8 end.
std::size_t end_of_letters(std::string_view text, Index most) {
  if (text.size() <= most) return text.size();
  for (std::size_t at = 0; at < text.size(); ++at)
    if ((static_cast<unsigned char>(text[at]) & 0xC0) != 0x80 && most-- == 0) return at;
  return text.size();
}

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

TokenVectors::TokenVectors(ModelFolder model, Tokenizer tokenizer, TensorTable table, std::string name,
                           Index tokens, Index cols)
    : model_(std::move(model)),
      tokenizer_(std::move(tokenizer)),
      table_(std::move(table)),
      table_name_(std::move(name)),
      tokens_(tokens),
      cols_(cols),
      head_(AfterPooling::load(model_.head)) {}

void TokenVectors::read_mapping(const Weights& weights, Index rows) {
  const fs::path& file = weights.files().front();
  if (weights.has("mapping"))
    for (const std::int64_t row : weights.integers("mapping")) {
      require(row >= 0 && static_cast<Index>(row) < rows, Fault::format,
              file.string() + ": mapping has " + std::to_string(row) + " for token " +
                  std::to_string(mapping_.size()) + "; the table has " + std::to_string(rows) + " rows");
      mapping_.push_back(static_cast<std::uint32_t>(row));
    }
  tokens_ = mapping_.empty() ? rows : mapping_.size();
  if (!weights.has("weights")) return;
  const std::vector<Index>& shape = weights.shape("weights");
  require(shape.size() == 1 && shape[0] == tokens_, Fault::format,
          file.string() + ": weights must be " + std::to_string(tokens_) + " numbers, one a token");
  scales_ = weights.vector("weights", tokens_);
}

void TokenVectors::read_as_model2vec() {
  const JsonFields config = JsonFields::read(model_.transformer_folder / "config.json");
  const TokenizerFacts facts = TokenizerFacts::read(model_.transformer_folder / "tokenizer.json");
  model2vec_ = true;
  left_out_ = facts.unknown;
  token_letters_ = facts.median_letters;
  limit_ =
      config.says_null("max_length") ? 0 : config.integer("max_length", 1, 1'000'000'000, kModel2VecLimit);
  const auto is_normalize = [](const HeadStep& step) { return step.kind == StepKind::normalize; };
  if (!std::ranges::all_of(model_.head, is_normalize)) return;
  model_.head.clear();
  if (config.flag("normalize", false)) model_.head.push_back({.inputs = cols_, .outputs = cols_});
  head_ = AfterPooling::load(model_.head);
}

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
  const bool model2vec = is_model2vec(model.transformer_folder) && name == std::string_view("embeddings");
  std::vector<fs::path> files;
  const auto add = [&](const fs::path& path) {
    if (fs::exists(path)) files.push_back(path);
  };
  add(model.folder / "modules.json");
  add(model.folder / "config_sentence_transformers.json");
  for (const HeadStep& step : model.head)
    if (!step.folder.empty()) add(step.folder / "config.json");
  if (model2vec) add(model.transformer_folder / "config.json");
  files.push_back(model.transformer_folder / "tokenizer.json");
  files.insert(files.end(), weights.files().begin(), weights.files().end());
  Tokenizer tokenizer = Tokenizer::load(model.transformer_folder / "tokenizer.json");
  TokenVectors out(std::move(model), std::move(tokenizer), weights.quantised_table(name, shape[0], shape[1]),
                   name, shape[0], shape[1]);
  out.read_mapping(weights, shape[0]);
  check_vocabulary(out.model_.transformer_folder, out.tokenizer_, out.tokens_);
  if (model2vec)
    out.read_as_model2vec();
  else
    out.limit_ = truncation_of(out.model_.transformer_folder / "tokenizer.json");
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
  const char* const name = "embeddings.word_embeddings.weight";
  TokenVectors out(std::move(model), std::move(tokenizer), weights.table(name, rows, cols), name, rows, cols);
  out.unit_ = true;
  return out;
}

TokenVectors TokenVectors::of(const fs::path& folder, const Run& run, std::string& id) {
  return static_table_folder(folder) ? load(folder, run, id) : of_transformer(folder, run, id);
}

Index TokenVectors::dims() const { return std::min(model_.truncate.value_or(model_.dims), model_.dims); }

bool TokenVectors::unit() const {
  const bool last = !model_.head.empty() && model_.head.back().kind == StepKind::normalize;
  return unit_ || (last && dims() == model_.dims && !(model2vec_ && table_.type() == TensorType::f16));
}

bool TokenVectors::mean_of(std::span<const std::uint32_t> ids, std::span<float> row,
                           std::span<float> sum) const {
  std::ranges::fill(sum, 0.0f);
  float total = 0;
  const Kernels& k = kernels();
  // Model2Vec sums rows of float64 in float64.
  std::vector<double> wide(table_.type() == TensorType::f64 ? sum.size() : 0);
  for (const std::uint32_t id : ids) {
    const float weight = weights_ ? weights_->weights[id] : 1.0f;
    const float scale = scales_.empty() ? weight : weight * scales_[id];
    const float* vector = table_.row(mapping_.empty() ? id : mapping_[id], row);
    total += weight;
    if (wide.empty())
      k.axpy(scale, vector, sum.data(), sum.size());
    else
      for (Index j = 0; j < sum.size(); ++j)
        wide[j] += static_cast<double>(scale) * static_cast<double>(vector[j]);
  }
  for (Index j = 0; j < wide.size(); ++j) sum[j] = static_cast<float>(wide[j]);
  if (!(total > 0)) return false;
  for (float& x : sum) x /= total;
  return true;
}

TokenWeights TokenVectors::fit_weights(const TextPasses& texts, const Run& run) const {
  std::vector<std::uint64_t> times(tokens_);
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
  TokenWeights out{std::vector<float>(tokens_, 1.0f), std::vector<float>(cols_)};
  if (all > 0)
    for (Index id = 0; id < tokens_; ++id)
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

Texts TokenVectors::prepared(const Texts& texts, Index first, Index count, const std::string& prompt,
                             Index letters, std::vector<std::uint8_t>& cut) const {
  Texts out;
  std::string text;
  for (Index i = 0; i < count; ++i) {
    text = prompt;
    text += texts[first + i];
    if (letters > 0 && text.size() > letters) {
      text = repair_utf8(text);
      const std::size_t end = end_of_letters(text, letters);
      cut[i] = end < text.size();
      text.resize(end);
    }
    out.add(text);
  }
  return out;
}

TokenVectors::Reading TokenVectors::reading_of(const EncodeOptions& options) const {
  Reading out{.prompt = prompt_of(model_, options), .before = 0, .limit = 0, .letters = 0};
  if (!out.prompt.empty()) {
    Texts one;
    one.add(out.prompt);
    out.before = tokenizer_.encode_plain(one, 0, 1).ids.size();
  }
  // Pooled windows of a text, each by its number of tokens, are the mean of all its tokens.
  out.limit = options.max_tokens.value_or(options.long_texts == LongTexts::chunk ? 0 : limit_);
  out.letters = model2vec_ ? out.limit * token_letters_ : 0;
  if (out.limit == 0) out.limit = ~Index{0};
  return out;
}

Tokens TokenVectors::counting_tokens(const Texts& texts, Index first, Index count, const Reading& reading,
                                     std::span<std::uint8_t> unknown) const {
  const auto [prompt, before, limit, letters] = reading;
  std::vector<std::uint8_t> shortened(count);
  bool as_they_are = prompt.empty();
  for (Index i = 0; i < count && letters > 0 && as_they_are; ++i)
    as_they_are = texts[first + i].size() <= letters;
  Texts changed;
  if (!as_they_are) changed = prepared(texts, first, count, prompt, letters, shortened);
  // One more tells whether a text is longer.
  Tokens tokens = tokenizer_.encode_plain(as_they_are ? texts : changed, as_they_are ? first : 0, count,
                                          limit == ~Index{0} ? limit : limit + 1);
  tokens.cut = 0;
  std::size_t kept = 0, begin = 0;
  for (Index i = 0; i < count; ++i) {
    const std::size_t end = tokens.starts[i + 1];
    const auto ids = std::span(tokens.ids).subspan(begin, std::min<std::size_t>(end - begin, limit));
    tokens.cut += end - begin > limit || shortened[i] != 0;
    unknown[i] = !tokenizer_.knows_any(ids.subspan(std::min<Index>(before, ids.size())));
    for (const std::uint32_t id : ids)
      if (id != left_out_) tokens.ids[kept++] = id;
    begin = end;
    tokens.starts[i + 1] = kept;
  }
  tokens.ids.resize(kept);
  return tokens;
}

Tokens TokenVectors::tokenize(const Texts& texts, Index first, Index count) const {
  std::vector<std::uint8_t> unknown(count);
  return counting_tokens(texts, first, count, reading_of({}), unknown);
}

Matrix TokenVectors::table() const {
  Index rows = tokens_;
  if (!mapping_.empty()) rows = Index{*std::ranges::max_element(mapping_)} + 1;
  Matrix out(rows, cols_);
  for (Index i = 0; i < rows; ++i) table_.read(i, out[i]);
  return out;
}

Matrix TokenVectors::encode(const Texts& texts, Index first, Index count, const EncodeOptions& options,
                            const Run& run, TextFates& fates) const {
  const Reading reading = reading_of(options);
  const bool as_library = !weights_ && !unit_;  // texts of unknown tokens too
  const bool half = as_library && model2vec_ && table_.type() == TensorType::f16;
  Matrix out(count, dims());
  std::vector<Index> cut(chunk_count(count, kGrain));
  for_chunks(
      run, count, kGrain,
      [&](Index chunk, Index begin, Index end) {
        const Index n = end - begin;
        const auto unknown = std::span(fates.unknown).subspan(begin, n);
        const Tokens tokens = counting_tokens(texts, first + begin, n, reading, unknown);
        cut[chunk] = tokens.cut;
        Matrix pooled(n, cols_);
        std::vector<float> row(cols_);
        for (Index i = 0; i < n; ++i) {
          const auto ids = unknown[i] == 0 || as_library ? tokens[i] : std::span<const std::uint32_t>();
          if (!mean_of(ids, row, pooled[i])) continue;
          if (weights_) kernels().axpy(-1.0f, weights_->mean.data(), pooled[i].data(), cols_);
          if (half) round_to_half(pooled[i]);
        }
        const Matrix found = head_.apply(std::move(pooled));
        for (Index i = 0; i < found.rows(); ++i) {
          require(std::isfinite(kernels().dot(found[i].data(), found[i].data(), found.cols())), Fault::format,
                  model_.folder.string() + ": the weights give a vector that is not finite");
          std::copy_n(found[i].data(), out.cols(), out[begin + i].data());
          if (unit_) normalise(out[begin + i]);
          if (half) round_to_half(out[begin + i]);
        }
      },
      "encode");
  for (const Index n : cut) fates.cut += n;
  return out;
}

}  // namespace shoal
