#include "shoal/flow/distil/distil.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <nlohmann/json.hpp>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/encode/ensemble_folder.h"
#include "shoal/encode/model_place.h"
#include "shoal/encode/static_tokenizer.h"
#include "shoal/encode/token_states.h"
#include "shoal/flow/distil/contexts_impl.h"
#include "shoal/flow/distil/corpus_words_impl.h"
#include "shoal/flow/distil/kept_impl.h"
#include "shoal/flow/receipt.h"
#include "shoal/flow/texts/models.h"
#include "shoal/kernels/kernels.h"
#include "shoal/reduce/pca.h"
#include "shoal/store/archive/archive.h"
#include "shoal/store/files/new_folder.h"
#include "shoal/tokenize/words.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;
using Passes = std::function<void(const std::function<void(const Texts&)>&)>;

constexpr const char* kMarkFile = "distil.json";
constexpr FolderMark kMark{kMarkFile, "\"format\": \"shoal distil\""};
constexpr const char* kFiles[] = {kMarkFile, "model.safetensors", "tokenizer.json", "config.json",
                                  "modules.json"};
constexpr Index kUsualDims = 256;
constexpr Index kBatch = 1024;             // texts at once
constexpr Index kAlone = 8192;             // tokens that go through the model between two looks at the clock
constexpr Index kMostCounted = 2'000'000;  // words of a corpus

Passes passes_of(const DistilOptions& o, const Run& run) {
  return [&o, run](const std::function<void(const Texts&)>& take) {
    Source source(o.corpus, o.read, run.stop);
    Texts texts;
    std::vector<Texts> others;
    while (source.next(kBatch, texts, others)) {
      check_stop(run);
      take(texts);
    }
  };
}

/// The words of the corpus, most frequent first.
std::vector<CorpusWord> count_words(const Passes& passes, const StaticTokenizer& tokens,
                                    const Tokenizer& tokenizer, Index min_count, DistilReport& report,
                                    const Run& run) {
  WordCounts counts(tokens, kMostCounted);
  passes([&](const Texts& batch) {
    constexpr Index kGrain = 128;
    std::vector<Texts> found(chunk_count(batch.size(), kGrain));
    for_chunks(run.quiet(), batch.size(), kGrain, [&](Index chunk, Index first, Index last) {
      found[chunk] = tokenizer.split(batch, first, last - first);
    });
    for (const Texts& pieces : found) counts.add(pieces);
    report.texts += batch.size();
    if (run.progress) run.progress("words", static_cast<double>(report.texts), 0);
  });
  if (counts.forgotten())
    report.notes.push_back(
        "the corpus has more than " + std::to_string(kMostCounted) +
        " different words; the rare ones were forgotten now and then, so that their counts "
        "may be too low");
  return std::move(counts).words(min_count);
}

/// Only how many texts there are.
void count_texts(const Passes& passes, DistilReport& report, const Run& run) {
  passes([&](const Texts& batch) {
    report.texts += batch.size();
    if (run.progress) run.progress("words", static_cast<double>(report.texts), 0);
  });
}

/// How each piece is cut as a word of a text. Empty: it is another piece when it stands alone, or it has
/// parts that are not known.
std::vector<std::vector<std::uint32_t>> parts_of(const std::vector<CorpusWord>& words,
                                                 const StaticTokenizer& tokens, const Tokenizer& tokenizer) {
  std::vector<std::vector<std::uint32_t>> out(words.size());
  Texts alone;
  for (const CorpusWord& word : words) alone.add(tokens.plain(word.piece));
  const Tokens cut = tokenizer.encode_plain(alone, 0, alone.size());
  for (Index i = 0; i < words.size(); ++i) {
    const auto ids = cut[i];
    if (ids.empty() || tokenizer.unknown(ids) > 0) continue;
    if (tokens.unknown() && std::ranges::find(ids, *tokens.unknown()) != ids.end()) continue;
    const Texts again = tokenizer.split(alone, i, 1);
    if (again.size() == 1 && again[0] == words[i].piece) out[i].assign(ids.begin(), ids.end());
  }
  return out;
}

