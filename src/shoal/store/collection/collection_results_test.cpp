#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <limits>

#include "shoal/core/error.h"
#include "shoal/store/archive/archive.h"
#include "shoal/store/collection/collection.h"
#include "shoal/store/collection/database_impl.h"
#include "tests/error_of.h"
#include "tests/scratch_folder.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

/// Six rows with two clusters in one group, and places.
void make_small(const fs::path& folder) {
  Collection c = Collection::create(folder);
  c.define_columns({"score", "b"});
  Texts texts, column;
  for (const char* text : {"zero", "one", "two", "three", "four", "five"}) {
    texts.add(text);
    column.add(text);
  }
  c.append(texts, {column, column}, {});
  c.set_labels({.of = {0, 1, 0, 1, 0, kNoise}, .count = 2});
  Matrix xy(6, 2);
  xy[3][1] = 0.25f;
  c.set_points(xy.view());
  c.set_clusters(
      {{.id = 0, .name = "even", .size = 3, .medoids = {2, 0}}, {.id = 1, .name = "odd", .size = 2}},
      {{.id = 0, .name = "all", .size = 5}});
  c.settle();
}

Matrix numbers(Index rows, Index cols, float first) {
  Matrix out(rows, cols);
  for (Index i = 0; i < rows * cols; ++i) out.data()[i] = first + static_cast<float>(i) / 4;
  return out;
}

void put(Collection& c, const Result& as, const Matrix& values) { c.set_values(as, values.view()); }

const Result kScore{.name = "score", .kind = ResultKind::score, .stage = "anomalies", .options = "{\"k\":5}"};
const Result kTopics{
    .name = "topics", .kind = ResultKind::probability, .stage = "classes", .parts = {"spam", "b"}};

void add_score(Collection& c) { put(c, kScore, numbers(6, 1, -1)); }
void add_topics(Collection& c) { put(c, kTopics, numbers(6, 2, 0)); }
void add_fine(Collection& c) {
  c.set_labels({.of = {0, 1, 2, 2, 2, 2}, .count = 3}, {.name = "fine", .stage = "cluster"});
  c.set_clusters({{.id = 0, .name = "f0", .size = 1},
                  {.id = 1, .name = "f1", .size = 1, .group = 1},
                  {.id = 2, .name = "f2", .size = 4, .group = 1}},
                 {{.id = 0, .name = "g0", .size = 1}, {.id = 1, .name = "g1", .size = 5}}, "fine");
}

TEST(Results, StandSideBySideUnderTheirNames) {
  const ScratchFolder scratch;
  make_small(scratch / "a");
  Collection c = Collection::open(scratch / "a", false);
  add_score(c);
  add_topics(c);
  add_fine(c);
  const Matrix tsne = numbers(6, 2, 7);
  c.set_points(tsne.view(), {.name = "tsne", .stage = "layout"});
  c.settle();
  const Collection r = Collection::open(scratch / "a", true);
  std::vector<std::string> names;
  for (const Result& result : r.results()) names.push_back(result.name);
  EXPECT_EQ(names, (std::vector<std::string>{"cluster", "fine", "map", "score", "topics", "tsne"}));
  EXPECT_EQ(r.result("score"), kScore);
  EXPECT_EQ(r.result("topics"), kTopics);
  EXPECT_EQ(r.result("fine")->n_clusters, 3u);
  EXPECT_EQ(r.result("none"), std::nullopt);
  EXPECT_EQ(r.values("score"), numbers(6, 1, -1));
  EXPECT_EQ(r.values("topics"), numbers(6, 2, 0));
  EXPECT_EQ(r.points("tsne"), numbers(6, 2, 7));
  const Matrix points = r.points();
  EXPECT_EQ(points[3][1], 0.25f) << "the main one is as it was";
  EXPECT_EQ(r.labels().count, 2u);
  EXPECT_EQ(r.labels("fine").of[5], 2);
  EXPECT_EQ(r.clusters("fine")[2].name, "f2");
  EXPECT_EQ(r.groups("fine").size(), 2u);
  EXPECT_EQ(r.clusters()[1].name, "odd");
  // Readable by any SQLite client; a name that a user column has gets another.
  Database database(scratch / "a" / "rows.sqlite", Database::Mode::read);
  Statement row(database,
                "SELECT text, cluster, x, fine, score, \"score (2)\", \"topics b\" FROM rows WHERE id = 3");
  ASSERT_TRUE(row.step());
  EXPECT_EQ(row.text(0), "three");
  EXPECT_EQ(row.integer(1), 1);
  EXPECT_EQ(row.integer(3), 2);
  EXPECT_EQ(row.text(4), "three");
  EXPECT_EQ(row.real(5), -0.25);
  EXPECT_EQ(row.real(6), 1.75);
}

