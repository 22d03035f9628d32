#include "shoal/store/files/new_folder.h"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cstdio>
#include <string>
#include <thread>

#include "shoal/store/archive/archive.h"
#include "tests/error_of.h"
#include "tests/scratch_folder.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFiles[] = {"mark", "x"};
constexpr FolderMark kMark{"mark"};

TEST(NewFolder, AMarkThatOthersWriteTooSaysWhoseItIs) {
  const ScratchFolder home;
  constexpr FolderMark mark{"mark", "shoal x", "old"};
  fs::create_directories(home / "m");
  write_file(home / "m/mark", std::string(5000, ' ') + "shoal x");
  EXPECT_NE(
      std::string(error_of([&] { NewFolder(home / "m", mark, true, kFiles); }).what()).find("was not made"),
      std::string::npos);
  EXPECT_TRUE(fs::exists(home / "m/mark"));
  write_file(home / "m/mark", "{shoal x}");
  NewFolder(home / "m", mark, true, kFiles);
  fs::create_directories(home / ".n.old");
  write_file(home / ".n.old/old", "");
  EXPECT_NE(std::string(error_of([&] { NewFolder(home / "n", mark, false, kFiles); }).what()).find("exists"),
            std::string::npos)
      << "an older version's folder comes back too";
}

TEST(NewFolder, AppearsWholeOrNotAtAll) {
  const ScratchFolder home;
  {
    NewFolder made(home / "m", kMark, false, kFiles);
    write_file(made / "mark", "1");
    write_file(made / "x", "2");
    EXPECT_FALSE(fs::exists(home / "m"));
    made.keep();
  }
  EXPECT_EQ(read_file(home / "m/x", 10), "2");
  { const NewFolder given_up(home / "n", kMark, false, kFiles); }
  EXPECT_FALSE(fs::exists(home / "n"));
  EXPECT_EQ(std::distance(fs::directory_iterator(home.path()), {}), 1) << "nothing is left beside it";
}

TEST(NewFolder, ReplacesItsOwnOnly) {
  const ScratchFolder home;
  fs::create_directory(home / "foreign");
  write_file(home / "foreign/letter", "dear");
  write_file(home / "file", "x");
  for (const char* name : {"foreign", "file"}) {
    EXPECT_NE(
        std::string(error_of([&] { NewFolder(home / name, kMark, false, kFiles); }).what()).find("exists"),
        std::string::npos);
    EXPECT_NE(std::string(error_of([&] { NewFolder(home / name, kMark, true, kFiles); }).what())
                  .find("not made by"),
              std::string::npos);
  }
  EXPECT_EQ(read_file(home / "foreign/letter", 10), "dear");

  for (const char* content : {"first", "second"}) {
    NewFolder made(home / "m/", kMark, true, kFiles);
    write_file(made / "mark", content);
    if (content[0] == 's') {
      EXPECT_EQ(read_file(home / "m/mark", 10), "first");
    }
    made.keep();
  }
  EXPECT_EQ(read_file(home / "m/mark", 10), "second");

  write_file(home / "m/notes", "mine");
  EXPECT_NE(
      std::string(error_of([&] { NewFolder(home / "m", kMark, true, kFiles); }).what()).find("holds notes"),
      std::string::npos);
  EXPECT_EQ(read_file(home / "m/notes", 10), "mine");
}

TEST(NewFolder, IsThereAtAnyMomentWhileItIsReplaced) {
  const ScratchFolder home;
  const fs::path path = home / "m";
  const auto make = [&] {
    NewFolder made(path, kMark, true, kFiles);
    write_file(made / "mark", "1");
    made.keep();
  };
  make();
  if (::renameat2(AT_FDCWD, path.c_str(), AT_FDCWD, path.c_str(), RENAME_EXCHANGE) != 0)
    GTEST_SKIP() << "the temporary folder's file system cannot exchange two names";
  std::atomic<bool> done = false;
  int absent = 0;
  std::thread watch([&] {
    while (!done) absent += !fs::exists(path / "mark");
  });
  for (int i = 0; i < 50; ++i) make();
  done = true;
  watch.join();
  EXPECT_EQ(absent, 0);
}

TEST(NewFolder, KeepsOffWhatIsStillNeeded) {
  const ScratchFolder home;
  fs::create_directories(home / "m");
  write_file(home / "m/mark", "1");
  const NewFolder made(home / "m", kMark, true, kFiles);
  EXPECT_NE(std::string(error_of([&] { made.keep_off(home / "m/mark"); }).what()).find("lies in"),
            std::string::npos);
  EXPECT_NE(std::string(error_of([&] { made.keep_off(home / "m/"); }).what()).find("lies in"),
            std::string::npos);
  EXPECT_NO_THROW(made.keep_off(home / "mm"));
}

TEST(NewFolder, TakesAwayWhatAKilledMakerLeft) {
  const ScratchFolder home;
  fs::create_directories(home / ".m.part/deep");
  NewFolder made(home / "m", kMark, false, kFiles);
  EXPECT_TRUE(fs::is_empty(made / ""));
  EXPECT_NE(std::string(error_of([&] { NewFolder(home / "m", kMark, false, kFiles); }).what())
                .find("another shoal process"),
            std::string::npos);
  EXPECT_NE(std::string(error_of([&] { made.keep(); }).what()).find("has no mark"), std::string::npos);
}

TEST(NewFolder, BringsBackWhatAKilledMakerHadSetAside) {
  const ScratchFolder home;
  fs::create_directory(home / ".m.old");
  write_file(home / ".m.old/mark", "old");
  EXPECT_NE(std::string(error_of([&] { NewFolder(home / "m", kMark, false, kFiles); }).what()).find("exists"),
            std::string::npos);
  EXPECT_EQ(read_file(home / "m/mark", 10), "old");
}

TEST(NewFolder, NeedsItsParent) {
  const ScratchFolder home;
  EXPECT_EQ(error_of([&] { NewFolder(home / "no/m", kMark, false, kFiles); }).fault, Fault::file);
}

}  // namespace
}  // namespace shoal