/// The tokens that the static model has, and how its tokenizer is written.
struct Vocabulary {
  std::string json;
  std::vector<std::uint32_t> tokens;  ///< of each row the token of the StaticTokenizer
  std::optional<Index> unknown;       ///< the row of what is not known
};

/// The vectors of the tokens, before anything is done to them: rows x model's dims.
class TokenTable {
 public:
  TokenTable(const DistilOptions& o, const TokenStates& model, const StaticTokenizer& tokens,
             const Vocabulary& vocabulary, const Passes& passes, Kept& kept, DistilReport& report,
             const Run& run)
      : o_(o),
        model_(model),
        tokens_(tokens),
        vocabulary_(vocabulary),
        passes_(passes),
        kept_(kept),
        report_(report),
        run_(run),
        contexts_(tokens.size(), model.dims()),
        vectors_(vocabulary.tokens.size(), model.dims()) {}

  /// before, now: the tokenizer without and with the corpus' words.
  Matrix make(const Tokenizer& before, const Tokenizer& now) && {
    if (!kept_.read(texts_, alone_, contexts_, vectors_, report_.texts))
      report_.notes.push_back(kept_.path().string() +
                              " was kept of other options or another corpus, or is damaged; it is not used");
    try {
      if (o_.context) read_contexts(before, now);
      read_alone();
    } catch (const Error& e) {
      if (e.fault == Fault::cancelled && texts_ + alone_ > 0) keep();
      throw;
    }
    for (Index row = 0; row < vocabulary_.tokens.size(); ++row)
      if (in_context(row)) {
        contexts_.mean(vocabulary_.tokens[row], vectors_[row]);
        ++report_.in_context;
      }
    return std::move(vectors_);
  }

 private:
  bool in_context(Index row) const {
    return o_.context && row != vocabulary_.unknown &&
           contexts_.times()[vocabulary_.tokens[row]] >= static_cast<std::int64_t>(o_.min_contexts);
  }
  void keep() { kept_.write(texts_, alone_, contexts_, vectors_); }

  void read_contexts(const Tokenizer& before, const Tokenizer& now) {
    Index seen = 0;
    passes_([&](const Texts& batch) {
      const Index first = std::min(batch.size(), texts_ - std::min(texts_, seen));
      for (Index at = first; at < batch.size(); at += kBatch / 4) {
        const Index n = std::min(kBatch / 4, batch.size() - at);
        contexts_.add(batch, at, n, model_, tokens_, before, now, run_);
        texts_ = seen + at + n;
        if (run_.progress)
          run_.progress("context", static_cast<double>(texts_), static_cast<double>(report_.texts));
        if (kept_.is_due()) keep();
      }
      seen += batch.size();
    });
  }

  void read_alone() {
    const Index rows = vocabulary_.tokens.size();
    while (alone_ < rows) {
      const Index end = std::min(rows, alone_ + kAlone);
      Tokens own;
      std::vector<Index> which;
      for (Index row = alone_; row < end; ++row) {
        if (in_context(row)) continue;
        const auto& ids = tokens_.originals(vocabulary_.tokens[row]);
        own.ids.insert(own.ids.end(), ids.begin(),
                       ids.begin() + static_cast<std::ptrdiff_t>(std::min<Index>(ids.size(), model_.room())));
        own.starts.push_back(own.ids.size());
        which.push_back(row);
      }
      Run inner = run_.quiet();
      if (run_.progress)
        inner.progress = [&](std::string_view, double done, double total) {
          run_.progress("tokens",
                        static_cast<double>(alone_) + static_cast<double>(end - alone_) * done / total,
                        static_cast<double>(rows));
        };
      const Matrix found = model_.means(own, inner, "tokens");
      for (Index i = 0; i < which.size(); ++i)
        std::copy_n(found[i].data(), found.cols(), vectors_[which[i]].data());
      alone_ = end;
      if (kept_.is_due()) keep();
    }
  }

