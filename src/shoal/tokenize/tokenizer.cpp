#include "shoal/tokenize/tokenizer.h"

#include <algorithm>
#include <deque>
#include <fstream>
#include <new>
#include <system_error>

#include "shoal/core/error.h"
#include "shoal/core/utf8.h"
#include "shoal/tokenize/rust_tokenizers.h"

namespace shoal {
namespace {

/// The largest real tokenizer.json files have about 35 MB.
constexpr std::uintmax_t kMaxFile = 256u << 20;

struct FreeTokenizer {
  void operator()(ShoalTokenizer* t) const { shoal_tokenizer_free(t); }
};
struct FreeEncoded {
  void operator()(ShoalEncoded* e) const { shoal_encoded_free(e); }
};

/// A result of the library, freed with it.
struct Encoded {
  explicit Encoded(const ShoalEncodedView& v) : view(v), owner(v.owner) {}
  bool failed() const {
    if (view.kind == 2) throw std::bad_alloc();
    return view.error.size > 0;
  }
  std::string error() const { return {view.error.data, view.error.size}; }

  ShoalEncodedView view;
  std::unique_ptr<ShoalEncoded, FreeEncoded> owner;
};

/// Texts as the library takes them. Error(argument) if those asked for are not there.
struct Borrowed {
  Borrowed(const Texts& texts, Index first, Index count) {
    if (first > texts.size() || count > texts.size() - first)
      throw Error(Fault::argument, "texts " + std::to_string(first) + " to " + std::to_string(first + count) +
                                       " asked for, there are " + std::to_string(texts.size()));
    pieces.resize(count);
    for (Index i = 0; i < count; ++i) {
      std::string_view text = texts[first + i];
      if (first_invalid_utf8(text) != std::string_view::npos) text = repaired.emplace_back(repair_utf8(text));
      pieces[i] = {text.data(), text.size()};
    }
  }

  std::vector<ShoalBytes> pieces;
  std::deque<std::string> repaired;  // keeps what the pieces point to
};

std::string read_file(const std::filesystem::path& path) {
  std::error_code failed;
  const std::uintmax_t size = std::filesystem::file_size(path, failed);
  if (failed) throw Error(Fault::file, path.string() + ": " + failed.message());
  if (size > kMaxFile)
    throw Error(Fault::format, path.string() + ": " + std::to_string(size) +
                                   " bytes; a tokenizer.json has at most " + std::to_string(kMaxFile));
  std::string content(size, '\0');
  std::ifstream file(path, std::ios::binary);
  file.read(content.data(), static_cast<std::streamsize>(size));
  if (!file) throw Error(Fault::file, path.string() + ": cannot be read");
  return content;
}

}  // namespace

struct Tokenizer::State {
  std::unique_ptr<ShoalTokenizer, FreeTokenizer> handle;
  std::string name;
  std::vector<std::uint32_t> prefix, suffix;
  Index vocabulary = 0;
  /// Of a sign that no vocabulary has: its id, and what stands before it where words have a beginning.
  std::optional<std::uint32_t> unknown, beginning;

