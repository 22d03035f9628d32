// Folders with a vocab.txt and no tokenizer.json, against the ids that transformers gives
// (make_vocabularies.py).
#include "shoal/encode/vocabulary_file_impl.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "shoal/encode/encoder_impl.h"
#include "tests/scratch_folder.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

const fs::path kGolden = SHOAL_SOURCE "/tests/golden/vocabularies";

TEST(VocabularyFile, IdsAreThoseOfTransformers) {
  int folders = 0;
  for (const auto& entry : fs::directory_iterator(kGolden)) {
    SCOPED_TRACE(entry.path().filename().string());
    const ScratchFolder scratch;
    const fs::path folder = scratch / "model";
    fs::copy(entry.path(), folder);
    std::ofstream(folder / "config.json") << R"({"model_type": "bert"})";
    ModelFolder model;
    model.folder = model.transformer_folder = folder;
    const Tokenizer tokenizer = load_tokenizer(model);
    const json want = json::parse(std::ifstream(folder / "want.json"));
    for (std::size_t i = 0; i < want["texts"].size(); ++i) {
      Texts texts;
      texts.add(want["texts"][i].get<std::string>());
      EXPECT_EQ(tokenizer.encode(texts, 0, 1, 0).ids, want["ids"][i].get<std::vector<std::uint32_t>>())
          << want["texts"][i];
    }
    ++folders;
  }
  EXPECT_EQ(folders, 9);
}

}  // namespace
}  // namespace shoal