  const DistilOptions& o_;
  const TokenStates& model_;
  const StaticTokenizer& tokens_;
  const Vocabulary& vocabulary_;
  const Passes& passes_;
  Kept& kept_;
  DistilReport& report_;
  const Run& run_;
  Contexts contexts_;
  Matrix vectors_;
  Index texts_ = 0, alone_ = 0;  // done
};

double a_of(const DistilOptions& o, Weighting weighting) {
  return o.sif.value_or(weighting == Weighting::sif ? 1e-3 : 1e-4);
}

/// a / (a + p) of each row.
std::vector<double> weights_by_rank(Index rows, double a) {
  double sum = 0;
  for (Index i = 0; i < rows; ++i) sum += 1.0 / static_cast<double>(i + 2);
  std::vector<double> out(rows);
  for (Index i = 0; i < rows; ++i) out[i] = a / (a + 1.0 / static_cast<double>(i + 2) / sum);
  return out;
}

std::vector<double> weights_by_count(Index rows, double a, std::optional<Index> unknown, const Passes& passes,
                                     const Tokenizer& tokenizer, const Run& run) {
  std::vector<std::int64_t> times(rows);
  passes([&](const Texts& batch) {
    constexpr Index kGrain = 128;
    std::vector<Tokens> found(chunk_count(batch.size(), kGrain));
    for_chunks(run.quiet(), batch.size(), kGrain, [&](Index chunk, Index first, Index last) {
      found[chunk] = tokenizer.encode_plain(batch, first, last - first);
    });
    for (const Tokens& tokens : found)
      for (const std::uint32_t id : tokens.ids) ++times[id];
  });
  std::int64_t all = 0;
  for (Index i = 0; i < rows; ++i)
    if (i != unknown) all += times[i];
  std::vector<double> out(rows, 1.0);
  for (Index i = 0; i < rows && all > 0; ++i)
    out[i] = a / (a + static_cast<double>(times[i]) / static_cast<double>(all));
  return out;
}

/// Error(argument) unless so many texts of the corpus have a token as remove_common needs.
void check_common(Index components, std::optional<Index> unknown, const Passes& passes,
                  const Tokenizer& tokenizer) {
  const Index needed = std::max<Index>(components, 2);
  Index found = 0;
  passes([&](const Texts& batch) {
    for (Index at = 0; at < batch.size() && found < needed; at += needed) {
      const Tokens tokens = tokenizer.encode_plain(batch, at, std::min(needed, batch.size() - at));
      for (Index i = 0; i < tokens.size(); ++i)
        found += std::ranges::any_of(tokens[i], [&](Index id) { return id != unknown; });
    }
  });
  require(found >= needed, Fault::argument,
          option_name("sentence_pca") + " is " + std::to_string(components) + "; it needs " +
              std::to_string(needed) + " texts of the corpus that have a token, and there are " +
              std::to_string(found));
}

