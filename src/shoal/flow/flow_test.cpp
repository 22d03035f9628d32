#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "shoal/core/error.h"
#include "shoal/flow/export.h"
#include "shoal/flow/fingerprint.h"
#include "shoal/flow/ingest.h"
#include "shoal/flow/map.h"
#include "shoal/flow/models.h"
#include "shoal/flow/search.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

/// An empty folder that goes when the test ends.
class Folder {
 public:
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "shoal-flow-XXXXXX").string();
    path = mkdtemp(pattern.data());
  }
  ~Folder() { fs::remove_all(path); }
  fs::path path;
};

Texts texts_of(std::initializer_list<const char*> list) {
  Texts out;
  for (const char* text : list) out.add(text);
  return out;
}

std::string print_of(const Texts& texts) {
  Fingerprint print;
  for (Index i = 0; i < texts.size(); ++i) print.add(texts, {}, i);
  return print.text();
}

TEST(Fingerprint, TellsRowsApartAndGoesOn) {
  EXPECT_EQ(print_of(texts_of({"a", "b"})), print_of(texts_of({"a", "b"})));
  EXPECT_NE(print_of(texts_of({"a", "b"})), print_of(texts_of({"b", "a"})));
  EXPECT_NE(print_of(texts_of({"ab", ""})), print_of(texts_of({"a", "b"})));
  EXPECT_NE(print_of(texts_of({""})), print_of(texts_of({"", ""})));
  EXPECT_NE(print_of(texts_of({"12345678"})), print_of(texts_of({"12345679"})));
  Fingerprint first;
  const Texts texts = texts_of({"one", "two"});
  first.add(texts, {}, 0);
  Fingerprint resumed(first.text());
  resumed.add(texts, {}, 1);
  EXPECT_EQ(resumed.text(), print_of(texts));
  EXPECT_THROW(Fingerprint("not hex"), Error);
}

TEST(StepKey, DependsOnAllThatItIsGiven) {
  const std::vector<Field> a{{"n", std::int64_t{3}}}, b{{"n", std::int64_t{4}}}, c{{"n", 3.0}, {"m", true}};
  EXPECT_EQ(step_key("x", "pca", a), step_key("x", "pca", a));
  for (const auto& other :
       {step_key("y", "pca", a), step_key("x", "umap", a), step_key("x", "pca", b), step_key("x", "pca", c)})
    EXPECT_NE(step_key("x", "pca", a), other);
}

