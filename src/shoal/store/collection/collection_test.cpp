#include "shoal/store/collection/collection.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <limits>
#include <thread>

#include "shoal/core/error.h"
#include "shoal/core/random.h"
#include "shoal/store/archive/archive.h"
#include "shoal/store/collection/database_impl.h"
#include "tests/error_of.h"
#include "tests/scratch_folder.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

Texts texts_of(const std::vector<std::string>& list) {
  Texts out;
  for (const auto& text : list) out.add(text);
  return out;
}

std::vector<std::string> list_of(const Texts& texts) {
  std::vector<std::string> out;
  for (Index i = 0; i < texts.size(); ++i) out.emplace_back(texts[i]);
  return out;
}

std::string text_of_row(Index row) {
  static const char* const words[] = {"refund", "never", "arrived", "late",
                                      "colour", "größe", "app",     "crashes"};
  std::string out = "row" + std::to_string(row);
  const Random random({9});
  for (Index w = 0; w < 8; ++w) out += std::string(" ") + words[random.below(row * 8 + w, 8)];
  return out;
}

/// Appends rows [first, last) with one user column.
void append_rows(Collection& c, Index first, Index last) {
  Texts texts, column;
  for (Index row = first; row < last; ++row) {
    texts.add(text_of_row(row));
    column.add(std::to_string(row * row));
  }
  c.append(texts, {column}, {{"position", std::to_string(last)}});
}

std::string database_bytes(const fs::path& folder) { return read_file(folder / "rows.sqlite", 1 << 28); }

TEST(Collection, KeepsWhatItIsGiven) {
  const ScratchFolder scratch;
  const fs::path folder = scratch / "a.shoal";
  EXPECT_FALSE(Collection::exists(folder));
  {
    Collection c = Collection::create(folder);
    EXPECT_EQ(c.rows(), 0u);
    EXPECT_EQ(c.manifest("model"), std::nullopt);
    c.set_manifest("model", "m");
    c.set_manifest("model", "n");
    c.define_columns({"stars", "when"});
    c.append(texts_of({"first text", "second"}), {texts_of({"5", ""}), texts_of({"2001", "2002"})},
             {{"at", "2"}});
    c.append(texts_of({"third"}), {texts_of({"1"}), texts_of({"x"})}, {{"at", "3"}});
    c.set_labels({.of = {1, kNoise, 0}, .count = 2});
    Matrix xy(3, 2);
    xy[0][0] = 0.1f, xy[2][1] = -1e30f;
    c.set_points(xy.view());
    c.set_clusters({{.id = 0, .name = "a", .words = {"u", "\"v\""}, .size = 1, .group = 1, .medoids = {2}},
                    {.id = 1, .name = "b", .size = 1}},
                   {{.id = 0, .name = "f", .size = 1}, {.id = 1, .name = "g", .size = 1}});
    c.finish_step("embed", "k1");
    EXPECT_EQ(c.file("map.html"), folder / "map.html");
  }
  const Collection c = Collection::open(folder, true);
  EXPECT_EQ(c.manifest("model"), "n");
  EXPECT_EQ(c.manifest("at"), "3");
  EXPECT_EQ(c.manifest("format_version"), "2");
  EXPECT_EQ(c.columns(), (std::vector<std::string>{"stars", "when"}));
  EXPECT_EQ(list_of(c.texts(0, 3)), (std::vector<std::string>{"first text", "second", "third"}));
  EXPECT_EQ(list_of(c.column("stars", 1, 2)), (std::vector<std::string>{"", "1"}));
  EXPECT_EQ(c.text(2), "third");
  EXPECT_EQ(c.labels(), (Labels{.of = {1, kNoise, 0}, .count = 2}));
  const Matrix points = c.points();
  EXPECT_EQ(points[0][0], 0.1f);
  EXPECT_EQ(points[2][1], -1e30f);
  ASSERT_EQ(c.clusters().size(), 2u);
  EXPECT_EQ(c.clusters()[0].words, (std::vector<std::string>{"u", "\"v\""}));
  EXPECT_EQ(c.clusters()[0].medoids, (std::vector<Index>{2}));
  EXPECT_EQ(c.clusters()[0].group, 1);
  EXPECT_EQ(c.groups()[1].name, "g");
  const RowBatch batch = c.batch(1, 2);
  EXPECT_EQ(list_of(batch.texts), (std::vector<std::string>{"second", "third"}));
  ASSERT_EQ(batch.columns.size(), 2u);
  EXPECT_EQ(list_of(batch.columns[1]), (std::vector<std::string>{"2002", "x"}));
  EXPECT_TRUE(c.done("embed", "k1"));
  EXPECT_FALSE(c.done("embed", "k2"));
  EXPECT_FALSE(c.done("pca", "k1"));
}