TEST(Results, BytesDoNotDependOnTheOrderInWhichTheyCame) {
  const ScratchFolder scratch;
  for (const char* name : {"a", "b"}) make_small(scratch / name);
  {
    Collection a = Collection::open(scratch / "a", false);
    add_score(a), add_fine(a), add_topics(a);
    a.settle();
    Collection b = Collection::open(scratch / "b", false);
    put(b, {.name = "passing", .kind = ResultKind::score}, numbers(6, 1, 0));
    put(b, {.name = "score", .kind = ResultKind::places, .parts = {"u", "v", "w"}}, numbers(6, 3, 0));
    add_topics(b), add_fine(b), add_score(b);
    b.drop_result("passing");
    b.drop_result("absent");
    b.settle();
  }
  const auto bytes = [&](const char* name) { return read_file(scratch / name / "rows.sqlite", 1 << 28); };
  EXPECT_EQ(bytes("a"), bytes("b"));
}

TEST(Results, AreDroppedWithTheirClusters) {
  const ScratchFolder scratch;
  make_small(scratch / "a");
  Collection c = Collection::open(scratch / "a", false);
  add_fine(c);
  c.drop_result("fine");
  EXPECT_EQ(error_of([&] { c.labels("fine"); }).fault, Fault::argument);
  EXPECT_TRUE(c.clusters("fine").empty());
  EXPECT_EQ(c.clusters().size(), 2u);
  c.drop_result(kMainClustering);
  EXPECT_EQ(error_of([&] { c.labels(); }).fault, Fault::data);
  EXPECT_TRUE(c.clusters().empty());
  c.drop_result(kMainLayout);
  EXPECT_EQ(error_of([&] { c.points(); }).fault, Fault::data);
  add_score(c);
  c.append(
      [] {
        Texts t;
        t.add("new");
        return t;
      }(),
      {[] {
         Texts t;
         t.add("");
         return t;
       }(),
       [] {
         Texts t;
         t.add("");
         return t;
       }()},
      {});
  EXPECT_EQ(error_of([&] { c.values("score"); }).fault, Fault::data) << "the new row has none";
}

TEST(Results, WhatDoesNotFitIsRefused) {
  const ScratchFolder scratch;
  make_small(scratch / "a");
  Collection c = Collection::open(scratch / "a", false);
  add_score(c);
  const auto refused = [&](const auto& call, Fault fault = Fault::argument) {
    EXPECT_EQ(error_of(call).fault, fault);
  };
  refused([&] { c.labels("score"); });
  refused([&] { c.values("cluster"); });
  refused([&] { c.points("score"); });
  refused([&] { c.values("absent"); });
  refused([&] { put(c, {.name = "s", .kind = ResultKind::score}, numbers(5, 1, 0)); });
  refused([&] { put(c, {.name = "s", .kind = ResultKind::score}, numbers(6, 2, 0)); });
  refused([&] { put(c, {.name = "s"}, numbers(6, 1, 0)); });
  refused([&] { put(c, {.name = "", .kind = ResultKind::score}, numbers(6, 1, 0)); });
  refused([&] { put(c, {.name = "cluster", .kind = ResultKind::score}, numbers(6, 1, 0)); });
  refused([&] { put(c, {.name = "map", .kind = ResultKind::score}, numbers(6, 1, 0)); });
  refused([&] { put(c, {.name = "s", .kind = ResultKind::score, .options = "{"}, numbers(6, 1, 0)); });
  refused(
      [&] {
        put(c, {.name = "s", .kind = ResultKind::score},
            numbers(6, 1, std::numeric_limits<float>::infinity()));
      },
      Fault::data);
  refused([&] { c.set_labels({.of = {0, 0, 0, 0, 0, 0}, .count = 7}); });
  refused([&] { c.set_clusters({}, {}, "score"); });
  refused([&] { c.set_clusters({{.id = 0, .size = 6}}, {{.id = 0, .size = 6}}); });
  refused([&] { c.set_clusters({{.id = 0, .size = 6}, {.id = 1, .size = 1}}, {{.id = 0, .size = 7}}); });
  refused([&] { c.set_clusters({{.id = 0, .size = 3, .group = 1}, {.id = 1}}, {{.id = 0, .size = 3}}); });
  refused([&] { c.set_clusters({{.id = 0, .medoids = {6}}, {.id = 1}}, {{.id = 0}}); });
  EXPECT_EQ(c.clusters()[0].name, "even");
  EXPECT_EQ(c.values("score"), numbers(6, 1, -1)) << "refusals change nothing";
}