/// Takes the mean of the texts' means off the rows of `table`, and what they have along the first components
/// of those means: as the mean of rows is linear, the texts' means lose the same.
void remove_common(Matrix& table, Index components, std::optional<Index> unknown, const Passes& passes,
                   const Tokenizer& tokenizer, const Run& run) {
  Pca pca({.n_components = components});
  passes([&](const Texts& batch) {
    Matrix means(batch.size(), table.cols());
    std::vector<std::uint8_t> any(batch.size());
    for_chunks(run.quiet(), batch.size(), 128, [&](Index, Index first, Index last) {
      const Tokens tokens = tokenizer.encode_plain(batch, first, last - first);
      for (Index i = 0; i < tokens.size(); ++i) {
        Index n = 0;
        const auto row = means[first + i];
        for (const std::uint32_t id : tokens[i])
          if (id != unknown) kernels().axpy(1.0f, table[id].data(), row.data(), row.size()), ++n;
        for (float& x : row) x /= static_cast<float>(std::max<Index>(n, 1));
        any[first + i] = n > 0;
      }
    });
    Index kept = 0;  // texts without a token say nothing
    for (Index i = 0; i < batch.size(); ++i)
      if (any[i]) std::copy_n(means[i].data(), means.cols(), means[kept++].data());
    if (kept > 0) pca.update(Rows(means.view().slice(0, kept)), run.quiet());
  });
  const Matrix& directions = pca.components();
  for_chunks(run.quiet(), table.rows(), 1024, [&](Index, Index first, Index last) {
    for (Index i = first; i < last; ++i) {
      const auto row = table[i];
      kernels().axpy(-1.0f, pca.mean().data(), row.data(), row.size());
      for (Index c = 0; c < directions.rows(); ++c)
        kernels().axpy(-kernels().dot(row.data(), directions[c].data(), row.size()), directions[c].data(),
                       row.data(), row.size());
    }
  });
}

std::string key_of(const DistilOptions& o, const std::string& model, const Run& run) {
  std::vector<Field> list = list_fields(o);
  for (Field& field : list_fields(o.read)) list.push_back(std::move(field));
  std::string text;
  for (const std::string& name : o.read.text_columns) text += name + '\n';
  list.push_back({"text", text});
  list.push_back({"model", model});
  return result_key("distil", list, o.corpus, run);
}

void check(const DistilOptions& o) {
  check_options(o);
  for (const fs::path& input : o.corpus)
    require(input != "-", Fault::argument,
            "standard input can be read once only, and the corpus is read more than once; give a file");
  if (!o.corpus.empty()) {
    const bool weighted = o.weights.value_or(Weighting::sif) == Weighting::sif;
    const bool words = o.vocabulary.value_or(VocabularyOf::both) != VocabularyOf::tokenizer;
    require(words || weighted || o.context || o.sentence_pca > 0, Fault::argument,
            option_name("corpus") + " is not used: " + option_name("vocabulary") + " is tokenizer, " +
                option_name("weights") + " is " + name_of(o.weights.value_or(Weighting::sif)) +
                ", and there is neither " + option_name("context") + " nor " + option_name("sentence_pca"));
    return;
  }
  const auto needs = [](const char* option) {
    throw Error(Fault::argument, option_name(option) + " needs a corpus: " + option_name("corpus") + " FILE");
  };
  if (o.vocabulary && *o.vocabulary != VocabularyOf::tokenizer) needs("vocabulary");
  if (o.weights == Weighting::sif) needs("weights");
  if (o.context) needs("context");
  if (o.sentence_pca > 0) needs("sentence_pca");
}

void check_components(const DistilOptions& o, Index dims) {
  require(o.sentence_pca < dims, Fault::argument,
          option_name("sentence_pca") + " is " + std::to_string(o.sentence_pca) + "; allowed: below the " +
              std::to_string(dims) + " of " + option_name("dims"));
}

Vocabulary vocabulary_of(VocabularyOf which, StaticTokenizer& tokens, const Tokenizer& tokenizer,
                         const std::vector<CorpusWord>& words, Index most, DistilReport& report) {
  Vocabulary out;
  std::vector<std::string> whole;  // of the corpus alone
  if (which != VocabularyOf::tokenizer) {
    const auto parts = parts_of(words, tokens, tokenizer);
    for (Index i = 0, taken = 0; i < words.size() && taken < most; ++i) {
      if (parts[i].empty()) continue;
      const std::string plain = tokens.plain(words[i].piece);
      const auto id = tokens.find(words[i].piece);
      if (!id && !has_letter(plain)) continue;  // numbers, marks in a row
      if (id && which == VocabularyOf::both) continue;
      if (!id) {
        tokens.add(words[i].piece, parts[i]);
        ++report.words;
      }
      out.tokens.push_back(*tokens.find(words[i].piece));
      whole.push_back(words[i].piece);
      ++taken;
    }
  }
  if (which == VocabularyOf::corpus) {
    require(!whole.empty(), Fault::data,
            "no word of the corpus stands there " + option_name("min_count") + " times");
    report.words = whole.size();
    out.json = tokens.words_json(whole);
    out.tokens.insert(out.tokens.begin(), tokens.unknown().value_or(out.tokens.front()));
    out.unknown = 0;
    return out;
  }
  out.json = tokens.to_json();
  out.tokens.resize(tokens.size());
  for (Index i = 0; i < tokens.size(); ++i) out.tokens[i] = static_cast<std::uint32_t>(i);
  if (tokens.unknown()) out.unknown = *tokens.unknown();
  return out;
}

