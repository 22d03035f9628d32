#include "shoal/encode/tfidf.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/explain/key_table.h"
#include "shoal/explain/term_frequencies.h"
#include "shoal/kernels/kernels.h"
#include "shoal/linear/norms.h"
#include "shoal/linear/truncated_svd.h"
#include "shoal/store/archive/archive.h"

namespace shoal {

struct Tfidf::State {
  TermRules rules;
  Index texts = 0;
  std::vector<std::string> terms;
  std::vector<std::int64_t> keys;  // of each term
  KeyTable number_of;              // from a key to its term
  std::vector<float> idf;
  Matrix components;  // terms x dims

  void add_keys() {
    for (const std::int64_t key : keys) number_of.add(static_cast<std::uint64_t>(key));
  }
};

namespace {

constexpr Index kMostTexts = 100'000, kMostEntries = Index{1} << 25;
constexpr Index kGrain = 256;

TermRules rules_of(const TfidfOptions& options) {
  TermRules rules;
  rules.max_ngram = options.ngrams;
  rules.stop_words = options.stop_words;
  rules.numbers = true;
  return rules;
}

struct Entry {
  std::uint32_t term = 0;
  float value = 0;
};

/// The terms of a text that are known, by their numbers, as a row of length 1.
void weigh(const std::vector<TermFrequencies::Frequency>& frequencies, const KeyTable& number_of,
           const std::vector<float>& idf, std::vector<Entry>& out) {
  out.clear();
  for (const auto& f : frequencies)
    if (const std::uint32_t term = number_of.find(f.key); term != KeyTable::kNone)
      out.push_back({term, static_cast<float>((1 + std::log(f.times)) * idf[term])});
  std::ranges::sort(out, {}, &Entry::term);
  double squares = 0;
  for (const Entry& e : out) squares += static_cast<double>(e.value) * e.value;
  for (Entry& e : out) e.value = static_cast<float>(e.value / std::sqrt(squares));
}

/// Rows for the SVD: every `stride`-th text, of which there are never too many.
class Sample {
 public:
  void add(const std::vector<Entry>& row) {
    if (seen_++ % stride_ != 0) return;
    for (const Entry& e : row) {
      rows_.columns.push_back(e.term);
      rows_.values.push_back(e.value);
    }
    rows_.starts.push_back(rows_.columns.size());
    if (rows_.rows() > kMostTexts || rows_.columns.size() > kMostEntries) thin_out();
  }
  SparseRows take(Index cols) {
    rows_.cols = cols;
    return std::move(rows_);
  }

 private:
  void thin_out() {
    SparseRows kept;
    for (Index i = 0; i < rows_.rows(); i += 2) {
      for (Index e = rows_.starts[i]; e < rows_.starts[i + 1]; ++e) {
        kept.columns.push_back(rows_.columns[e]);
        kept.values.push_back(rows_.values[e]);
      }
      kept.starts.push_back(kept.columns.size());
    }
    rows_ = std::move(kept);
    stride_ *= 2;
  }

