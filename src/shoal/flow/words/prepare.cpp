#include "shoal/flow/words/prepare.h"

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <utility>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/flow/fingerprint.h"
#include "shoal/flow/receipt.h"
#include "shoal/kernels/kernels.h"
#include "shoal/store/archive/archive.h"
#include "shoal/store/archive/archive_file.h"
#include "shoal/tokenize/tokenizer.h"
#include "shoal/words/attention_file.h"
#include "shoal/words/described_words.h"

namespace shoal {
namespace fs = std::filesystem;
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kVersion = "0.3.0";  // the first that makes the same numbers as this one
constexpr Index kBlock = 2048;                  // descriptions in memory at once
constexpr Index kTokenizedAtOnce = 128;
constexpr int kSeconds = 3;  // of work that may be lost

std::vector<LayerHead> channels_of(const std::string& text, const Encoder& encoder, const char* option) {
  if (text == "none") return {};
  const auto counts = encoder.head_counts();
  if (!counts) {  // says why
    encoder.attention({}, 0, 0, {}, {}, {}, {});
    return {};
  }
  return read_heads(text, *counts, option);
}

/// Where the channels of two lists stand in one that has each of them once.
std::vector<LayerHead> joined(std::span<const LayerHead> heads, std::span<const LayerHead> pairs,
                              ChannelPlaces& places) {
  std::vector<LayerHead> all;
  const auto place = [&](const LayerHead& one) {
    const auto found = std::ranges::find(all, one);
    const auto at = static_cast<Index>(found - all.begin());
    if (found == all.end()) all.push_back(one);
    return at;
  };
  for (const LayerHead& one : heads) places.head.push_back(place(one));
  for (const LayerHead& one : pairs) places.pairs.push_back(place(one));
  return all;
}

/// Counts alone: what stands where depends on how files are called.
Json facts_json(const PrepareReport& r) {
  const DescriptionReport& c = r.cleaning;
  return {{"read", c.read},
          {"repaired", c.repaired.count},
          {"markup", c.markup.count},
          {"blanks", c.blanks.count},
          {"merged", c.merged.count},
          {"no_word", c.no_word.count},
          {"no_description", c.no_description.count},
          {"duplicates", c.duplicates.count},
          {"rare", r.vocabulary.rare.count},
          {"word_missing", r.vocabulary.word_missing.count},
          {"unknown", r.unknown.count},
          {"cut_off", r.cut_off.count},
          {"alone", r.alone.count},
          {"truncated", r.truncated.count},
          {"language", r.language}};
}

/// Strings one after another, and where each ends.
struct Joined {
  std::string bytes;
  std::vector<std::uint64_t> ends;