void write_model(const NewFolder& folder, const Matrix& table, const std::string& tokenizer,
                 const DistilOptions& o, Weighting weights, const DistilReport& report) {
  ArchiveWriter out("static");
  out.add("embeddings", table);
  out.write(folder / "model.safetensors");
  write_file(folder / "tokenizer.json", tokenizer);
  Json config{{"model_type", "model2vec"},
              {"architectures", {"StaticModel"}},
              {"tokenizer_name", report.model.substr(0, report.model.find('@'))},
              {"apply_pca", report.dims},
              {"sif_coefficient", weights == Weighting::none ? Json() : Json(a_of(o, weights))},
              {"hidden_dim", report.dims},
              {"seq_length", 1'000'000},
              {"normalize", true},
              {"pooling", "mean"},
              {"max_length", nullptr},
              {"embedding_dtype", "float32"}};
  write_file(folder / "config.json", config.dump(1) + "\n");
  const auto module = [](int i, const char* path, const char* type) {
    return Json{{"idx", i},
                {"name", std::to_string(i)},
                {"path", path},
                {"type", std::string("sentence_transformers.models.") + type}};
  };
  write_file(
      folder / "modules.json",
      Json::array({module(0, ".", "StaticEmbedding"), module(1, "1_Normalize", "Normalize")}).dump(1) + "\n");
  const Json mark{
      {"format", "shoal distil"}, {"model", report.model},       {"tokens", report.tokens},
      {"dims", report.dims},      {"words", report.words},       {"in_context", report.in_context},
      {"texts", report.texts},    {"variance", report.variance}, {"weights", name_of(weights)}};
  write_file(folder / kMarkFile, mark.dump(1) + "\n");
}

DistilReport read_report(const fs::path& out, const Run& run) {
  DistilReport report;
  const auto mark = Json::parse(read_file(out / kMarkFile, 1 << 20));
  report.model = mark.at("model"), report.tokens = mark.at("tokens"), report.dims = mark.at("dims");
  report.words = mark.at("words"), report.in_context = mark.at("in_context"), report.texts = mark.at("texts");
  report.variance = mark.at("variance");
  report.id = Encoder::load(out, run.quiet()).space().id;
  report.out = out;
  return report;
}

}  // namespace