  SparseRows rows_;
  Index seen_ = 0, stride_ = 1;
};

}  // namespace

Tfidf Tfidf::fit(const TextPasses& texts, const Options& options, const Run& run) {
  check_options(options);
  Tfidf out;
  out.options_ = options;
  auto state = std::make_shared<State>();
  state->rules = rules_of(options);
  std::optional<TermCounts> counts;
  texts([&](const Texts& batch) {
    check_stop(run);
    if (!counts) {
      state->rules.expected = sample_languages(batch, run.quiet());
      counts.emplace(1, state->rules);
    }
    const std::vector<Label> one(batch.size(), 0);
    counts->add(batch, one.data(), run.quiet());
    state->texts += batch.size();
    if (run.progress) run.progress("words", static_cast<double>(state->texts), 0);
  });
  std::vector<TermTexts> found;
  if (counts) found = texts_of_terms(*counts);
  counts.reset();
  std::erase_if(found, [&](const TermTexts& t) { return t.texts < options.min_texts; });
  require(!found.empty(), Fault::data,
          "no word stands in " + std::to_string(options.min_texts) + " of " + std::to_string(state->texts) +
              " texts: there is nothing that tfidf could be made of");
  if (found.size() > options.max_terms) found.resize(options.max_terms);
  for (TermTexts& t : found) {
    state->keys.push_back(static_cast<std::int64_t>(t.key));
    state->idf.push_back(static_cast<float>(
        1 + std::log((1 + static_cast<double>(state->texts)) / (1 + static_cast<double>(t.texts)))));
    state->terms.push_back(std::move(t.term));
  }
  state->add_keys();

  Sample sample;
  texts([&](const Texts& batch) {
    std::vector<std::vector<Entry>> rows(batch.size());
    for_chunks(run.quiet(), batch.size(), kGrain, [&](Index, Index first, Index last) {
      TermFrequencies frequencies(state->rules);
      for (Index i = first; i < last; ++i)
        weigh(frequencies.of(batch[i]), state->number_of, state->idf, rows[i]);
    });
    for (const auto& row : rows) sample.add(row);
  });
  state->components =
      truncated_svd(sample.take(found.size()), options.tfidf_dims, options.seed.child(1), run).components;
  require(state->components.cols() > 0, Fault::data,
          "the texts that the SVD is made from hold no term that counts");
  out.state_ = std::move(state);
  return out;
}

Matrix Tfidf::encode(const Texts& texts, Index first, Index count, const Run& run,
                     std::vector<std::uint8_t>* unknown) const {
  const State& s = *state_;
  Matrix out(count, s.components.cols());
  for_chunks(
      run, count, kGrain,
      [&](Index, Index begin, Index end) {
        TermFrequencies frequencies(s.rules);
        std::vector<Entry> row;
        for (Index i = begin; i < end; ++i) {
          weigh(frequencies.of(texts[first + i]), s.number_of, s.idf, row);
          for (const Entry& e : row)
            kernels().axpy(e.value, s.components[e.term].data(), out[i].data(), out.cols());
          if (unknown != nullptr) (*unknown)[i] = row.empty();
        }
        unit_rows(out.span().slice(begin, end - begin));
      },
      "encode");
  return out;
}

Index Tfidf::dims() const { return state_->components.cols(); }
Index Tfidf::texts() const { return state_->texts; }
const std::vector<std::string>& Tfidf::terms() const& { return state_->terms; }
const std::vector<float>& Tfidf::idf() const& { return state_->idf; }
const Matrix& Tfidf::components() const& { return state_->components; }

void Tfidf::save(ArchiveWriter& out) const {
  const State& s = *state_;
  out.options(list_fields(options_));
  nlohmann::json languages = nlohmann::json::array();
  for (const LanguageCount& l : s.rules.expected) languages.push_back({l.code, l.texts});
  out.meta("languages", languages.dump());
  std::string terms;
  for (const std::string& term : s.terms) terms += (terms.empty() ? "" : "\n") + term;
  out.meta("terms", terms);
  out.meta("texts", std::to_string(s.texts));
  out.add("keys", std::span<const std::int64_t>(s.keys));
  out.add("idf", std::span<const float>(s.idf));
  out.add("components", s.components);
}

Tfidf Tfidf::load(const ArchiveReader& in) {
  check_kind(in, kind);
  const auto require_that = [&](bool ok, const std::string& what) {
    require(ok, Fault::format, in.path().string() + ": " + what);
  };
  Tfidf out;
  out.options_ = read_options<Options>(in);
  auto state = std::make_shared<State>();
  state->rules = rules_of(out.options_);
  const auto languages = nlohmann::json::parse(in.meta("languages"), nullptr, false);
  require_that(languages.is_array(), "its languages are no list");
  for (const auto& l : languages) {
    require_that(l.is_array() && l.size() == 2 && l[0].is_string() && l[1].is_number(),
                 "a language is no pair of code and number");
    state->rules.expected.push_back({l[0].get<std::string>(), l[1].get<double>()});
  }
  const std::string all = in.meta("terms"), texts = in.meta("texts");
  for (std::size_t at = 0; at <= all.size();) {
    const std::size_t end = std::min(all.find('\n', at), all.size());
    state->terms.push_back(all.substr(at, end - at));
    at = end + 1;
  }
  require_that(!texts.empty() && texts.size() < 19 && texts.find_first_not_of("0123456789") == texts.npos,
               "its number of texts is " + texts);
  state->texts = std::stoull(texts);
  state->keys = in.integers("keys");
  const Index n = state->keys.size();
  require_that(state->terms.size() == n,
               "it has " + std::to_string(state->terms.size()) + " terms and " + std::to_string(n) + " keys");
  state->idf = in.floats("idf", n);
  state->components = in.matrix("components");
  require_that(state->components.rows() == n && state->components.cols() > 0,
               "its components are not one row a term");
  for (const float x : state->idf) require_that(std::isfinite(x) && x > 0, "an idf is not above 0");
  for (Index i = 0; i < n * state->components.cols(); ++i)
    require_that(std::isfinite(state->components.data()[i]), "a component is not finite");
  state->add_keys();
  require_that(state->number_of.size() == n, "a key stands there twice");
  out.state_ = std::move(state);
  return out;
}

}  // namespace shoal
