#include "shoal/flow/distil/distil.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/encode/ensemble_folder.h"
#include "shoal/encode/model_place.h"
#include "shoal/encode/static_tokenizer.h"
#include "shoal/encode/token_states.h"
#include "shoal/flow/distil/corpus_words_impl.h"
#include "shoal/flow/distil/kept_impl.h"
#include "shoal/flow/distil/token_table_impl.h"
#include "shoal/flow/distil/token_weights_impl.h"
#include "shoal/flow/receipt.h"
#include "shoal/flow/texts/models.h"
#include "shoal/flow/texts/static_folder.h"
#include "shoal/reduce/pca.h"
#include "shoal/store/archive/archive.h"
#include "shoal/store/files/new_folder.h"
#include "shoal/tokenize/words.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kMarkFile = "distil.json";
constexpr FolderMark kMark{kMarkFile, "\"format\": \"shoal distil\""};
constexpr const char* kFiles[] = {kMarkFile, "model.safetensors", "tokenizer.json", "config.json",
                                  "modules.json"};
constexpr Index kUsualDims = 256;
constexpr Index kBatch = 1024;             // texts at once
constexpr Index kMostCounted = 2'000'000;  // words of a corpus

CorpusPasses passes_of(const DistilOptions& o, const Run& run) {
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
std::vector<CorpusWord> count_words(const CorpusPasses& passes, const StaticTokenizer& tokens,
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
void count_texts(const CorpusPasses& passes, DistilReport& report, const Run& run) {
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

double a_of(const DistilOptions& o, Weighting weighting) {
  return o.sif.value_or(weighting == Weighting::sif ? 1e-3 : 1e-4);
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

StaticVocabulary vocabulary_of(VocabularyOf which, StaticTokenizer& tokens, const Tokenizer& tokenizer,
                               const std::vector<CorpusWord>& words, Index most, DistilReport& report) {
  StaticVocabulary out;
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
  StaticOrigin origin{
      .made_from = report.model.substr(0, report.model.find('@')), .components = report.dims, .sif = {}};
  if (weights != Weighting::none) origin.sif = a_of(o, weights);
  write_static_model(folder, table, tokenizer, origin);
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
    if (kept.is_of_key()) kept.remove();  // else it may be of another that is going on
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
  const CorpusPasses passes = passes_of(o, run);
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
  const StaticVocabulary vocabulary = vocabulary_of(which, tokens, before, words, o.words, report);
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

  Matrix table = make_token_table(o, model, tokens, vocabulary, passes, kept, before, now, report, run);
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
