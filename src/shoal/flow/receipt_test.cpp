#include "shoal/flow/receipt.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "shoal/core/error.h"
#include "shoal/flow/folders/cluster_vectors.h"
#include "shoal/flow/texts/embed.h"
#include "shoal/store/archive/archive.h"
#include "shoal/store/vectors/rows_file.h"
#include "tests/error_of.h"
#include "tests/scratch_folder.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

TEST(Receipt, IsOfWholeFoldersOnly) {
  const ScratchFolder folder;
  write_file(folder / "r.json", R"({"n": 4, "x": 0.1})");
  write_file(folder / "a.csv", "1\n");
  add_receipt(folder.path(), "r.json", "key");
  EXPECT_TRUE(has_receipt(folder.path(), "r.json", "key"));
  EXPECT_FALSE(has_receipt(folder.path(), "r.json", "other"));

  fs::create_directory(folder / "more");
  EXPECT_FALSE(has_receipt(folder.path(), "r.json", "key")) << "a folder of somebody's";
  fs::remove(folder / "more");

  auto report = nlohmann::ordered_json::parse(read_file(folder / "r.json", 4096));
  report["n"] = 5;
  write_file(folder / "r.json", report.dump());
  EXPECT_FALSE(has_receipt(folder.path(), "r.json", "key")) << "the report itself was changed";
  report["n"] = 4;
  write_file(folder / "r.json", report.dump());
  EXPECT_TRUE(has_receipt(folder.path(), "r.json", "key"));

  for (const char* receipt :
       {"\"x\"", "3", "null", "[]", "{}", R"({"key": "key"})", R"({"key": "key", "sha256": null})"}) {
    write_file(folder / "r.json", std::string(R"({"n": 4, "receipt": )") + receipt + "}");
    EXPECT_FALSE(has_receipt(folder.path(), "r.json", "key")) << receipt;
  }
}

TEST(Receipt, IsAsPrivateAsItsFile) {
  const ScratchFolder folder;
  write_file(folder / "part", "1\n");
  for (const auto mode : {fs::perms::owner_read | fs::perms::owner_write, fs::perms(0640), fs::perms(0644)}) {
    fs::permissions(folder / "part", mode);
    write_receipt(folder / "x.csv", folder / "part", "key", {});
    EXPECT_EQ(fs::status(folder / ".x.csv.shoal").permissions(), mode);
  }
}

void write_vectors(const fs::path& path, float step) {
  Matrix x(40, 2);
  for (Index i = 0; i < 40; ++i) {
    x[i][i % 2] = 1;
    x[i][1 - i % 2] = step * static_cast<float>(i);
  }
  write_rows(path, x);
}

TEST(Receipt, IsOfTheInputThatTheWorkBeganWith) {
  const ScratchFolder folder;
  const fs::path input = folder / "v.npy";
  write_vectors(input, 0.001f);
  const ClusterOptions options{
      .input = input, .out = folder / "c", .clusters = {.n_clusters = 2}, .layout = PlotMethod::none};
  bool replaced = false;
  cluster_vectors(options, {.progress = [&](std::string_view step, double, double) {
                    if (step == "classifier" && !replaced) write_vectors(input, 0.01f);
                    replaced = replaced || step == "classifier";
                  }});
  ASSERT_TRUE(replaced);
  EXPECT_EQ(fault_of([&] { cluster_vectors(options, {}); }), Fault::argument) << "made of other rows";
  write_vectors(input, 0.001f);
  EXPECT_TRUE(cluster_vectors(options, {}).done_before);
}

TEST(Receipt, WhatAnotherProcessWritesIsLeftAlone) {
  const ScratchFolder folder;
  std::ofstream(folder / "t.txt") << "a no a\nno\n";
  const Encoder encoder = Encoder::load(fs::path(SHOAL_SOURCE) / "tests/golden/encoder/bert_bare");
  const fs::path out = folder / "x.npy", part = folder / "x.npy.part.safetensors",
                 state = folder / "x.npy.part.json";
  const auto embed = [&] {
    Source source({folder / "t.txt"}, {});
    return embed_file(source, encoder, {}, out, false, {});
  };
  EXPECT_FALSE(embed().done_before);
  {
    const RowsFile busy(part, 3, {}, 0);  // as `embed --overwrite` has it
    write_file(state, "{}");
    EXPECT_TRUE(embed().done_before);
    EXPECT_TRUE(fs::exists(part));
    EXPECT_TRUE(fs::exists(state));
  }
  EXPECT_TRUE(embed().done_before);
  EXPECT_FALSE(fs::exists(part)) << "what a killed run left";
  EXPECT_FALSE(fs::exists(state));
}

}  // namespace
}  // namespace shoal