void write(const fs::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

std::string ingest_file(const fs::path& file, Collection& collection) {
  Source source({file}, {});
  return ingest(source, collection, {});
}

TEST(Ingest, KeepsRowsGoesOnAndRefusesAnotherInput) {
  Folder folder;
  write(folder.path / "t.csv", "text,k\nfirst,1\n\"sec,ond\",2\n");
  {
    Collection collection = Collection::create(folder.path / "c.shoal");
    const std::string print = ingest_file(folder.path / "t.csv", collection);
    EXPECT_EQ(collection.rows(), 2u);
    EXPECT_EQ(collection.text(1), "sec,ond");
    EXPECT_EQ(collection.columns(), std::vector<std::string>{"k"});
    EXPECT_EQ(ingest_file(folder.path / "t.csv", collection), print) << "read again, the same";
    EXPECT_EQ(collection.rows(), 2u);
  }
  Collection collection = Collection::open(folder.path / "c.shoal", false);
  write(folder.path / "longer.csv", "text,k\nfirst,1\n\"sec,ond\",2\nthird,3\n");
  ingest_file(folder.path / "longer.csv", collection);
  EXPECT_EQ(collection.rows(), 3u) << "an input that goes on where the kept rows end is gone on with";
  for (const char* changed :
       {"text,k\nfirst,1\n", "text,k\nfirst,1\nother,2\nthird,3\n", "text,j\nfirst,1\n"}) {
    write(folder.path / "changed.csv", changed);
    try {
      ingest_file(folder.path / "changed.csv", collection);
      ADD_FAILURE() << changed << " was taken";
    } catch (const Error& e) {
      EXPECT_EQ(e.fault, Fault::argument);
      EXPECT_NE(std::string(e.what()).find("--overwrite"), std::string::npos);
    }
    EXPECT_EQ(collection.rows(), 3u);
  }
}

TEST(Export, QuotesAndLeavesEmptyWhatIsNotKnown) {
  Folder folder;
  Collection collection = Collection::create(folder.path / "c.shoal");
  collection.define_columns({"a,b"});
  collection.append(texts_of({"plain", "with \"quotes\", and\nlines"}), {texts_of({"1", ""})}, {});
  std::string csv, jsonl;
  export_rows(collection, ExportFormat::csv, [&](std::string_view piece) { csv += piece; }, {});
  EXPECT_EQ(csv,
            "row,text,\"a,b\",cluster,cluster_name,group_name,x,y\n"
            "0,plain,1,,,,,\n"
            "1,\"with \"\"quotes\"\", and\nlines\",,,,,,\n");
  export_rows(collection, ExportFormat::jsonl, [&](std::string_view piece) { jsonl += piece; }, {});
  EXPECT_EQ(
      jsonl.substr(0, jsonl.find('\n')),
      R"({"row":0,"text":"plain","a,b":"1","cluster":null,"cluster_name":null,"group_name":null,"x":null,"y":null})");

  Labels labels{.of = {0, 0}, .count = 1};
  Matrix points(2, 2);
  points[1][0] = 0.1f;
  collection.set_labels(labels);
  collection.set_clusters({{.id = 0, .name = "words", .size = 2}}, {{.id = 0, .name = "all", .size = 2}});
  collection.set_points(points.view());
  csv.clear();
  export_rows(collection, ExportFormat::csv, [&](std::string_view piece) { csv += piece; }, {});
  EXPECT_NE(csv.find("0,plain,1,0,words,all,0,0\n"), std::string::npos) << csv;
  EXPECT_NE(csv.find(",,0,words,all,0.1,0\n"), std::string::npos) << csv;
}

TEST(Models, AreFoundByPathFirstAndThenByName) {
  Folder folder;
  fs::create_directories(folder.path / "models/mine");
  EXPECT_EQ(find_model("mine", folder.path / "models"), folder.path / "models/mine");
  EXPECT_EQ(find_model(folder.path.string(), folder.path / "models"), folder.path);
  for (const char* wrong : {"other", "", "..", "."}) {
    if (fs::is_directory(wrong)) continue;  // a path that exists is taken at its word
    try {
      find_model(wrong, folder.path / "models");
      ADD_FAILURE() << wrong;
    } catch (const Error& e) {
      EXPECT_EQ(e.fault, Fault::file);
      EXPECT_NE(std::string(e.what()).find("mine"), std::string::npos) << "the message lists what there is";
    }
  }
  const auto listed = list_models(folder.path / "models");
  ASSERT_EQ(listed.size(), 1u);
  EXPECT_FALSE(listed[0].problem.empty()) << "an empty folder is listed with what is wrong";
  EXPECT_THROW(add_model(folder.path / "models/mine", "copy", folder.path / "models"), Error);
  EXPECT_FALSE(fs::exists(folder.path / "models/copy"));
}

TEST(Map, AModelInARenamedFolderIsTheSameModel) {
  Folder folder;
  const fs::path golden = fs::path(SHOAL_SOURCE) / "tests/golden/encoder";
  fs::copy(golden / "bert_old", folder.path / "old", fs::copy_options::recursive);
  std::string lines;
  for (int i = 0; i < 40; ++i) lines += "a text with the number " + std::to_string(i * i) + "\n";
  write(folder.path / "texts.txt", lines);
  MapOptions options{
      .inputs = {folder.path / "texts.txt"}, .out = folder.path / "m.shoal", .model = folder.path / "old"};
  EXPECT_TRUE(map(options, {}).done_before.empty());

  fs::rename(folder.path / "old", folder.path / "new");
  options.model = folder.path / "new";
  EXPECT_EQ(map(options, {}).done_before.size(), 6u);
  const Collection collection = Collection::open(options.out, false);
  EXPECT_EQ(search(collection, Encoder::load(options.model), "a number", {}, {}).size(), 10u);

  options.model = golden / "bert_bare";
  EXPECT_THROW(map(options, {}), Error);
  EXPECT_THROW(search(collection, Encoder::load(options.model), "a number", {}, {}), Error);
}

}  // namespace
}  // namespace shoal
