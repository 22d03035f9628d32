#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "shoal/core/texts.h"

namespace shoal {

/// Token ids of many texts: text i has ids [starts[i], starts[i + 1]).
struct Tokens {
  std::vector<std::uint32_t> ids;
  std::vector<std::size_t> starts{0};
  Index cut = 0;  ///< texts that have more ids than these

  Index size() const { return starts.size() - 1; }
  std::span<const std::uint32_t> operator[](Index i) const {
    return {ids.data() + starts[i], starts[i + 1] - starts[i]};
  }
};

/// Where in its text a token stands: bytes [begin, end).
struct TokenPlace {
  std::uint32_t begin = 0, end = 0;
  bool operator==(const TokenPlace&) const = default;
};

/// Token ids and where they stand.
struct PlacedTokens : Tokens {
  std::vector<TokenPlace> places;    ///< as long as ids; of special tokens 0, 0
  std::vector<std::uint8_t> is_cut;  ///< of each text: 1 if it has more ids than these
};

/// Pairs of texts as one sequence of ids each, and the type (segment) of each id.
struct PairTokens : Tokens {
  std::vector<std::uint32_t> types;  ///< as long as ids
};

/// How a tokenizer makes one sequence of two texts: what stands before, between and after them, and the type
/// of each id.
struct PairTemplate {
  std::vector<std::uint32_t> before, between, after;
  std::vector<std::uint32_t> types;  ///< of before, the first text, between, the second text, after
  Index added() const { return before.size() + between.size() + after.size(); }
};

/// A tokenizer.json of Hugging Face, run by their own tokenizers crate: WordPiece, byte-level BPE, Unigram,
/// WordLevel. Copies share. May be used from many threads.
class Tokenizer {
 public:
  /// Error(file) if absent, Error(format) with the library's reason if it does not load, Error(unsupported)
  /// if it keeps the end of long texts, drops merges at random, or gives tokens another type than 0. Padding
  /// and the length of truncation in the file are ignored. A file may be hostile: what would multiply texts
  /// or time beyond what real files do is an Error(format).
  static Tokenizer load(const std::filesystem::path& path);
  static Tokenizer from_json(std::string_view json, const std::string& name);

  /// Ids with special tokens as the model's post-processor puts them, cut to at most `max_length` ids
  /// including them (0: no limit). Bytes that are not UTF-8 are replaced by U+FFFD first, as Python's
  /// errors="replace" does. In the calling thread. Error(argument) if max_length does not leave room for the
  /// special tokens or if the texts asked for are not there; Error(data) with the library's reason if a text
  /// cannot be tokenized, as where the normalizer makes it more than 32 times as long; Error(format) if the
  /// model gives an id beyond its vocabulary.
  Tokens encode(const Texts& texts, Index first, Index count, Index max_length) const;
  /// The same with where the ids stand, as the library's offsets say, in the text with its bytes replaced.
  /// Slower: words that were seen before are not remembered. Error(data) too for a text of 4 GiB or more.
  PlacedTokens encode_placed(const Texts& texts, Index first, Index count, Index max_length) const;
  /// Without special tokens, cut to at most `most` ids: without a limit what `--long chunk` cuts into
  /// windows. Errors as encode.
  Tokens encode_plain(const Texts& texts, Index first, Index count, Index most = ~Index{0}) const;
  /// The pieces that the normalizer and the pre-tokenizer make of the texts, one after another, as the model
  /// sees them: "\u0120word" of byte-level ones. Errors as encode.
  Texts split(const Texts& texts, Index first, Index count) const;
  /// firsts[i] and seconds[i] as one sequence, as the model's post-processor joins them. A pair of more than
  /// `max_length` ids (0: no limit) loses ids at the end of the longer text until both are of one length,
  /// then of both: Hugging Face's truncation "longest_first". Error(argument) if there are more texts of one
  /// than of the other, Error(unsupported) if the file makes no pair that is one text after the other; else
  /// as encode.
  PairTokens encode_pairs(const Texts& firsts, const Texts& seconds, Index first, Index count,
                          Index max_length) const;
  /// Null if the file makes no pair that is one text after the other.
  const PairTemplate* pair_template() const;
  /// What stands before and after a text's own ids: e.g. {[CLS]}, {[SEP]}.
  const std::vector<std::uint32_t>& prefix() const;
  const std::vector<std::uint32_t>& suffix() const;
  Index vocabulary() const;  ///< ids are below this
  /// Whether one of the ids stands for something that the vocabulary has: not for what it does not know, nor
  /// for the mere beginning of a word. Without special tokens. Byte-level vocabularies know everything.
  bool knows_any(std::span<const std::uint32_t> ids) const;
  /// How many ids stand for what the vocabulary does not know.
  Index unknown(std::span<const std::uint32_t> ids) const;

 private:
  struct State;
  std::shared_ptr<const State> state_;
};

/// The Rust library ends the process where the system refuses it memory. That much is free for a text is
/// asked beforehand (std::bad_alloc if not); should it be refused nevertheless, `handler` is called first, in
/// the thread that asked. It may end the process in a better way, and must not throw.
void on_tokenizer_memory_refused(void (*handler)());

}  // namespace shoal