  explicit Joined(const Texts& texts) {
    for (Index i = 0; i < texts.size(); ++i) {
      bytes += texts[i];
      ends.push_back(bytes.size());
    }
  }
};

/// Everything about the descriptions but their attention.
struct Prepared {
  DescribedWords words;           // of all
  std::vector<std::uint32_t> of;  // of each that is kept: which of `words`
  Texts texts;                    // of those that are kept
  std::vector<std::uint64_t> frequency;
  std::vector<std::uint64_t> offsets{0};
  std::vector<std::uint32_t> members;
  std::vector<std::uint64_t> pair_rows{0};  // sums of n^2
  std::vector<std::uint64_t> tokens{0};     // sums of tokens
};

/// Which words of which descriptions the model sees.
Prepared find_members(const Encoder& encoder, DescribedWords words, const EncodeOptions& options,
                      PrepareReport& report, const Run& run) {
  struct One {
    DescriptionTokens tokens;
    Index count = 0;
    bool known = false, cut = false;
  };
  const Tokenizer& tokenizer = *encoder.tokenizer();
  const Index before = tokenizer.prefix().size(), after = tokenizer.suffix().size();
  std::vector<One> found(words.texts.size());
  for_chunks(
      run, found.size(), kTokenizedAtOnce,
      [&](Index, Index first, Index last) {
        const PlacedTokens tokens = encoder.placed_tokens(words.texts, first, last - first, options);
        std::vector<std::uint32_t> begins, ends, ids;
        for (Index d = first; d < last; ++d) {
          const Index at = tokens.starts[d - first], n = tokens.starts[d - first + 1] - at;
          begins.clear(), ends.clear(), ids.clear();
          for (Index t = 0; t < n; ++t) {
            begins.push_back(tokens.places[at + t].begin);
            ends.push_back(tokens.places[at + t].end);
          }
          One& one = found[d];
          one.tokens = find_tokens(words.of(d), words.heads[d], begins, ends, before, after);
          one.count = n;
          one.cut = tokens.is_cut[d - first] != 0;
          for (Index t = 0; t < n; ++t)
            if (one.tokens.receivers[t] == Receiver::itself) ids.push_back(tokens.ids[at + t]);
          one.known = tokenizer.knows_any(ids);
          one.tokens.places.clear();
          one.tokens.places.shrink_to_fit();
          one.tokens.receivers = {};
        }
      },
      "tokens");

  Prepared out;
  out.frequency.assign(words.words.size(), 0);
  std::vector<std::uint8_t> is_head(words.words.size());
  for (Index d = 0; d < found.size(); ++d) {
    const One& one = found[d];
    const auto text = [&] { return std::string(words.texts[d]); };
    if (one.tokens.head_tokens == 0) {
      report.cut_off.add(text());
    } else if (!one.known) {
      report.unknown.add(text());
    } else if (one.tokens.members.size() < 2) {
      report.alone.add(text());
    } else {
      if (one.cut) report.truncated.add(text());
      const Index n = one.tokens.members.size();
      for (const std::uint32_t word : one.tokens.members) ++out.frequency[word];
      is_head[words.heads[d]] = 1;
      out.members.insert(out.members.end(), one.tokens.members.begin(), one.tokens.members.end());
      out.offsets.push_back(out.members.size());
      out.pair_rows.push_back(out.pair_rows.back() + n * n);
      out.tokens.push_back(out.tokens.back() + one.count);
      out.of.push_back(static_cast<std::uint32_t>(d));
      out.texts.add(words.texts[d]);
    }
  }
  require(!out.of.empty(), Fault::data,
          "no description is left: none has a second word of the vocabulary that the model sees");
  report.words = words.words.size();
  report.forms = words.forms.size();
  report.described = static_cast<Index>(std::ranges::count(is_head, 1));
  report.descriptions = out.of.size();
  report.members = out.members.size();
  report.pairs = out.pair_rows.back();
  report.tokens = out.tokens.back();
  report.language = words.language;
  out.words = std::move(words);
  return out;
}

/// How far an interrupted call has come.
struct State {
  std::string key;
  Index done = 0;              // descriptions
  std::vector<double> shares;  // sums over them
};

State read_state(const fs::path& path, const std::string& key, Index shares) {
  State fresh{.key = key, .shares = std::vector<double>(shares)};
  if (!fs::exists(path)) return fresh;
  try {
    const Json json = Json::parse(read_file(path, 1 << 20));
    State out{json.at("key"), json.at("done"), json.at("shares")};
    return out.key == key && out.shares.size() == shares ? out : fresh;
  } catch (const nlohmann::json::exception&) {
    throw Error(Fault::argument,
                path.string() + " was not made by this command, which keeps its work under that name",
                "choose another " + option_name("out") + ", or move the file away");
  }
}

void write_state(const fs::path& path, const State& s) {
  write_file(path, Json{{"key", s.key}, {"done", s.done}, {"shares", s.shares}}.dump() + "\n");
}

/// The attention of one block of descriptions.
class Block {
 public:
  Block(const Prepared& prepared, const ChannelPlaces& places, std::span<const LayerHead> heads,
        std::span<const Index> layers, Index first, Index last, const Tokenizer& tokenizer)
      : p_(prepared), places_(places), heads_(heads), layers_(layers), first_(first), tokenizer_(tokenizer) {
    const Index members = p_.offsets[last] - p_.offsets[first];
    from.resize(members * places.head.size());
    to.resize(from.size());
    pairs.resize((p_.pair_rows[last] - p_.pair_rows[first]) * places.pairs.size());
    shares.resize((last - first) * layers.size() * kReceivers);
  }