DistilReport distil(const DistilOptions& o, const Run& run) {
  check(o);
  const fs::path place = find_model(o.model, o.models_folder);
  if (is_ensemble(place) || static_table_folder(place))
    throw Error(Fault::unsupported, place.string() + " is " +
                                        (is_ensemble(place) ? "an ensemble" : "a static model") +
                                        "; a transformer is needed, as " + kDefaultModel);
  const TokenStates model = TokenStates::load(place, run);
  Index dims = o.dims.value_or(std::min(kUsualDims, model.dims()));
  require(dims <= model.dims(), Fault::argument,
          option_name("dims") + " is " + std::to_string(dims) + "; the vectors of " + model.name() +
              " have " + std::to_string(model.dims()) + " numbers");
  check_components(o, dims);
  const std::string key = key_of(o, model.id(), run);
  Kept kept(o.out, key);
  if (!o.overwrite && fs::exists(o.out / kMarkFile) && has_receipt(o.out, kMarkFile, key)) {
    NewFolder::clean_up(o.out, kMark, kFiles);
    kept.remove();
    DistilReport report = read_report(o.out, run);
    report.done_before = true;
    return report;
  }
  kept.check_place();
  NewFolder folder(o.out, kMark, o.overwrite, kFiles);
  for (const fs::path& input : o.corpus) folder.keep_off(input);
  folder.keep_off(place);

  DistilReport report;
  report.out = o.out, report.model = model.id();
  const bool corpus = !o.corpus.empty();
  const VocabularyOf which = o.vocabulary.value_or(corpus ? VocabularyOf::both : VocabularyOf::tokenizer);
  const Weighting weighting = o.weights.value_or(corpus ? Weighting::sif : Weighting::zipf);
  const Passes passes = passes_of(o, run);
  StaticTokenizer tokens(model.model());
  if (which != VocabularyOf::tokenizer && !tokens.takes_words())
    throw Error(Fault::unsupported,
                place.string() +
                    ": its tokenizer puts a sign behind each word (end_of_word_suffix); no words "
                    "can be added to it",
                option_name("vocabulary") + " tokenizer does without them");
  const Tokenizer before =
      Tokenizer::from_json(tokens.to_json(), place.string() + ": the tokenizer without special tokens");
  std::vector<CorpusWord> words;
  if (corpus) {
    if (which == VocabularyOf::tokenizer)
      count_texts(passes, report, run);
    else
      words = count_words(passes, tokens, before, o.min_count, report, run);
    require(report.texts > 0, Fault::data, o.corpus.front().string() + " has no texts");
  }
  const Vocabulary vocabulary = vocabulary_of(which, tokens, before, words, o.words, report);
  words.clear();
  const Tokenizer now = Tokenizer::from_json(tokens.to_json(), "the tokenizer with the corpus' words");
  const Tokenizer own = Tokenizer::from_json(vocabulary.json, "the static model's tokenizer");
  report.tokens = vocabulary.tokens.size();
  require(report.tokens >= 2, Fault::data, "there is one token only; a static model needs two");
  require(!o.dims || dims <= report.tokens, Fault::argument,
          option_name("dims") + " is " + std::to_string(dims) + "; there are " +
              std::to_string(report.tokens) + " tokens, and at most so many components");
  report.dims = dims = std::min(dims, report.tokens);
  check_components(o, dims);
  if (o.sentence_pca > 0) check_common(o.sentence_pca, vocabulary.unknown, passes, own);

  Matrix table = TokenTable(o, model, tokens, vocabulary, passes, kept, report, run).make(before, now);
  if (run.progress) run.progress("pca", 0, 0);
  const Rows rows(std::move(table));
  const Pca pca = Pca::fit(rows, {.n_components = dims}, run.quiet());
  report.variance = pca.explained_variance_ratio();
  table = pca.transform(rows, run.quiet());
  if (weighting != Weighting::none) {
    const std::vector<double> weights =
        weighting == Weighting::zipf
            ? weights_by_rank(table.rows(), a_of(o, weighting))
            : weights_by_count(table.rows(), a_of(o, weighting), vocabulary.unknown, passes, own, run);
    for (Index i = 0; i < table.rows(); ++i)
      for (float& x : table[i]) x = static_cast<float>(static_cast<double>(x) * weights[i]);
  }
  if (o.sentence_pca > 0) remove_common(table, o.sentence_pca, vocabulary.unknown, passes, own, run);
  if (vocabulary.unknown) std::ranges::fill(table[*vocabulary.unknown], 0.0f);
  write_model(folder, table, vocabulary.json, o, weighting, report);
  report.id = Encoder::load(folder / "", run.quiet()).space().id;
  report.id = model_name(o.out) + report.id.substr(report.id.find('@'));
  add_receipt(folder / "", kMarkFile, key);
  folder.keep();
  kept.remove();
  return report;
}

}  // namespace shoal
