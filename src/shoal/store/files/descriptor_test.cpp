#include "shoal/store/files/descriptor_impl.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include "shoal/core/error.h"
#include "shoal/store/archive/archive.h"
#include "shoal/store/collection/collection.h"
#include "shoal/store/files/mapping.h"
#include "shoal/store/files/new_file.h"
#include "shoal/store/files/new_folder.h"
#include "shoal/store/vectors/rows_file.h"
#include "tests/error_of.h"
#include "tests/scratch_folder.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

unsigned mode_of(const fs::path& path) {
  struct stat facts {};
  EXPECT_EQ(::stat(path.c_str(), &facts), 0) << path;
  return facts.st_mode & 07777;
}

struct Umask {
  explicit Umask(mode_t mask) : before(::umask(mask)) {}
  Umask(const Umask&) = delete;
  Umask& operator=(const Umask&) = delete;
  ~Umask() { ::umask(before); }
  mode_t before;
};

TEST(Permissions, OfAFileStayWhenItIsReplaced) {
  const ScratchFolder scratch;
  for (const mode_t mask : {022, 077}) {
    const Umask umask(mask);
    const fs::path path = scratch / std::to_string(mask);
    write_file(path, "new");
    EXPECT_EQ(mode_of(path), 0666 & ~mask) << "as the umask says";
    for (const mode_t mode : {0600, 0640, 0444, 0777}) {
      ASSERT_EQ(::chmod(path.c_str(), mode), 0);
      NewFile file(path);
      EXPECT_EQ(mode_of(part_of(path)), mode | 0600u) << "from its first byte on";
      file.write("x");
      file.keep();
      EXPECT_EQ(mode_of(path), mode);
    }
    RowsFile rows(scratch / "part", 2, {}, 0, path);
    EXPECT_EQ(mode_of(scratch / "part"), 0777u);
    rows.keep_as(path);
    EXPECT_EQ(mode_of(path), 0777u);
    RowsFile fresh(scratch / "part", 2, {}, 0);
    EXPECT_EQ(mode_of(scratch / "part"), 0666 & ~mask);
  }
}

TEST(Permissions, OfAFolderAndItsFilesStayWhenItIsReplaced) {
  const ScratchFolder scratch;
  const fs::path path = scratch / "m";
  constexpr const char* kFiles[] = {"mark", "x"};
  const auto make = [&](std::initializer_list<const char*> names) {
    NewFolder made(path, FolderMark{"mark"}, true, kFiles);
    for (const char* name : names) write_file(made / name, "1");
    if (fs::exists(path)) {
      EXPECT_EQ(mode_of(made / ""), 0700u) << "private until it is there";
    }
    made.keep();
  };
  const Umask umask(022);
  make({"mark"});
  EXPECT_EQ(mode_of(path), 0755u);
  ::chmod(path.c_str(), 0750);
  ::chmod((path / "mark").c_str(), 0600);
  make({"mark", "x"});
  EXPECT_EQ(mode_of(path), 0750u);
  EXPECT_EQ(mode_of(path / "mark"), 0600u);
  EXPECT_EQ(mode_of(path / "x"), 0644u);
}

TEST(Permissions, OfACollectionStay) {
  const ScratchFolder scratch;
  const Umask umask(022);
  Collection::create(scratch / "a").settle();
  EXPECT_EQ(mode_of(scratch / "a"), 0755u);
  ::chmod((scratch / "a").c_str(), 0700);
  for (const char* name : {"rows.sqlite", "rows.sqlite.sha256"})
    ::chmod((scratch / "a" / name).c_str(), 0600);
  {
    Collection c = Collection::open(scratch / "a", false);
    c.set_manifest("a", "b");
    c.settle();
  }
  EXPECT_EQ(mode_of(scratch / "a/rows.sqlite"), 0600u);
  EXPECT_EQ(mode_of(scratch / "a/rows.sqlite.sha256"), 0600u);
  Collection old = Collection::open_to_replace(scratch / "a"), fresh = Collection::create(scratch / "b");
  fresh.settle();
  EXPECT_EQ(mode_of(scratch / "b/rows.sqlite"), 0644u);
  fresh.take_place_of(old, scratch / "aside");
  EXPECT_EQ(mode_of(scratch / "a"), 0700u);
  EXPECT_EQ(mode_of(scratch / "a/rows.sqlite"), 0600u);
  const Umask closed(077);
  Collection::create(scratch / "c");
  EXPECT_EQ(mode_of(scratch / "c"), 0700u);
  EXPECT_EQ(mode_of(scratch / "c/rows.sqlite"), 0600u);
}