  /// From any thread: each description has places of its own.
  void take(const TextAttention& attention) {
    const Index d = attention.text, of = p_.of[d];
    const DescriptionTokens tokens =
        find_tokens(p_.words.of(of), p_.words.heads[of], attention.begins, attention.ends,
                    tokenizer_.prefix().size(), tokenizer_.suffix().size());
    const Index n = tokens.members.size(), heads = places_.head.size();
    std::vector<float> own_from(n * heads), own_to(n * heads), own_pairs(n * n * places_.pairs.size());
    std::vector<double> own_shares(heads * kReceivers);
    merge_tokens(attention, tokens, places_, own_from, own_to, own_pairs, own_shares);
    const Index row = p_.offsets[d] - p_.offsets[first_];
    kernels().f32_to_f16(own_from.data(), from.data() + row * heads, own_from.size());
    kernels().f32_to_f16(own_to.data(), to.data() + row * heads, own_to.size());
    kernels().f32_to_f16(own_pairs.data(),
                         pairs.data() + (p_.pair_rows[d] - p_.pair_rows[first_]) * places_.pairs.size(),
                         own_pairs.size());
    double* mine = shares.data() + (d - first_) * layers_.size() * kReceivers;
    for (Index l = 0; l < layers_.size(); ++l) {
      double count = 0;
      for (Index c = 0; c < heads; ++c) {
        if (static_cast<Index>(heads_[c].layer) != layers_[l]) continue;
        ++count;
        for (Index r = 0; r < kReceivers; ++r) mine[l * kReceivers + r] += own_shares[c * kReceivers + r];
      }
      for (Index r = 0; r < kReceivers; ++r) mine[l * kReceivers + r] /= count;
    }
  }

  std::vector<std::uint16_t> from, to, pairs;
  std::vector<double> shares;  // of each description: layers x kReceivers

 private:
  const Prepared& p_;
  const ChannelPlaces& places_;
  std::span<const LayerHead> heads_;
  std::span<const Index> layers_;
  Index first_;
  const Tokenizer& tokenizer_;
};

void fill_shares(PrepareReport& report, std::span<const double> means) {
  for (Index l = 0; l < report.layers.size(); ++l)
    std::copy_n(means.data() + l * kReceivers, kReceivers, report.shares.emplace_back().data());
}

}  // namespace

