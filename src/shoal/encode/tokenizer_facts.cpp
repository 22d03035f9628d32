#include <algorithm>
#include <nlohmann/json.hpp>
#include <string>
#include <unordered_map>
#include <vector>

#include "shoal/core/error.h"
#include "shoal/encode/json_fields_impl.h"
#include "shoal/encode/tokenizer_facts_impl.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::size_t kMostBytes = 256u << 20;

/// Takes tokens and ids from a tokenizer.json while it is read: the whole of a large one would take long.
class Facts : public json::json_sax_t {
 public:
  std::unordered_map<std::string, std::uint32_t> vocabulary, added;
  std::optional<std::string> unknown_token;
  std::optional<std::uint32_t> unknown_id;

  bool null() override { return value(); }
  bool boolean(bool) override { return value(); }
  bool number_integer(number_integer_t x) override { return number(x); }
  bool number_unsigned(number_unsigned_t x) override { return number(static_cast<std::int64_t>(x)); }
  bool number_float(number_float_t, const string_t&) override { return value(); }
  bool binary(binary_t&) override { return value(); }
  bool string(string_t& x) override {
    if (in("model") && depth() == 2 && keys_[1] == "unk_token") unknown_token = x;
    if (in("added_tokens") && depth() == 3 && keys_[2] == "content") content_ = x;
    // [["token", score], ...]
    if (in("model") && depth() == 4 && keys_[1] == "vocab" && is_first_)
      vocabulary.try_emplace(x, static_cast<std::uint32_t>(pieces_++));
    return value();
  }
  bool start_object(std::size_t) override { return open(); }
  bool end_object() override {
    if (in("added_tokens") && depth() == 3 && added_id_) added.try_emplace(content_, *added_id_);
    if (in("added_tokens") && depth() == 3) added_id_.reset();
    return close();
  }
  bool start_array(std::size_t) override { return open(); }
  bool end_array() override { return close(); }
  bool key(string_t& x) override {
    keys_.back() = x;
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const json::exception&) override { return false; }

 private:
  Index depth() const { return keys_.size(); }
  bool in(const char* member) const { return !keys_.empty() && keys_[0] == member; }
  bool open() {
    if (depth() >= 64) return false;
    keys_.emplace_back();
    is_first_ = true;
    return true;
  }
  bool close() {
    keys_.pop_back();
    return value();
  }
  bool number(std::int64_t x) {
    const bool is_id = x >= 0 && x <= std::int64_t{0xffffffff};
    const auto id = static_cast<std::uint32_t>(is_id ? x : 0);
    if (is_id && in("model") && depth() == 3 && keys_[1] == "vocab") vocabulary.try_emplace(keys_[2], id);
    if (is_id && in("model") && depth() == 2 && keys_[1] == "unk_id") unknown_id = id;
    if (is_id && in("added_tokens") && depth() == 3 && keys_[2] == "id") added_id_ = id;
    return value();
  }
  bool value() {
    is_first_ = false;
    return true;
  }

  std::vector<std::string> keys_;  // of the objects that are open; of lists an empty one
  bool is_first_ = false;          // what comes next is the first of its list
  std::string content_;
  std::optional<std::uint32_t> added_id_;
  Index pieces_ = 0;
};

Index letters_in(const std::string& text) {
  return static_cast<Index>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

TokenizerFacts TokenizerFacts::read(const fs::path& path) {
  const std::string content = read_file(path, kMostBytes);
  Facts facts;
  const bool whole = json::sax_parse(content, &facts);
  std::vector<Index> lengths;
  for (const auto& [token, id] : facts.vocabulary) lengths.push_back(letters_in(token));
  for (const auto& [token, id] : facts.added)
    if (!facts.vocabulary.contains(token)) lengths.push_back(letters_in(token));
  require(whole && !lengths.empty(), Fault::format, path.string() + ": has no vocabulary");
  std::ranges::sort(lengths);
  TokenizerFacts out;
  out.median_letters = (lengths[(lengths.size() - 1) / 2] + lengths[lengths.size() / 2]) / 2;
  out.unknown = facts.unknown_id;
  if (!facts.unknown_token) return out;
  for (const auto* tokens : {&facts.added, &facts.vocabulary})
    if (const auto found = tokens->find(*facts.unknown_token); found != tokens->end()) {
      out.unknown = found->second;
      break;
    }
  return out;
}

Index truncation_of(const fs::path& path) {
  const json file = read_members(path, {"truncation"});
  const auto found = file.find("truncation");
  if (found == file.end() || !found->is_object()) return 0;
  return JsonFields(path.string() + ": truncation", *found).integer("max_length", 1, 1'000'000'000, 0);
}

}  // namespace shoal
