#include "shoal/tokenize/tokenizer.h"

#include <algorithm>
#include <array>
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

/// How many ids are left of two texts that have `own` ids, if there is room for so many together.
std::array<Index, 2> longest_first(std::array<Index, 2> own, Index room) {
  const auto [shorter, longer] = std::minmax(own[0], own[1]);
  if (shorter <= room && longer <= room - shorter) return own;
  const bool first_is_longer = own[0] > own[1];
  // The longer one alone is cut, unless that would make it the shorter.
  Index of_shorter = shorter, of_longer = shorter > room ? 0 : room - shorter;
  if (of_longer < of_shorter) {
    of_shorter = room / 2;
    of_longer = room - of_shorter;
  }
  if (first_is_longer) return {of_longer, of_shorter};
  return {of_shorter, of_longer};
}

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
  std::optional<PairTemplate> pair;
  Index vocabulary = 0;
  /// Of a sign that no vocabulary has: its id, and what stands before it where words have a beginning.
  std::optional<std::uint32_t> unknown, beginning;

  void find_unknown();
  /// Ids of a text that fit beside the special ones.
  Index room(Index max_length) const;
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
  const auto part = [&](Index i) { return std::vector<std::uint32_t>(ids + ends[i - 1], ids + ends[i]); };
  if (ends[6] > ends[5] && std::ranges::all_of(std::span(ids + ends[2], ids + ends[5]),
                                               [&](std::uint32_t id) { return id < state->vocabulary; }))
    state->pair = PairTemplate{.before = part(3), .between = part(4), .after = part(5), .types = part(6)};
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

Index Tokenizer::State::room(Index max_length) const {
  const Index added = prefix.size() + suffix.size();
  if (max_length > 0 && max_length <= added)
    throw Error(Fault::argument, "max_length is " + std::to_string(max_length) +
                                     ", but the special tokens alone are " + std::to_string(added) +
                                     "; give at least " + std::to_string(added + 1));
  return max_length == 0 ? SIZE_MAX : max_length - added;
}

Tokens Tokenizer::encode(const Texts& texts, Index first, Index count, Index max_length) const {
  return state_->encode(texts, first, count, state_->room(max_length), true);
}

PlacedTokens Tokenizer::encode_placed(const Texts& texts, Index first, Index count, Index max_length) const {
  const Index room = state_->room(max_length);
  const Borrowed borrowed(texts, first, count);
  for (const ShoalBytes& text : borrowed.pieces)
    require(text.size <= UINT32_MAX, Fault::data, state_->name + ": a text has 4 GiB or more");
  const Index wanted = room < SIZE_MAX ? room + 1 : room;
  const Encoded encoded(shoal_tokenizer_places(state_->handle.get(), borrowed.pieces.data(), count, wanted));
  if (encoded.failed())
    throw Error(Fault::data, state_->name + ": a text cannot be tokenized: " + encoded.error());
  PlacedTokens out;
  std::vector<std::uint32_t> ids;
  for (Index i = 0, at = 0; i < count; ++i) {
    const Index own = (encoded.view.ends[i] - at) / 3, kept = std::min(own, room);
    ids.clear();
    out.places.resize(out.places.size() + state_->prefix.size());
    for (Index j = 0; j < kept; ++j) {
      const std::uint32_t* token = encoded.view.ids + at + 3 * j;
      ids.push_back(token[0]);
      out.places.push_back({token[1], token[2]});
    }
    out.places.resize(out.places.size() + state_->suffix.size());
    state_->append(out, ids, true);
    out.cut += own > room;
    out.is_cut.push_back(own > room);
    at = encoded.view.ends[i];
  }
  return out;
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

PairTokens Tokenizer::encode_pairs(const Texts& firsts, const Texts& seconds, Index first, Index count,
                                   Index max_length) const {
  const State& state = *state_;
  require(firsts.size() == seconds.size(), Fault::argument,
          "pairs of " + std::to_string(firsts.size()) + " first texts and " + std::to_string(seconds.size()) +
              " second ones");
  require(state.pair.has_value(), Fault::unsupported,
          state.name + ": its post-processor makes no pair that is one text after the other");
  const PairTemplate& pair = *state.pair;
  if (max_length > 0 && max_length <= pair.added())
    throw Error(Fault::argument, "max_length is " + std::to_string(max_length) +
                                     ", but the special tokens of a pair alone are " +
                                     std::to_string(pair.added()) + "; give at least " +
                                     std::to_string(pair.added() + 1));
  const Index room = max_length == 0 ? SIZE_MAX : max_length - pair.added();
  // One more than there is room for tells whether a text is longer.
  const Index most = room < SIZE_MAX ? room + 1 : room;
  const Tokens a = state.encode(firsts, first, count, most, false);
  const Tokens b = state.encode(seconds, first, count, most, false);
  PairTokens out;
  out.starts.reserve(count + 1);
  for (Index i = 0; i < count; ++i) {
    std::array<Index, 2> own = {a[i].size(), b[i].size()};
    if (own[0] > room && own[1] > room && room % 2 == 1)  // the longer one gets the odd id
      own = {state.encode(firsts, first + i, 1, SIZE_MAX, false).ids.size(),
             state.encode(seconds, first + i, 1, SIZE_MAX, false).ids.size()};
    const std::array<Index, 2> kept = longest_first(own, room);
    out.cut += kept != own;
    Index type = 0;
    const auto append = [&](std::span<const std::uint32_t> ids, bool is_text) {
      out.ids.insert(out.ids.end(), ids.begin(), ids.end());
      for (Index j = 0; j < ids.size(); ++j) out.types.push_back(pair.types[is_text ? type : type + j]);
      type += is_text ? 1 : ids.size();
    };
    append(pair.before, false);
    append(a[i].first(kept[0]), true);
    append(pair.between, false);
    append(b[i].first(kept[1]), true);
    append(pair.after, false);
    out.starts.push_back(out.ids.size());
  }
  return out;
}

const PairTemplate* Tokenizer::pair_template() const { return state_->pair ? &*state_->pair : nullptr; }

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
