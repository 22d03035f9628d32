#include "shoal/encode/static_tokenizer.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "shoal/store/archive/archive.h"
#include "tests/scratch_folder.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const fs::path kGolden = fs::path(SHOAL_SOURCE) / "tests/golden/encoder";

/// bert_bare, where `token` is called [unused0].
fs::path renamed(const ScratchFolder& scratch, const std::string& token, bool is_added) {
  const fs::path folder = scratch / ("model" + token + (is_added ? "" : "-plain"));
  fs::copy(kGolden / "bert_bare", folder, fs::copy_options::recursive);
  json file = json::parse(read_file(folder / "tokenizer.json", 1 << 20));
  json& vocab = file["model"]["vocab"];
  vocab["[unused0]"] = vocab.at(token);
  vocab.erase(token);
  for (json& one : file["added_tokens"])
    if (one["content"] == token) one["content"] = "[unused0]";
  if (!is_added)
    std::erase_if(file["added_tokens"].get_ref<json::array_t&>(),
                  [](const json& one) { return one["content"] == "[unused0]"; });
  if (token == "[UNK]") file["model"]["unk_token"] = "[unused0]";
  if (token == "[PAD]")
    file["padding"] = {{"strategy", "BatchLongest"},
                       {"direction", "Right"},
                       {"pad_to_multiple_of", nullptr},
                       {"pad_id", 0},
                       {"pad_type_id", 0},
                       {"pad_token", "[unused0]"}};
  std::ofstream(folder / "tokenizer.json") << file.dump();
  return folder;
}

TEST(StaticTokenizers, PaddingAndTheUnknownMayBeCalledUnused) {
  const ScratchFolder scratch;
  const StaticTokenizer plain(read_model_folder(kGolden / "bert_bare"));
  EXPECT_FALSE(plain.find("[unused0]"));
  for (const char* token : {"[PAD]", "[UNK]"}) {
    SCOPED_TRACE(token);
    const StaticTokenizer found(read_model_folder(renamed(scratch, token, true)));
    EXPECT_EQ(found.size(), plain.size());
    EXPECT_EQ(found.find("[unused0]"), plain.find(token));
    EXPECT_NO_THROW(Tokenizer::from_json(found.to_json(), token));
  }
  const StaticTokenizer unknown(read_model_folder(renamed(scratch, "[UNK]", false)));
  EXPECT_EQ(unknown.unknown(), unknown.find("[unused0]"));
  EXPECT_TRUE(unknown.unknown());
  EXPECT_NO_THROW(Tokenizer::from_json(unknown.to_json(), "unknown"));
}

}  // namespace
}  // namespace shoal