PrepareReport prepare_words(const Encoder& encoder, const PrepareOptions& options, const Run& run) {
  require(options.out.extension() == ".safetensors", Fault::argument,
          option_name("out") + " is " + options.out.string() + "; attention is written as .safetensors");
  const bool there = fs::exists(options.out);
  const Error exists(Fault::argument,
                     options.out.string() + " exists; " + option_name("overwrite") + " replaces it");
  if (there && !options.overwrite && receipt_key(options.out).empty()) throw exists;
  PrepareReport report;
  report.space = encoder.space().id;
  report.head_channels = channels_of(options.heads, encoder, "heads");
  report.pair_channels = channels_of(options.pairs, encoder, "pairs");
  require(!report.head_channels.empty() || !report.pair_channels.empty(), Fault::argument,
          option_name("heads") + " and " + option_name("pairs") + " are none, so that nothing would be kept");
  for (const LayerHead& one : report.head_channels)
    if (std::ranges::find(report.layers, static_cast<Index>(one.layer)) == report.layers.end())
      report.layers.push_back(static_cast<Index>(one.layer));
  std::ranges::sort(report.layers);
  ChannelPlaces places;
  const std::vector<LayerHead> channels = joined(report.head_channels, report.pair_channels, places);
  encoder.attention({}, 0, 0, channels, options.encode, run.quiet(),
                    {});  // says what is wrong with the options

  std::optional<WordNet> wordnet;
  Prepared p;
  {
    const Descriptions read = read_descriptions(options.descriptions, report.cleaning, wordnet, run);
    BaseForms base_forms;
    if (wordnet) base_forms = [&](std::string_view word) { return wordnet->base_forms(word); };
    DescribedWords words = describe_words(read, base_forms, options.descriptions.keep, options.vocabulary,
                                          report.vocabulary, run);
    if (wordnet)
      add_forms(words, base_forms, [&](std::string_view word) { return wordnet->inflected_forms(word); });
    wordnet.reset();
    p = find_members(encoder, std::move(words), options.encode, report, run);
  }

  const Joined words(p.words.words), forms(p.words.forms), texts(p.texts);
  const Index shares = report.layers.size() * kReceivers;
  ArchiveWriter meta(kWordAttention);
  meta.space(encoder.space());
  meta.meta("heads", heads_text(report.head_channels));
  meta.meta("pairs", heads_text(report.pair_channels));
  meta.options(list_fields(options.vocabulary));
  meta.meta("report", facts_json(report).dump());
  std::string key = words.bytes + forms.bytes + texts.bytes;
  const auto add_to_key = [&](const auto& numbers) {
    const auto bytes = std::as_bytes(std::span(numbers));
    key.append(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  };
  add_to_key(words.ends), add_to_key(forms.ends), add_to_key(p.words.form_words), add_to_key(texts.ends),
      add_to_key(p.members), add_to_key(p.offsets);
  for (const auto& [name, value] : meta.metadata()) key += name + "\n" + value + "\n";
  std::vector<Field> fields = list_fields(options.encode);
  key = step_key(sha256(std::as_bytes(std::span<const char>(key))), "words prepare", fields, kVersion);

  const fs::path part = options.out.string() + ".part.safetensors",
                 state_file = options.out.string() + ".part.json";
  if (there && !options.overwrite) {
    if (!read_receipt(options.out, key)) throw exists;
    report.done_before = true;
    if (read_state(state_file, key, shares).done > 0) fs::remove(state_file);  // left by a kill at the end
    const ArchiveReader file(options.out);
    fill_shares(report, file.doubles("shares", shares));
    report.bytes = fs::file_size(options.out);
    return report;
  }

  State state = read_state(state_file, key, shares);
  const Index n = p.of.size();
  if (state.done > 0 && !fs::exists(part)) {  // before a new part, which it would speak for after a kill
    fs::remove(state_file);
    state = read_state(state_file, key, shares);
  }
  ArchiveFile file(
      part, meta,
      attention_plan(p.words.words.size(), words.bytes.size(), forms.ends.size(), forms.bytes.size(), n,
                     texts.bytes.size(), p.members.size(), p.pair_rows.back(), places.head.size(),
                     places.pairs.size(), report.layers.size()),
      state.done > 0, options.out);
  if (!file.kept() || state.done > n) {
    state.done = 0;
    state.shares.assign(shares, 0);
    std::error_code ignored;
    fs::remove(state_file, ignored);
  }
  report.resumed = state.done;
  if (state.done == 0) {
    file.write("words", 0, std::span<const char>(words.bytes));
    file.write("word_ends", 0, std::span<const std::uint64_t>(words.ends));
    file.write("frequency", 0, std::span<const std::uint64_t>(p.frequency));
    file.write("forms", 0, std::span<const char>(forms.bytes));
    file.write("form_ends", 0, std::span<const std::uint64_t>(forms.ends));
    file.write("form_words", 0, std::span<const std::uint32_t>(p.words.form_words));
    file.write("offsets", 0, std::span<const std::uint64_t>(p.offsets));
    file.write("members", 0, std::span<const std::uint32_t>(p.members));
    file.write("texts", 0, std::span<const char>(texts.bytes));
    file.write("text_ends", 0, std::span<const std::uint64_t>(texts.ends));
  }

  using Clock = std::chrono::steady_clock;
  auto kept = Clock::now();
  const auto commit = [&] {
    file.commit();
    write_state(state_file, state);
    kept = Clock::now();
  };
  const double all = static_cast<double>(p.tokens.back());
  try {
    while (state.done < n) {
      const Index first = state.done, last = std::min(first + kBlock, n);
      Run inner = run;
      const double before = static_cast<double>(p.tokens[first]),
                   own = static_cast<double>(p.tokens[last] - p.tokens[first]);
      if (run.progress)
        inner.progress = [&](std::string_view, double done, double total) {
          run.progress("attention", before + own * done / total, all);
        };
      Block block(p, places, report.head_channels, report.layers, first, last, *encoder.tokenizer());
      encoder.attention(p.texts, first, last - first, channels, options.encode, inner,
                        [&](const TextAttention& attention) { block.take(attention); });
      const Index heads = places.head.size();
      file.write("head_from", p.offsets[first] * heads, std::span<const std::uint16_t>(block.from));
      file.write("head_to", p.offsets[first] * heads, std::span<const std::uint16_t>(block.to));
      file.write("pairs", p.pair_rows[first] * places.pairs.size(),
                 std::span<const std::uint16_t>(block.pairs));
      for (Index d = 0; d < last - first; ++d)
        for (Index i = 0; i < shares; ++i) state.shares[i] += block.shares[d * shares + i];
      state.done = last;
      if (Clock::now() - kept >= std::chrono::seconds(kSeconds)) commit();
    }
  } catch (const Error& e) {
    if (e.fault == Fault::cancelled && state.done > 0) commit();
    throw;
  }
  std::vector<double> means = state.shares;
  for (double& share : means) share /= static_cast<double>(n);
  file.write("shares", 0, std::span<const double>(means));
  fill_shares(report, means);
  file.commit();
  report.bytes = fs::file_size(part);
  write_receipt(options.out, part, key, {{"descriptions", n}});
  file.keep_as(options.out);
  fs::remove(state_file);
  return report;
}

}  // namespace shoal