TEST(Collection, KeepsWhatTheCellsWere) {
  const ScratchFolder scratch;
  const fs::path folder = scratch.path() / "kinds.shoal";
  std::vector<std::string> kinds;
  {
    Collection c = Collection::create(folder);
    c.define_columns({"a", "b"});
    const auto append = [&](const std::vector<std::string>& of_rows, Index rows) {
      const Texts texts = texts_of(std::vector<std::string>(rows, "x"));
      c.append(texts, {texts, texts}, {}, texts_of(of_rows));
      for (Index i = 0; i < rows; ++i) kinds.push_back(of_rows.empty() ? "sss" : of_rows[i]);
    };
    append({}, 3);
    EXPECT_EQ(c.batch(0, 3).kinds.size(), 0u);  // all are strings
    append({"sjn", "sjn", "nsm"}, 3);
    append({"nsm", "sjn"}, 2);
    append({}, 2);
    c.settle();
  }
  const Collection c = Collection::open(folder, true);
  EXPECT_TRUE(c.check());
  for (Index first = 0; first <= kinds.size(); ++first) {
    for (Index count = 0; first + count <= kinds.size(); ++count) {
      const Texts found = c.batch(first, count).kinds;
      std::vector<std::string> list = list_of(found);
      if (list.empty()) list.assign(count, "sss");
      EXPECT_EQ(list, std::vector<std::string>(kinds.begin() + static_cast<std::ptrdiff_t>(first),
                                               kinds.begin() + static_cast<std::ptrdiff_t>(first + count)))
          << first << " " << count;
    }
  }
  // Rows of the same kinds share an entry.
  Database database(folder / "rows.sqlite", Database::Mode::read);
  EXPECT_EQ(database.number("SELECT count(*) FROM kinds"), 4);
  Collection again = Collection::open(folder, false);
  expect_error(Fault::argument, "not one a column", [&] {
    again.append(texts_of({"x"}), {texts_of({"x"}), texts_of({"x"})}, {}, texts_of({"ss"}));
  });
}

TEST(Collection, WithoutATableOfKindsAllCellsAreStrings) {
  const ScratchFolder scratch;
  const fs::path folder = scratch.path() / "old.shoal";
  {
    Collection c = Collection::create(folder);
    c.define_columns({"a"});
    append_rows(c, 0, 3);
    Database(folder / "rows.sqlite", Database::Mode::write).run("DROP TABLE kinds");
  }
  EXPECT_EQ(Collection::open(folder, true).batch(0, 3).kinds.size(), 0u);
  Collection c = Collection::open(folder, false);
  c.append(texts_of({"x"}), {texts_of({"5"})}, {}, texts_of({"sj"}));
  c.settle();
  EXPECT_EQ(list_of(c.batch(2, 2).kinds), (std::vector<std::string>{"ss", "sj"}));
}

