#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "shoal/encode/model_folder.h"
#include "shoal/tokenize/tokenizer.h"

namespace shoal {

/// Code points of valid UTF-8.
Index letters_in(std::string_view text);

/// The tokenizer of a static model in the making, from that of a transformer. As Model2Vec makes it: nothing
/// is put before or after texts, nothing is cut or padded; special tokens but those of padding and of the
/// unknown are left out, and so is what else begins like [unused1]; ids are numbered anew. A byte-level
/// tokenizer puts a blank before the first word, so that a word is the same everywhere.
class StaticTokenizer {
 public:
  /// Of a folder that loads as a transformer. Error(unsupported) naming the kind of tokenizer if it is none
  /// of WordPiece, WordLevel, BPE and Unigram.
  explicit StaticTokenizer(const ModelFolder& model);
  ~StaticTokenizer();

  Index size() const;
  const std::string& token(Index id) const;
  /// The ids of the transformer's own tokenizer that a token stands for: one, or those of a word's parts.
  const std::vector<std::uint32_t>& originals(Index id) const;
  std::optional<std::uint32_t> unknown() const;
  std::optional<std::uint32_t> find(std::string_view token) const;
  /// How many letters of a text the token covers.
  Index letters(Index id) const;

  /// A piece as `Tokenizer::split` gives it, as it stands in texts: without the signs for blanks and bytes.
  std::string plain(std::string_view piece) const;
  /// Whether `add` can be used. Not of a BPE whose words end in a sign of their own.
  bool takes_words() const;
  /// A word, as Tokenizer::split gives it, that is no token yet; `parts`: the tokens that it was until now.
  void add(std::string word, const std::vector<std::uint32_t>& parts);
  /// A tokenizer that knows nothing but these words, each whole, by ids from 1; 0 is [UNK].
  std::string words_json(const std::vector<std::string>& words) const;

  std::string to_json() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace shoal