TEST(Results, ThatWereSpoiltAreDamageWhoeverReads) {
  const ScratchFolder scratch;
  make_small(scratch / "good");
  for (const char* sql :
       {"UPDATE clusters SET group_id = 99999999",
        "UPDATE clusters SET group_id = -5",
        "DELETE FROM groups",
        "UPDATE clusters SET group_id = 4294967296",
        "DELETE FROM clusters WHERE id = 0",
        "DELETE FROM clusters",
        "UPDATE clusters SET id = 7 WHERE id = 1",
        "UPDATE clusters SET size = -1",
        "UPDATE clusters SET size = 99",
        "UPDATE clusters SET medoids = '[6]'",
        "UPDATE clusters SET medoids = '[-1]'",
        "UPDATE clusters SET words = 'x'",
        "UPDATE groups SET size = 4",
        "UPDATE groups SET id = 3",
        "INSERT INTO groups VALUES('cluster', 1, 'more', 0); UPDATE groups SET size = 1000000000000",
        "UPDATE rows SET cluster = 2 WHERE id = 4",
        "UPDATE rows SET cluster = -2",
        "DELETE FROM rows WHERE id = 2",
        "UPDATE rows SET x = 9e999",
        "UPDATE results SET n_clusters = 1000000000000000",
        "UPDATE results SET kind = ''",
        "UPDATE results SET parts = '[]'",
        "UPDATE results SET stored_as = '[\"absent\"]'",
        "UPDATE results SET n_clusters = -1"}) {
    fs::remove_all(scratch / "bad");
    fs::copy(scratch / "good", scratch / "bad");
    Database(scratch / "bad" / "rows.sqlite", Database::Mode::write).run(sql);
    const Collection c = Collection::open(scratch / "bad", true);
    const Error e = error_of([&] {
      c.clusters();
      c.groups();
      c.labels();
      c.points();
    });
    EXPECT_EQ(e.fault, Fault::format) << sql;
    EXPECT_NE(std::string(e.what()).find("is damaged: "), std::string::npos) << e.what();
    EXPECT_EQ(error_of([&] { c.check(); }).fault, Fault::format) << sql;
  }
}

TEST(Results, AnyChangeOfASettledDatabaseIsFound) {
  const ScratchFolder scratch;
  const fs::path folder = scratch / "a";
  make_small(folder);
  EXPECT_TRUE(Collection::open(folder, true).check());
  const std::string sum = read_file(folder / "rows.sqlite.sha256", 1000);
  EXPECT_EQ(sum, sha256_file(folder / "rows.sqlite") + "  rows.sqlite\n") << "as sha256sum -c wants it";
  {
    Collection c = Collection::open(folder, false);
    c.settle();
    EXPECT_TRUE(c.check());
    c.set_manifest("a", "b");
    EXPECT_FALSE(c.check()) << "it is in work";
    EXPECT_FALSE(fs::exists(folder / "rows.sqlite.sha256"));
    c.drop_result("absent");
    c.settle();
    EXPECT_TRUE(c.check());
  }
  const std::string good = read_file(folder / "rows.sqlite", 1 << 28);
  for (const char* sql :
       {"UPDATE rows SET cluster = 1 - cluster WHERE cluster >= 0", "UPDATE columns SET name = 'c'",
        "UPDATE clusters SET name = 'c'", "UPDATE manifest SET value = 'c' WHERE key = 'a'",
        "INSERT INTO texts(texts) VALUES('delete-all')", "UPDATE rows SET text = 'c' WHERE id = 0"}) {
    write_file(folder / "rows.sqlite", good);
    Database(folder / "rows.sqlite", Database::Mode::write).run(sql);
    EXPECT_EQ(error_of([&] { Collection::open(folder, true).check(); }).fault, Fault::format) << sql;
  }
  write_file(folder / "rows.sqlite", good);
  EXPECT_TRUE(Collection::open(folder, true).check());
  const std::string line = read_file(folder / "rows.sqlite.sha256", 1000);
  for (const std::string& spoilt : {std::string(), line.substr(0, 64), line + line}) {
    write_file(folder / "rows.sqlite.sha256", spoilt);
    EXPECT_EQ(error_of([&] { Collection::open(folder, true).check(); }).fault, Fault::format) << spoilt;
  }
  fs::remove(folder / "rows.sqlite.sha256");
  EXPECT_FALSE(Collection::open(folder, true).check());
  Collection::open(folder, false).settle();
  EXPECT_EQ(read_file(folder / "rows.sqlite", 1 << 28), good);
  EXPECT_EQ(read_file(folder / "rows.sqlite.sha256", 1000),
            sha256_file(folder / "rows.sqlite") + "  rows.sqlite\n");
}