TEST(Collection, AsksOutsideWhatThereIsAreRefused) {
  const ScratchFolder scratch;
  Collection c = Collection::create(scratch / "a");
  c.define_columns({"one"});
  EXPECT_EQ(c.texts(0, 0).size(), 0u);
  EXPECT_EQ(c.points().rows(), 0u);
  EXPECT_EQ(error_of([&] { c.text(0); }).fault, Fault::argument);
  append_rows(c, 0, 5);
  EXPECT_EQ(error_of([&] { c.texts(3, 3); }).fault, Fault::argument);
  EXPECT_EQ(error_of([&] { c.texts(6, 0); }).fault, Fault::argument);
  EXPECT_EQ(error_of([&] { c.texts(1, std::numeric_limits<Index>::max()); }).fault, Fault::argument);
  EXPECT_EQ(error_of([&] { c.column("two", 0, 1); }).fault, Fault::argument);
  EXPECT_EQ(error_of([&] { c.column_at(1, 0, 1); }).fault, Fault::argument);
  EXPECT_EQ(error_of([&] { c.append(texts_of({"a"}), {}, {}); }).fault, Fault::argument);
  EXPECT_EQ(error_of([&] { c.append(texts_of({"a"}), {texts_of({})}, {}); }).fault, Fault::argument);
  EXPECT_EQ(error_of([&] { c.define_columns({"two"}); }).fault, Fault::argument);
  EXPECT_EQ(error_of([&] { c.labels(); }).fault, Fault::data);
  EXPECT_EQ(error_of([&] { c.points(); }).fault, Fault::data);
  EXPECT_EQ(error_of([&] { c.set_labels({.of = {0}, .count = 1}); }).fault, Fault::argument);
  EXPECT_EQ(error_of([&] { c.set_labels({.of = {0, 1, 2, 3, 4}, .count = 4}); }).fault, Fault::argument);
  EXPECT_EQ(error_of([&] {
              const Matrix wide(5, 3);
              c.set_points(wide.view());
            }).fault,
            Fault::argument);
  Matrix xy(5, 2);
  xy[3][1] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_NE(std::string(error_of([&] { c.set_points(xy.view()); }).what()).find("row 3"), std::string::npos);
  EXPECT_EQ(c.rows(), 5u);

  c.set_labels({.of = {0, 0, 0, 0, 0}, .count = 1});
  append_rows(c, 5, 6);
  EXPECT_EQ(error_of([&] { c.labels(); }).fault, Fault::data) << "a new row has no cluster";
  Collection empty = Collection::create(scratch / "b");
  empty.define_columns({"one"});
  empty.define_columns({"two"});
  EXPECT_EQ(empty.columns(), (std::vector<std::string>{"two"})) << "until there are rows";
}

TEST(Collection, NewLabelsLeaveNoClustersOfOldOnes) {
  const ScratchFolder scratch;
  Collection c = Collection::create(scratch / "a");
  c.append(texts_of({"u", "v"}), {}, {});
  c.set_labels({.of = {0, 0}, .count = 1});
  c.set_clusters({{.id = 0, .name = "old", .size = 2}}, {{.id = 0, .name = "g", .size = 2}});
  c.set_labels({.of = {0, 1}, .count = 2});
  EXPECT_TRUE(c.clusters().empty());
  EXPECT_TRUE(c.groups().empty());
}

TEST(Collection, TakesThePlaceOfAnother) {
  const ScratchFolder scratch;
  Collection::create(scratch / "a").set_manifest("is", "old");
  Collection old = Collection::open_to_replace(scratch / "a"), fresh = Collection::create(scratch / "b");
  fresh.set_manifest("is", "fresh");
  write_file(old.file("mine.txt"), "x");
  fs::create_directories(scratch / "taken" / "full");
  EXPECT_EQ(error_of([&] { fresh.take_place_of(old, scratch / "taken"); }).fault, Fault::file);
  EXPECT_EQ(old.folder(), scratch / "a");
  EXPECT_EQ(fresh.folder(), scratch / "b");
  EXPECT_EQ(Collection::open(scratch / "a", true).manifest("is"), "old") << "as before";

  fresh.take_place_of(old, scratch / "aside");
  EXPECT_EQ(fresh.folder(), scratch / "a");
  EXPECT_EQ(old.folder(), scratch / "aside");
  EXPECT_FALSE(fs::exists(scratch / "b"));
  EXPECT_TRUE(fs::exists(old.file("mine.txt")));
  fresh.set_manifest("still", "writes");
  for (const char* locked : {"a", "aside"})
    EXPECT_EQ(error_of([&] { Collection::open(scratch / locked, false); }).fault, Fault::file);
  const Collection reader = Collection::open(scratch / "a", true);
  EXPECT_EQ(reader.manifest("is"), "fresh");
  EXPECT_EQ(reader.manifest("still"), "writes");
  EXPECT_EQ(Collection::open(scratch / "aside", true).manifest("is"), "old");
}

TEST(Collection, OfManyThatCreateItOneDoes) {
  for (int round = 0; round < 10; ++round) {
    const ScratchFolder scratch;
    std::atomic<int> made = 0;
    std::vector<std::thread> threads;
    for (int t = 0; t < 4; ++t) {
      threads.emplace_back([&] {
        try {
          Collection::create(scratch / "a").append(texts_of({"mine"}), {}, {});
          ++made;
        } catch (const Error& e) {
          EXPECT_TRUE(e.fault == Fault::file || e.fault == Fault::argument) << e.what();  // locked, or there
        }
      });
    }
    for (std::thread& t : threads) t.join();
    ASSERT_EQ(made, 1);
    ASSERT_EQ(Collection::open(scratch / "a", true).rows(), 1u);
  }
}

