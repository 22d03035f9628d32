#include "shoal/flow/distil/token_table_impl.h"

#include <algorithm>
#include <utility>

#include "shoal/core/error.h"
#include "shoal/flow/distil/contexts_impl.h"

namespace shoal {
namespace {

constexpr Index kBatch = 256;   // texts between two looks at the clock
constexpr Index kAlone = 8192;  // tokens, the same

class TokenTable {
 public:
  TokenTable(const DistilOptions& o, const TokenStates& model, const StaticTokenizer& tokens,
             const StaticVocabulary& vocabulary, const CorpusPasses& passes, Kept& kept, DistilReport& report,
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
      for (Index at = first; at < batch.size(); at += kBatch) {
        const Index n = std::min(kBatch, batch.size() - at);
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
  const StaticVocabulary& vocabulary_;
  const CorpusPasses& passes_;
  Kept& kept_;
  DistilReport& report_;
  const Run& run_;
  Contexts contexts_;
  Matrix vectors_;
  Index texts_ = 0, alone_ = 0;  // done
};

}  // namespace

Matrix make_token_table(const DistilOptions& options, const TokenStates& model, const StaticTokenizer& tokens,
                        const StaticVocabulary& vocabulary, const CorpusPasses& passes, Kept& kept,
                        const Tokenizer& before, const Tokenizer& now, DistilReport& report, const Run& run) {
  return TokenTable(options, model, tokens, vocabulary, passes, kept, report, run).make(before, now);
}

}  // namespace shoal