const fs::path kOld = fs::path(SHOAL_SOURCE) / "tests/golden/collection_v1";

void expect_as_old(const Collection& c) {
  EXPECT_EQ(c.rows(), 24u);
  EXPECT_EQ(c.columns(), (std::vector<std::string>{"number", "letter"}));
  const Texts letter = c.column("letter", 22, 1);
  EXPECT_EQ(letter[0], "b");
  EXPECT_EQ(c.labels().count, 4u);
  const auto clusters = c.clusters();
  ASSERT_EQ(clusters.size(), 4u);
  EXPECT_EQ(clusters[2].name, "library");
  EXPECT_EQ(clusters[2].size, 8u);
  EXPECT_EQ(label_sizes(c.labels())[2], 8u);
  EXPECT_EQ(c.groups()[0].size, 9u);
  EXPECT_EQ(c.points().rows(), 24u);
  ASSERT_EQ(c.results().size(), 2u);
  EXPECT_EQ(c.result("cluster")->n_clusters, 4u);
  EXPECT_EQ(c.result("map")->parts, (std::vector<std::string>{"x", "y"}));
  EXPECT_FALSE(c.find_words("library", 9).empty());
}

TEST(VersionOne, IsReadAsItIsAndMigratedByTheFirstWriter) {
  const ScratchFolder scratch;
  const fs::path folder = scratch / "old";
  fs::copy(kOld, folder);
  const std::string before = read_file(folder / "rows.sqlite", 1 << 28);
  {
    const Collection c = Collection::open(folder, true);
    expect_as_old(c);
    EXPECT_EQ(c.manifest("format_version"), "1");
    EXPECT_FALSE(c.check());
  }
  EXPECT_EQ(read_file(folder / "rows.sqlite", 1 << 28), before) << "reading never writes";
  const Matrix points = Collection::open(folder, true).points();
  {
    Collection c = Collection::open(folder, false);
    expect_as_old(c);
    EXPECT_EQ(c.points(), points);
    EXPECT_EQ(c.manifest("format_version"), "2");
    EXPECT_EQ(c.manifest("label_count"), std::nullopt);
    put(c, {.name = "score", .kind = ResultKind::score}, numbers(24, 1, 0));
    c.drop_result("score");
    c.settle();
  }
  const Collection c = Collection::open(folder, true);
  expect_as_old(c);
  EXPECT_TRUE(c.check());
}

TEST(VersionOne, OneThatWasNotFinishedIsMigratedToo) {
  const ScratchFolder scratch;
  fs::copy(kOld, scratch / "old");
  Database(scratch / "old" / "rows.sqlite", Database::Mode::write)
      .run(
          "DELETE FROM manifest WHERE key = 'label_count'; UPDATE rows SET cluster = NULL, x = NULL, y = "
          "NULL;"
          "DELETE FROM clusters; DELETE FROM groups");
  for (const bool read_only : {true, false}) {
    const Collection c = Collection::open(scratch / "old", read_only);
    EXPECT_TRUE(c.results().empty());
    EXPECT_TRUE(c.clusters().empty());
    EXPECT_EQ(error_of([&] { c.labels(); }).fault, Fault::data);
    EXPECT_EQ(error_of([&] { c.points(); }).fault, Fault::data);
  }
}

TEST(VersionOne, AKilledMigrationLeavesEither) {
  const ScratchFolder scratch;
  const fs::path folder = scratch / "old";
  fs::copy(kOld, folder);
  int old = 0, migrated = 0;
  // From at once to 5 s, so that some are killed before and some after, however busy the machine is.
  for (double wait = 100; wait < 5e6 && migrated < 3; wait *= 1.3) {
    fs::remove_all(folder);
    fs::copy(kOld, folder);
    const pid_t child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      Collection::open(folder, false);
      ::kill(::getpid(), SIGKILL);
    }
    ::usleep(static_cast<useconds_t>(wait));
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    // A journal that is left is rolled back by whoever may write.
    const auto version = Database(folder / "rows.sqlite", Database::Mode::write)
                             .number("SELECT value FROM manifest WHERE key = 'format_version'");
    (version == 1 ? old : migrated) += 1;
    expect_as_old(Collection::open(folder, true));
    expect_as_old(Collection::open(folder, false));
  }
  EXPECT_GT(old, 0);
  EXPECT_GT(migrated, 0);
}

}  // namespace
}  // namespace shoal