TEST(Collection, AnyTextAndAnyColumnNameSurvives) {
  const ScratchFolder scratch;
  const std::vector<std::string> names = {"a \"quoted\" name",
                                          "with space",
                                          "id",
                                          "text",
                                          "ID",
                                          "cluster",
                                          "x",
                                          "Y",
                                          "",
                                          "",
                                          "same",
                                          "same",
                                          "SAME",
                                          "same (2)",
                                          "select",
                                          "größe",
                                          std::string("nul\0here", 8),
                                          std::string(500, 'n'),
                                          std::string(501, 'n'),
                                          "\xff\xfe",
                                          "rowid",
                                          "a;DROP TABLE rows;--",
                                          "[b]",
                                          "`c`",
                                          "?"};
  const std::vector<std::string> values = {
      std::string("nul\0inside", 10), std::string(1, '\0'), "", "\xff invalid", "line\nbreak", "'quote'",
      std::string(100'000, 'z')};
  {
    Collection c = Collection::create(scratch / "a");
    c.define_columns(names);
    std::vector<Texts> columns;
    for (std::size_t n = 0; n < names.size(); ++n) {
      std::vector<std::string> rotated = values;
      std::rotate(rotated.begin(), rotated.begin() + static_cast<std::ptrdiff_t>(n % values.size()),
                  rotated.end());
      columns.push_back(texts_of(rotated));
    }
    c.append(texts_of(values), columns, {});
    c.settle();
  }
  const Collection c = Collection::open(scratch / "a", true);
  EXPECT_EQ(c.columns(), names);
  EXPECT_EQ(list_of(c.texts(0, values.size())), values);
  for (std::size_t n = 0; n < names.size(); ++n) {
    for (std::size_t row = 0; row < values.size(); ++row) {
      EXPECT_EQ(list_of(c.column_at(n, row, 1)), std::vector{values[(row + n) % values.size()]}) << names[n];
    }
  }
  EXPECT_EQ(list_of(c.column("same", 0, 7)), list_of(c.column_at(10, 0, 7))) << "the first of that name";
}

TEST(Collection, ColumnsUpToSqlitesLimit) {
  const ScratchFolder scratch;
  Collection c = Collection::create(scratch / "a");
  std::vector<std::string> names(2000, std::string(300, 'c'));
  const Error e = error_of([&] { c.define_columns(names); });
  EXPECT_EQ(e.fault, Fault::data);
  EXPECT_NE(std::string(e.what()).find("at most 1995"), std::string::npos) << e.what();
  names.resize(1995);
  c.define_columns(names);
  c.append(texts_of({"t"}), std::vector<Texts>(1995, texts_of({"v"})), {});
  c.settle();
  EXPECT_EQ(list_of(c.column_at(1994, 0, 1)), std::vector<std::string>{"v"});
}

TEST(Collection, WordsAreFoundLiterally) {
  const ScratchFolder scratch;
  Collection c = Collection::create(scratch / "a");
  c.define_columns({});
  c.append(
      texts_of({"the refund never arrived", "a refund, a refund!", "nothing here", "Die Größe AND the colour",
                "don't say \"hello\" OR goodbye", "C++ and state-of-the-art", "refund arrived", ""}),
      {}, {});
  EXPECT_EQ(error_of([&] { c.find_words("refund", 9); }).fault, Fault::data) << "no index before settle";
  c.settle();
  using Found = std::vector<Index>;
  EXPECT_EQ(c.find_words("refund", 9), (Found{1, 6, 0})) << "twice first, then the shorter text";
  EXPECT_EQ(c.find_words("refund", 1), (Found{1}));
  EXPECT_EQ(c.find_words("refund", 0), Found{});
  EXPECT_EQ(c.find_words("REFUND arrived", 9), (Found{6, 0}));
  EXPECT_EQ(c.find_words("arrived refund never", 9), (Found{0}));
  EXPECT_EQ(c.find_words("refund absent", 9), Found{});
  EXPECT_EQ(c.find_words("grosse", 9), Found{});
  EXPECT_EQ(c.find_words("GRÖßE", 9), (Found{3}));
  EXPECT_EQ(c.find_words("AND", 9).size(), 2u);
  EXPECT_EQ(c.find_words("refund OR nothing", 9), Found{}) << "OR is a word";
  EXPECT_EQ(c.find_words("\"hello\"", 9), (Found{4}));
  EXPECT_EQ(c.find_words("don't", 9), (Found{4}));
  EXPECT_EQ(c.find_words("c++", 9), (Found{5}));
  EXPECT_EQ(c.find_words("-- refund ( * ^ : {", 9), (Found{1, 6, 0})) << "signs alone are no words";
  for (const char* odd : {"", " ", "\"", "\"\"", "*", "NEAR(", "text:", "\xff", "^", "a\nb"}) {
    EXPECT_TRUE(c.find_words(odd, 9).empty()) << odd;
  }
  EXPECT_EQ(c.find_words(std::string("refund\0never", 12), 9), (Found{0}));
  std::string many;
  for (int i = 0; i < 3000; ++i) many += "refund ";
  EXPECT_EQ(c.find_words(many, 9).size(), 3u);

  c.append(texts_of({"new"}), {}, {});
  EXPECT_EQ(error_of([&] { c.find_words("new", 9); }).fault, Fault::data) << "never from a stale index";
  c.settle();
  EXPECT_EQ(c.find_words("new", 9), (Found{8}));
}

/// Appends until `total` rows are there, `batch` at a time, going on where the collection stands.
void fill(const fs::path& folder, Index total, Index batch) {
  Collection c = Collection::exists(folder) ? Collection::open(folder, false) : Collection::create(folder);
  c.define_columns({"square"});
  while (c.rows() < total) append_rows(c, c.rows(), std::min(total, c.rows() + batch));
  Labels labels{.of = std::vector<Label>(total), .count = 7};
  Matrix xy(total, 2);
  for (Index row = 0; row < total; ++row) {
    labels.of[row] = static_cast<Label>(row % 7);
    xy[row][0] = static_cast<float>(row) / 3;
  }
  c.set_labels(labels);
  c.set_points(xy.view());
  std::vector<ClusterRecord> clusters(7);
  std::vector<GroupRecord> groups{{.id = 0, .name = "all", .size = total}};
  for (Label id = 0; id < 7; ++id)
    clusters[static_cast<Index>(id)] = {
        .id = id, .name = "one", .size = (total + 6 - static_cast<Index>(id)) / 7};
  c.set_clusters(clusters, groups);
  c.finish_step("embed", "key");
  c.settle();
}

/// Runs `work` in a child process and kills it with SIGKILL after `microseconds`.
template <class F>
void run_and_kill(useconds_t microseconds, F&& work) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    try {
      work();
    } catch (const std::exception& e) {
      std::fprintf(stderr, "child: %s\n", e.what());
      ::_exit(1);
    }
    ::_exit(0);
  }
  ::usleep(microseconds);
  ::kill(child, SIGKILL);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) || status == 0)
      << "the child failed by itself";
}