TEST(Permissions, TheOwnerStaysWhereRootReplaces) {
  if (::geteuid() != 0) GTEST_SKIP() << "only root may give files away";
  const ScratchFolder scratch;
  write_file(scratch / "a", "1");
  ASSERT_EQ(::chown((scratch / "a").c_str(), 12345, 23456), 0);
  ::chmod((scratch / "a").c_str(), 0640);
  write_file(scratch / "a", "2");
  struct stat facts {};
  ASSERT_EQ(::stat((scratch / "a").c_str(), &facts), 0);
  EXPECT_EQ(facts.st_uid, 12345u);
  EXPECT_EQ(facts.st_gid, 23456u);
  EXPECT_EQ(facts.st_mode & 07777, 0640u);
}

TEST(Locks, AreWaitedForAWhile) {
  const ScratchFolder scratch;
  const fs::path folder = scratch / "a.shoal", file = scratch / "x";
  auto writer = std::make_unique<Collection>(Collection::create(folder));
  auto part = std::make_unique<NewFile>(file);
  std::thread ends([&] {  // as a process that was killed: it keeps its locks for some tenths of a second
    std::this_thread::sleep_for(300ms);
    writer.reset();
    part.reset();
  });
  EXPECT_EQ(Collection::open(folder, false).rows(), 0u);
  write_file(file, "mine");
  ends.join();
  EXPECT_EQ(read_file(file, 10), "mine");

  const NewFile held(file);
  const auto begin = std::chrono::steady_clock::now();
  const Error e = error_of([&] { NewFile again(file); });
  EXPECT_EQ(e.fault, Fault::file);
  EXPECT_NE(std::string(e.what()).find("another shoal process is writing to"), std::string::npos) << e.what();
  EXPECT_GE(std::chrono::steady_clock::now() - begin, 2s);
}

TEST(Locks, OfAFolderThatWasReplacedMeanwhileAreOfTheNewOne) {
  const ScratchFolder scratch;
  Collection::create(scratch / "a").set_manifest("is", "old");
  auto old = std::make_unique<Collection>(Collection::open_to_replace(scratch / "a"));
  auto fresh = std::make_unique<Collection>(Collection::create(scratch / "b"));
  fresh->set_manifest("is", "new");
  std::thread replaces([&] {
    std::this_thread::sleep_for(200ms);
    fresh->take_place_of(*old, scratch / "aside");
    fresh.reset();
  });
  Collection c = Collection::open(scratch / "a", false);  // waits for the lock of the old one
  EXPECT_EQ(c.manifest("is"), "new");
  c.set_manifest("writes", "here");
  replaces.join();
  EXPECT_EQ(Collection::open(scratch / "a", true).manifest("writes"), "here");
}

TEST(Mapping, IsKnownByItsAddresses) {
  const ScratchFolder scratch;
  write_file(scratch / "a", std::string(10'000, 'a'));
  write_file(scratch / "empty", "");
  const std::byte* begin = nullptr;
  {
    const Mapping mapping(scratch / "a"), same(scratch / "a"), empty(scratch / "empty");
    begin = mapping.bytes().data();
    EXPECT_EQ(mapped_file_at(begin), scratch / "a");
    EXPECT_EQ(mapped_file_at(begin + 9'999), scratch / "a");
    EXPECT_EQ(mapped_file_at(same.bytes().data()), scratch / "a");
    EXPECT_EQ(mapped_file_at(&scratch), nullptr);
    EXPECT_EQ(mapped_file_at(nullptr), nullptr);
  }
  EXPECT_EQ(mapped_file_at(begin), nullptr);
  std::vector<std::unique_ptr<Mapping>> many;  // more than there is room for: those have no name
  for (int i = 0; i < 1100; ++i) many.push_back(std::make_unique<Mapping>(scratch / "a"));
  many.clear();
  const Mapping again(scratch / "a");
  EXPECT_EQ(mapped_file_at(again.bytes().data()), scratch / "a");
}

}  // namespace
}  // namespace shoal