  void find_unknown();
  /// Appends the ids of texts [first, first + count), each cut to `room` and put between prefix and suffix.
  Tokens encode(const Texts& texts, Index first, Index count, Index room, bool special) const;
  void append(Tokens& tokens, std::span<const std::uint32_t> ids, bool special) const;
};

Tokenizer Tokenizer::load(const std::filesystem::path& path) {
  return from_json(read_file(path), path.string());
}

Tokenizer Tokenizer::from_json(std::string_view json, const std::string& name) {
  const auto fail = [&](const std::string& why, Fault fault = Fault::format) -> void {
    throw Error(fault, name + ": not a usable tokenizer.json: " + why);
  };
  if (json.size() > kMaxFile) fail("it has " + std::to_string(json.size()) + " bytes");
  if (const std::size_t bad = first_invalid_utf8(json); bad != std::string_view::npos)
    fail("byte " + std::to_string(bad) + " is not UTF-8");

  ShoalTokenizer* handle = nullptr;
  const Encoded loaded(shoal_tokenizer_load({json.data(), json.size()}, &handle));
  if (loaded.failed()) fail(loaded.error(), loaded.view.kind == 1 ? Fault::unsupported : Fault::format);
  auto state = std::make_shared<State>();
  state->handle.reset(handle);
  state->name = name;
  const std::uint32_t* ids = loaded.view.ids;
  const std::size_t* ends = loaded.view.ends;
  state->prefix.assign(ids, ids + ends[0]);
  state->suffix.assign(ids + ends[0], ids + ends[1]);
  state->vocabulary = ids[ends[1]];
  for (std::uint32_t id : std::span(ids, ends[1]))
    if (id >= state->vocabulary)
      fail("its template adds id " + std::to_string(id) + ", the vocabulary ends at " +
           std::to_string(state->vocabulary - 1));
  state->find_unknown();
  Tokenizer tokenizer;
  tokenizer.state_ = std::move(state);
  return tokenizer;
}

void Tokenizer::State::find_unknown() {
  Texts signs;  // of three scripts of antiquity: what is known as neither of them is not known
  for (const char* sign : {"\U00013000", "\U000103A0", "\U00012000"}) signs.add(sign);
  Tokens found;
  try {
    found = encode(signs, 0, signs.size(), SIZE_MAX, false);
  } catch (const Error&) {
    return;  // a tokenizer that cannot take them will say so of the user's texts
  }
  const auto first = found[0];
  if (first.empty() || first.size() > 2) return;
  for (Index i = 1; i < signs.size(); ++i)
    if (!std::ranges::equal(found[i], first)) return;
  unknown = first.back();
  if (first.size() == 2) beginning = first.front();
}

void Tokenizer::State::append(Tokens& tokens, std::span<const std::uint32_t> ids, bool special) const {
  if (special) tokens.ids.insert(tokens.ids.end(), prefix.begin(), prefix.end());
  for (std::uint32_t id : ids) {
    if (id >= vocabulary)
      throw Error(Fault::format, name + ": gave id " + std::to_string(id) + ", beyond its vocabulary");
    tokens.ids.push_back(id);
  }
  if (special) tokens.ids.insert(tokens.ids.end(), suffix.begin(), suffix.end());
  tokens.starts.push_back(tokens.ids.size());
}

Tokens Tokenizer::State::encode(const Texts& texts, Index first, Index count, Index room,
                                bool special) const {
  const Borrowed borrowed(texts, first, count);
  const Index wanted = room < SIZE_MAX ? room + 1 : room;  // one more tells whether a text is longer
  const Encoded encoded(shoal_tokenizer_encode(handle.get(), borrowed.pieces.data(), count, wanted));
  if (encoded.failed()) throw Error(Fault::data, name + ": a text cannot be tokenized: " + encoded.error());

  Tokens tokens;
  tokens.starts.reserve(count + 1);
  for (Index i = 0, begin = 0; i < count; ++i) {
    const Index end = encoded.view.ends[i];
    append(tokens, {encoded.view.ids + begin, std::min(end - begin, room)}, special);
    tokens.cut += end - begin > room;
    begin = end;
  }
  return tokens;
}

Tokens Tokenizer::encode(const Texts& texts, Index first, Index count, Index max_length) const {
  const Index added = state_->prefix.size() + state_->suffix.size();
  if (max_length > 0 && max_length <= added)
    throw Error(Fault::argument, "max_length is " + std::to_string(max_length) +
                                     ", but the special tokens alone are " + std::to_string(added) +
                                     "; give at least " + std::to_string(added + 1));
  return state_->encode(texts, first, count, max_length == 0 ? SIZE_MAX : max_length - added, true);
}

Tokens Tokenizer::encode_plain(const Texts& texts, Index first, Index count, Index most) const {
  return state_->encode(texts, first, count, most, false);
}

Texts Tokenizer::split(const Texts& texts, Index first, Index count) const {
  const Borrowed borrowed(texts, first, count);
  const Encoded found(shoal_tokenizer_split(state_->handle.get(), borrowed.pieces.data(), count));
  if (found.failed()) throw Error(Fault::data, state_->name + ": a text cannot be split: " + found.error());
  Texts out;
  std::string piece;
  for (Index i = 0, at = 0; i < found.view.ends_count; ++i) {
    piece.clear();
    for (; at < found.view.ends[i]; ++at) append_utf8(piece, static_cast<char32_t>(found.view.ids[at]));
    out.add(piece);
  }
  return out;
}

bool Tokenizer::knows_any(std::span<const std::uint32_t> ids) const {
  return std::ranges::any_of(
      ids, [&](std::uint32_t id) { return id != state_->unknown && id != state_->beginning; });
}

Index Tokenizer::unknown(std::span<const std::uint32_t> ids) const {
  return state_->unknown ? static_cast<Index>(std::ranges::count(ids, *state_->unknown)) : 0;
}

const std::vector<std::uint32_t>& Tokenizer::prefix() const { return state_->prefix; }
const std::vector<std::uint32_t>& Tokenizer::suffix() const { return state_->suffix; }
Index Tokenizer::vocabulary() const { return state_->vocabulary; }

void on_tokenizer_memory_refused(void (*handler)()) { shoal_on_memory_refused(handler); }

}  // namespace shoal