TEST(Collection, SettledBytesDependOnContentAlone) {
  const ScratchFolder scratch;
  constexpr Index kRows = 3000;
  fill(scratch / "whole", kRows, kRows);
  const std::string expected = database_bytes(scratch / "whole");
  fill(scratch / "seven", kRows, kRows / 7 + 1);
  EXPECT_EQ(database_bytes(scratch / "seven"), expected);
  fill(scratch / "hundred", kRows, kRows / 100);
  EXPECT_EQ(database_bytes(scratch / "hundred"), expected);

  fill(scratch / "again", kRows / 2, kRows);  // settled half-way, then changed
  {
    Collection c = Collection::open(scratch / "again", false);
    c.finish_step("passing", "k");
    c.forget_step("passing");
  }
  fill(scratch / "again", kRows, 50);
  EXPECT_EQ(database_bytes(scratch / "again"), expected);
  { Collection::open(scratch / "again", false).settle(); }
  EXPECT_EQ(database_bytes(scratch / "again"), expected) << "settling twice is settling once";
  EXPECT_EQ(std::distance(fs::directory_iterator(scratch / "again"), fs::directory_iterator()), 2)
      << "nothing but the database and its checksum is left";
}

TEST(Collection, KilledAtAnyMomentItGoesOnToTheSameBytes) {
  const ScratchFolder scratch;
  constexpr Index kRows = 1500;
  fill(scratch / "whole", kRows, 100);
  const std::string expected = database_bytes(scratch / "whole");
  const Random random({4});
  int unfinished = 0;
  for (int trial = 0; trial < 12; ++trial) {
    const fs::path folder = scratch / std::to_string(trial);
    for (int kill = 0; kill < 3; ++kill) {
      run_and_kill(static_cast<useconds_t>(random.below(trial * 3 + kill, 80'000)),
                   [&] { fill(folder, kRows, 20); });
      if (!Collection::exists(folder)) continue;
      const Collection c = Collection::open(folder, false);  // rolls back what was in work
      unfinished += c.rows() < kRows;
      EXPECT_EQ(c.manifest("position").value_or("0"), std::to_string(c.rows()))
          << "rows and facts go together";
      if (c.rows() > 0) {
        EXPECT_EQ(c.text(c.rows() - 1), text_of_row(c.rows() - 1));
      }
    }
    fill(folder, kRows, 100);
    EXPECT_EQ(database_bytes(folder), expected) << trial;
  }
  EXPECT_GT(unfinished, 0) << "no kill came in time to prove anything";
}

TEST(Collection, OneWriterManyReaders) {
  const ScratchFolder scratch;
  Collection writer = Collection::create(scratch / "a");
  writer.define_columns({"square"});
  append_rows(writer, 0, 3);
  const Error e = error_of([&] { Collection::open(scratch / "a", false); });
  EXPECT_EQ(e.fault, Fault::file);
  EXPECT_NE(std::string(e.what()).find("another shoal process is writing to"), std::string::npos) << e.what();
  Collection reader = Collection::open(scratch / "a", true);
  EXPECT_EQ(reader.rows(), 3u);
  append_rows(writer, 3, 4);
  EXPECT_EQ(reader.rows(), 4u) << "a reader sees each commit";
  writer.settle();
  EXPECT_EQ(reader.rows(), 4u) << "and keeps what it has when the file is replaced";
  EXPECT_EQ(error_of([&] { reader.set_manifest("a", "b"); }).fault, Fault::argument);
  EXPECT_EQ(error_of([&] { reader.settle(); }).fault, Fault::argument);
}

TEST(Collection, ReadsFromAFolderThatCannotBeWritten) {
  const ScratchFolder scratch;
  fill(scratch / "a", 50, 50);
  ASSERT_EQ(::chmod(scratch.path().c_str(), 0755), 0);
  ASSERT_EQ(::chmod((scratch / "a" / "rows.sqlite").c_str(), 0444), 0);
  ASSERT_EQ(::chmod((scratch / "a").c_str(), 0555), 0);
  const pid_t child = ::fork();
  if (child == 0) {  // root may write anywhere, so the child becomes somebody else
    if (::geteuid() == 0 && ::setuid(65534) != 0) ::_exit(3);
    try {
      const Collection c = Collection::open(scratch / "a", true);
      const bool good = c.rows() == 50 && c.find_words("row7", 5) == std::vector<Index>{7};
      ::_exit(good ? 0 : 1);
    } catch (const std::exception& e) {
      std::fprintf(stderr, "child: %s\n", e.what());
      ::_exit(2);
    }
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ::chmod((scratch / "a").c_str(), 0755);
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(Collection, KilledInsideACommitItIsRepairedByTheNextWriterOnly) {
  const ScratchFolder scratch;
  const fs::path folder = scratch / "a", journal = folder / "rows.sqlite-journal";
  fill(folder, 500, 500);
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {  // a cache of one page makes SQLite write into the file before the commit
    Database database(folder / "rows.sqlite", Database::Mode::write);
    database.run("PRAGMA cache_size=1; BEGIN; UPDATE rows SET cluster = 3; DELETE FROM rows WHERE id > 9");
    ::kill(::getpid(), SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_TRUE(fs::exists(journal)) << "the kill left nothing to repair";
  const Error e = error_of([&] { Collection::open(folder, true).rows(); });
  EXPECT_EQ(e.fault, Fault::file);
  EXPECT_NE(std::string(e.what()).find("interrupted in the middle of a change"), std::string::npos)
      << e.what();
  EXPECT_TRUE(fs::exists(journal)) << "reading never writes";
  { EXPECT_EQ(Collection::open(folder, false).rows(), 500u); }
  EXPECT_FALSE(fs::exists(journal));
  EXPECT_EQ(Collection::open(folder, true).labels().of[499], 499 % 7);
}

TEST(Collection, WhatIsNoCollectionIsRefused) {
  const ScratchFolder scratch;
  const auto fault_of_opening = [&](const fs::path& folder) {
    const Fault writing = error_of([&] { Collection::open(folder, false); }).fault;
    EXPECT_EQ(error_of([&] { Collection::open(folder, true); }).fault, writing);
    return writing;
  };
  EXPECT_EQ(fault_of_opening(scratch / "absent"), Fault::file);
  fs::create_directory(scratch / "empty");
  EXPECT_EQ(fault_of_opening(scratch / "empty"), Fault::format);
  const auto with_file = [&](const std::string& name, const std::string& content) {
    fs::create_directory(scratch / name);
    write_file(scratch / name / "rows.sqlite", content);
    return fault_of_opening(scratch / name);
  };
  EXPECT_EQ(with_file("zero", ""), Fault::format);
  EXPECT_EQ(with_file("junk", std::string(5000, 'j')), Fault::format);
  fs::create_directory(scratch / "foreign");
  Database(scratch / "foreign" / "rows.sqlite", Database::Mode::create).run("CREATE TABLE rows(id)");
  EXPECT_EQ(fault_of_opening(scratch / "foreign"), Fault::format);
  for (const char* name : {"zero", "junk", "foreign"})
    EXPECT_FALSE(Collection::exists(scratch / name)) << name;

  fill(scratch / "good", 50, 50);
  EXPECT_EQ(error_of([&] { Collection::create(scratch / "good"); }).fault, Fault::argument);
  Database(scratch / "good" / "rows.sqlite", Database::Mode::write)
      .run("UPDATE manifest SET value = '3' WHERE key = 'format_version'");
  const Error e = error_of([&] { Collection::open(scratch / "good", true); });
  EXPECT_EQ(e.fault, Fault::format);
  EXPECT_NE(std::string(e.what()).find("update shoal"), std::string::npos) << e.what();

  write_file(scratch / "file", "x");
  EXPECT_EQ(error_of([&] { Collection::create(scratch / "file"); }).fault, Fault::argument);
  EXPECT_EQ(fault_of_opening(scratch / "file"), Fault::format);
  EXPECT_EQ(error_of([&] { Collection::create(scratch / "no" / "parent"); }).fault, Fault::file);
}

TEST(Collection, ADatabaseThatIsLostOrCutIsDamage) {
  const ScratchFolder scratch;
  const fs::path folder = scratch / "a.shoal", database = folder / "rows.sqlite";
  fill(folder, 400, 400);
  write_file(folder / "vectors.safetensors", "x");
  const std::string good = database_bytes(folder);
  const auto expect_damage = [&](const std::string& what) {
    EXPECT_TRUE(Collection::exists(folder)) << what;
    for (const bool read_only : {true, false}) {
      const Error e = error_of([&] { Collection::open(folder, read_only); });
      EXPECT_EQ(e.fault, Fault::format);
      const std::string begin = folder.string() + " is damaged: rows.sqlite is " + what;
      EXPECT_EQ(std::string(e.what()).substr(0, begin.size()), begin) << e.what();
      EXPECT_NE(std::string(e.what()).find("overwrite"), std::string::npos) << e.what();
    }
    EXPECT_EQ(Collection::open_to_replace(folder).folder(), folder);
  };
  for (const std::size_t size :
       {std::size_t{1}, std::size_t{50}, std::size_t{80}, std::size_t{4096}, good.size() / 2}) {
    write_file(database, good.substr(0, size));
    expect_damage("cut or spoilt");
  }
  write_file(database, std::string(5000, 'j'));
  expect_damage("cut or spoilt");
  write_file(database, "");
  expect_damage("empty");
  fs::remove(database);
  expect_damage("lost");
}

TEST(Collection, AnotherFolderIsNotTakenForADamagedOne) {
  const ScratchFolder scratch;
  const auto expect_foreign = [](const fs::path& folder) {
    EXPECT_FALSE(Collection::exists(folder)) << folder;
    for (const Error& e : {error_of([&] { Collection::open(folder, true); }),
                           error_of([&] { Collection::open_to_replace(folder); })}) {
      EXPECT_EQ(e.fault, Fault::format);
      EXPECT_NE(std::string(e.what()).find("is not a shoal collection"), std::string::npos) << e.what();
    }
    const Error e = error_of([&] { Collection::create(folder); });
    EXPECT_NE(std::string(e.what()).find("exists already and is not"), std::string::npos) << e.what();
  };
  fs::create_directory(scratch / "mine");  // `shoal embed` writes such files anywhere
  write_file(scratch / "mine" / "vectors.safetensors", "x");
  expect_foreign(scratch / "mine");
  write_file(scratch / "mine" / "rows.sqlite", std::string(5000, 'j'));
  expect_foreign(scratch / "mine");
  fs::create_directory(scratch / "notes.shoal");
  write_file(scratch / "notes.shoal" / "letter.txt", "x");
  expect_foreign(scratch / "notes.shoal");
  write_file(scratch / "notes.shoal" / "pca.safetensors", "x");
  Database(scratch / "notes.shoal" / "rows.sqlite", Database::Mode::create).run("CREATE TABLE rows(id)");
  expect_foreign(scratch / "notes.shoal");
}

TEST(Collection, DamageIsAnErrorAndNeverACrash) {
  const ScratchFolder scratch;
  fill(scratch / "good", 400, 400);
  const std::string good = database_bytes(scratch / "good");
  const Random random({11});
  int refused = 0;
  for (Index trial = 0; trial < 60; ++trial) {
    std::string bad = good;
    for (Index hit = 0; hit < 40; ++hit) {
      bad[random.below(trial * 100 + hit, bad.size() - 100) + 100] =
          static_cast<char>(random.bits(trial * 100 + hit));
    }
    if (trial % 3 == 0) bad.resize(random.below(trial, bad.size()));
    write_file(scratch / "good" / "rows.sqlite", bad);
    try {
      Collection c = Collection::open(scratch / "good", false);
      c.texts(0, c.rows());
      c.labels();
      c.points();
      c.clusters();
      c.find_words("refund late", 10);
      c.set_labels(c.labels());
      c.set_manifest("a", "b");
      c.settle();
    } catch (const Error& e) {
      EXPECT_TRUE(e.fault == Fault::format || e.fault == Fault::argument || e.fault == Fault::data ||
                  e.fault == Fault::file)
          << e.what();
      ++refused;
    }
  }
  EXPECT_GT(refused, 30);
}

TEST(Collection, ACutCreationCanBeRepeated) {
  const ScratchFolder scratch;
  fs::create_directory(scratch / "a");
  write_file(scratch / "a" / ".rows.sqlite.part", "half");
  write_file(scratch / "a" / ".rows.sqlite.part-journal", "half");
  EXPECT_FALSE(Collection::exists(scratch / "a"));
  EXPECT_EQ(Collection::create(scratch / "a").rows(), 0u);
}

TEST(Collection, AFullDiskLosesNothingThatWasCommitted) {
  const ScratchFolder scratch;
  ASSERT_NE(std::signal(SIGXFSZ, SIG_IGN), SIG_ERR);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  Index kept = 0;
  {
    Collection c = Collection::create(scratch / "a");
    c.define_columns({"square"});
    const rlimit small{200'000, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    const Error e = error_of([&] {
      for (Index row = 0; row < 100'000; row += 500) {
        append_rows(c, row, row + 500);
        kept = row + 500;
      }
    });
    EXPECT_EQ(e.fault, Fault::file) << e.what();
    EXPECT_GT(kept, 0u);
    EXPECT_EQ(c.rows(), kept) << "the open collection goes on with what was committed";
    EXPECT_EQ(error_of([&] { c.settle(); }).fault, Fault::file);
    ::setrlimit(RLIMIT_FSIZE, &before);
    EXPECT_EQ(c.rows(), kept);
  }
  Collection c = Collection::open(scratch / "a", false);
  EXPECT_EQ(c.rows(), kept);
  EXPECT_EQ(c.manifest("position"), std::to_string(kept));
  EXPECT_EQ(c.text(kept - 1), text_of_row(kept - 1));
  append_rows(c, kept, kept + 500);
  c.settle();
  EXPECT_EQ(c.rows(), kept + 500);
}

}  // namespace
}  // namespace shoal
