#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "shoal/core/error.h"
#include "shoal/flow/steps/step.h"
#include "shoal/store/archive/archive.h"
#include "tests/scratch_folder.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;
using Names = std::vector<std::string>;

/// a -> b -> c, and d of a alone; each writes what it has read and its own name.
class Steps : public ::testing::Test {
 protected:
  Names run(std::string_view rows_key = "rows") {
    done_.clear();
    const auto step = [&](std::string_view name, std::vector<std::string_view> needs,
                          std::vector<std::string_view> makes) {
      return Step{.name = name,
                  .needs = needs,
                  .makes = makes,
                  .options =
                      [this, name] {
                        return std::vector<Field>{{"option", options_[name]}};
                      },
                  .run = [this, name, needs, makes](const std::string&) { work(name, needs, makes); }};
    };
    return run_steps(
        collection_, rows_key,
        {step("a", {kRows}, {"a.txt"}), step("d", {"a.txt"}, {"d.txt"}),
         step("b", {"a.txt"}, {"b.txt", "a result"}), step("c", {"b.txt", "a result"}, {"c.json"})},
        {});
  }
  void work(std::string_view name, const std::vector<std::string_view>& needs,
            const std::vector<std::string_view>& makes) {
    if (name == stop_at_) throw Error(Fault::cancelled, "stopped");
    done_.emplace_back(name);
    std::string content;
    for (const std::string_view need : needs)
      if (is_file(need)) content += read_file(collection_.file(need), 1000);
    for (const std::string_view made : makes)
      if (is_file(made))
        write_file(collection_.file(made), made.ends_with(".json") ? "{}" : content + std::string(name));
  }
  void spoil(const char* name) { std::ofstream(collection_.file(name)) << "spoilt"; }

  const ScratchFolder folder_;
  Collection collection_ = Collection::create(folder_ / "c.shoal");
  std::map<std::string_view, std::string> options_;
  Names done_;  // in the last run
  std::string_view stop_at_;
};

TEST_F(Steps, AreDoneOnce) {
  EXPECT_EQ(run(), Names{});
  EXPECT_EQ(done_, (Names{"a", "d", "b", "c"}));
  EXPECT_EQ(run(), (Names{"a", "d", "b", "c"}));
  EXPECT_EQ(done_, Names{});
}

TEST_F(Steps, HangOnWhatTheyNeedAndOnNothingElse) {
  run();
  options_["b"] = "other";
  EXPECT_EQ(run(), (Names{"a", "d"}));
  EXPECT_EQ(done_, (Names{"b", "c"}));
  options_["d"] = "other";
  EXPECT_EQ(run(), (Names{"a", "b", "c"}));
  EXPECT_EQ(run("other rows"), Names{});
}

TEST_F(Steps, ALostFileIsMadeAgainWithAllThatNeedsIt) {
  run();
  fs::remove(collection_.file("b.txt"));
  EXPECT_EQ(run(), (Names{"a", "d"}));
  std::ofstream(collection_.file("c.json")) << "{";  // cut: no JSON
  EXPECT_EQ(run(), (Names{"a", "d", "b"}));
  EXPECT_EQ(read_file(collection_.file("c.json"), 10), "{}");
}

TEST_F(Steps, WhatIsReadHasTheChecksumThatWasKept) {
  run();
  spoil("a.txt");
  EXPECT_EQ(run().size(), 4u) << "nothing reads it";
  options_["c"] = "other";
  EXPECT_EQ(run(), (Names{"a", "d", "b"})) << "nor does this";
  spoil("b.txt");
  options_["c"] = "a third";
  EXPECT_EQ(run(), Names{}) << "it is made again, and what that reads was spoilt too";
  EXPECT_EQ(read_file(collection_.file("b.txt"), 10), "ab");
  EXPECT_EQ(read_file(collection_.file("d.txt"), 10), "ad");
  EXPECT_EQ(run().size(), 4u);
}

TEST_F(Steps, WhatIsDueIsForgottenBeforeTheWork) {
  run();
  options_["a"] = "other";
  stop_at_ = "a";
  EXPECT_THROW(run(), Error);
  for (const char* file : {"a.txt", "b.txt", "c.json", "d.txt"})
    EXPECT_EQ(collection_.manifest(checksum_key(file)), "") << file;
  stop_at_ = "b";
  EXPECT_THROW(run(), Error);
  EXPECT_EQ(done_, (Names{"a", "d"}));
  stop_at_ = "";
  EXPECT_EQ(run(), (Names{"a", "d"})) << "an interrupted run is gone on with";
}

TEST_F(Steps, CannotNeedWhatNothingMakes) {
  EXPECT_THROW(run_steps(collection_, "rows", {{.name = "a", .needs = {"none"}}}, {}), Error);
}

}  // namespace
}  // namespace shoal
