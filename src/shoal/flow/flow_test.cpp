#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "shoal/cluster/linkage/group_centers.h"
#include "shoal/core/error.h"
#include "shoal/flow/fingerprint.h"
#include "shoal/flow/mapping/make_map.h"
#include "shoal/flow/mapping/map_options_impl.h"
#include "shoal/flow/mapping/map_steps_impl.h"
#include "shoal/flow/mapping/replace_impl.h"
#include "shoal/flow/mapping/show.h"
#include "shoal/flow/names/name_clusters.h"
#include "shoal/flow/search/search.h"
#include "shoal/flow/tables/export.h"
#include "shoal/flow/texts/embed.h"
#include "shoal/flow/texts/ingest.h"
#include "shoal/flow/texts/models.h"
#include "shoal/store/archive/archive.h"
#include "tests/error_of.h"
#include "tests/scratch_folder.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

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
}

TEST(StepKey, DependsOnAllThatItIsGiven) {
  const std::vector<Field> a{{"n", std::int64_t{3}}}, b{{"n", std::int64_t{4}}}, c{{"n", 3.0}, {"m", true}};
  EXPECT_EQ(step_key("x", "pca", a), step_key("x", "pca", a));
  for (const auto& other :
       {step_key("y", "pca", a), step_key("x", "umap", a), step_key("x", "pca", b), step_key("x", "pca", c)})
    EXPECT_NE(step_key("x", "pca", a), other);
  const std::string all = "shoal " SHOAL_VERSION "\nx\npca\n";
  EXPECT_EQ(step_key("x", "pca", {}), sha256(std::as_bytes(std::span(all.data(), all.size()))).substr(0, 16))
      << "another version's results are not this one's";
}

TEST(StepKey, VectorsOfEarlierVersionsAreKept) {
  auto options = list_fields(EncodeOptions{});
  options.push_back({"model", std::string("m")});
  EXPECT_EQ(step_key("0123456789abcdef", "embed", options, "0.1.0"), "5260c3451d025172")
      << "as shoal 0.1.0 has it";
  for (const Step& step : map_steps(nullptr, true))
    EXPECT_EQ(step.version, step.name == "embed" ? "0.1.0" : SHOAL_VERSION);
}

TEST(StoredOptions, ComeBackAsTheyWere) {
  const ScratchFolder folder;
  Collection collection = Collection::create(folder / "c.shoal");
  collection.set_manifest("model_name", "mine");
  EXPECT_EQ(stored_options(collection).model_name, "mine") << "a collection without";
  MapOptions o{.model = "somewhere/model", .title = "T \"q\"", .color = "kind"};
  o.clusters = {.method = *method_named("hdbscan"),
                .n_clusters = 7,
                .choose = true,
                .criterion = Criterion::elbow,
                .range = ClusterRange{3, 9},
                .resamples = 4};
  o.clusters.method.set("cluster_selection_epsilon", "0.1");
  o.clusters.method.set("cluster_selection_method", "leaf");
  o.encode = {.long_texts = LongTexts::chunk, .overlap = 5, .max_tokens = 64, .prompt = "query"};
  o.pca = {.variance = 0.7, .n_components = 3};
  o.umap = {.n_neighbors = 9, .metric = Metric::euclidean, .min_dist = 0.3f, .n_epochs = 11};
  o.seed.value = 0xFFFFFFFFFFFFFFFFu;
  collection.set_manifest("options", options_text(o));
  const MapOptions back = stored_options(collection);
  EXPECT_EQ(back.model_name, (fs::current_path() / "somewhere/model").string());
  EXPECT_EQ(options_text(back), options_text(o));
  EXPECT_EQ(back.seed, o.seed);
  EXPECT_EQ(back.encode.long_texts, LongTexts::chunk);
  EXPECT_EQ(back.umap.metric, Metric::euclidean);
  EXPECT_EQ(back.umap.min_dist, 0.3f);
  EXPECT_EQ(back.clusters.n_clusters, 7u);
  EXPECT_EQ(back.clusters.range, (ClusterRange{3, 9}));
  const auto& method = std::get<HdbscanOptions>(back.clusters.method.of);
  EXPECT_EQ(method.cluster_selection_epsilon, 0.1);
  EXPECT_EQ(method.cluster_selection_method, ClusterSelection::leaf);
  EXPECT_FALSE(method.min_samples);
  std::string older = options_text(o);  // before UMAP kept densities
  for (const char* added : {"dens_frac", "dens_lambda", "dens_var_shift"}) {
    const auto at = older.find(std::string("\"umap.") + added);
    ASSERT_NE(at, std::string::npos);
    older.erase(at, older.find(',', at) + 1 - at);
  }
  collection.set_manifest("options", older);
  EXPECT_EQ(options_text(stored_options(collection)), options_text(o));
  collection.set_manifest("options", options_text({.model = "m"}));
  EXPECT_EQ(stored_options(collection).clusters.n_clusters, std::nullopt);
  auto old = nlohmann::json::parse(options_text({.model = "m"}));
  old.erase("clustering");
  old["n_clusters"] = 12;
  collection.set_manifest("options", old.dump());  // as it was written when there was one method
  EXPECT_EQ(stored_options(collection).clusters.method.kind(), "spherical_kmeans");
  EXPECT_EQ(stored_options(collection).clusters.n_clusters, 12u);
  old["clustering"] = {{"method", "none such"}};
  const std::string odd = old.dump();
  for (const char* damaged : {"", "{", "[]", "{}", "{\"model\": 3}", odd.c_str()}) {
    collection.set_manifest("options", damaged);
    EXPECT_EQ(fault_of([&] { stored_options(collection); }), Fault::format) << damaged;
  }
}

TEST(Show, NamesACollectionByItsFolder) {
  for (const char* path :
       {"a/rev.iews.shoal", "a/rev.iews.shoal/", "/a/b/../rev.iews.shoal/.", "rev.iews.shoal//"})
    EXPECT_EQ(name_of_collection(path), "rev.iews") << path;
}

std::vector<std::string> names_in(const fs::path& folder) {
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator(folder)) out.push_back(entry.path().filename());
  std::ranges::sort(out);
  return out;
}

TEST(Replace, KeepsWhatIsNotShoals) {
  const ScratchFolder folder;
  const fs::path out = folder / "c.shoal";
  Collection::create(out).set_manifest("is", "old");
  for (const char* name : {"notes.txt", "vectors.safetensors", ".map.html.part"})
    std::ofstream(out / name) << name;
  fs::create_directories(out / "pictures/more");
  {
    Collection old = Collection::open_to_replace(out);
    Collection fresh = create_beside(old);
    EXPECT_EQ(fresh.folder(), place_beside(out));
    fresh.set_manifest("is", "fresh");
    EXPECT_EQ(Collection::open(out, true).manifest("is"), "old");
    replace(fresh, std::move(old));
  }
  EXPECT_EQ(Collection::open(out, true).manifest("is"), "fresh");
  EXPECT_EQ(names_in(out), (std::vector<std::string>{"notes.txt", "pictures", "rows.sqlite"}));
  EXPECT_EQ(names_in(folder.path()), std::vector<std::string>{"c.shoal"});
}

TEST(Replace, WhatAKilledOneLeftIsNoObstacle) {
  const ScratchFolder folder;
  const fs::path out = folder / "c.shoal", beside = place_beside(out), aside = folder / ".c.shoal.old";
  // Killed while it built the new one, or after it was in place: with files of the user not yet moved over.
  for (const fs::path& left : {beside, aside}) {
    Collection::create(left).set_manifest("is", "left");
    std::ofstream(left / "notes.txt") << "x";
  }
  Collection::create(out).set_manifest("is", "old");
  {
    Collection old = Collection::open_to_replace(out);
    EXPECT_EQ(create_beside(old).manifest("is"), std::nullopt) << "begun anew";
  }
  EXPECT_EQ(names_in(out), (std::vector<std::string>{"notes.txt", "notes.txt.old", "rows.sqlite"}));
  // Killed between the two renames.
  fs::rename(out, aside);
  mend_replacement(out);
  EXPECT_EQ(Collection::open(out, true).manifest("is"), "old");
  mend_replacement(out);
  EXPECT_EQ(Collection::open(out, true).manifest("is"), "old");
  // Nothing is done to a folder that is not shoal's, whatever its name.
  remove_collection(beside);
  fs::create_directories(beside);
  std::ofstream(beside / "map.html") << "mine";
  Collection old = Collection::open_to_replace(out);
  EXPECT_THROW(create_beside(old), Error);
  EXPECT_EQ(names_in(beside), std::vector<std::string>{"map.html"});
}

TEST(Embed, ADamagedCountIsAnError) {
  const ScratchFolder folder;
  Collection collection = Collection::create(folder / "c.shoal");
  const Encoder encoder = Encoder::load(fs::path(SHOAL_SOURCE) / "tests/golden/encoder/bert_bare");
  for (const char* count : {"", "many", "-1", "1", "99999999999999999999999", "0 ", "0 x", "0 1 2", "0,1"}) {
    collection.set_manifest("vectors", count);
    EXPECT_EQ(fault_of([&] { embed_collection(encoder, {}, collection, {}); }), Fault::format) << count;
  }
}

void write(const fs::path& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
}

TEST(Embed, CountsTheTextsThatAreCutOverAllRuns) {
  const ScratchFolder folder;
  const Encoder encoder = Encoder::load(fs::path(SHOAL_SOURCE) / "tests/golden/encoder/bert_bare");
  const EncodeOptions options{.max_tokens = 5};
  Collection collection = Collection::create(folder / "c.shoal");
  EXPECT_EQ(embedded(collection).cut, 0u);
  collection.append(texts_of({"a no a no a no", "a no a"}), {}, {});
  embed_collection(encoder, options, collection, {});
  EXPECT_EQ(embedded(collection).cut, 1u);
  collection.append(texts_of({"a", "no a no a no a", "a a a a a a a"}), {}, {});
  embed_collection(encoder, options, collection, {});
  EXPECT_EQ(embedded(collection).rows, 5u);
  EXPECT_EQ(embedded(collection).cut, 3u);

  collection.set_manifest("vectors", "5");  // as it was written before the texts were counted
  EXPECT_EQ(embedded(collection).rows, 5u);
  EXPECT_FALSE(embedded(collection).cut) << "not known, which is not none";
}

TEST(Embed, StepsBeginWithTheirWork) {
  const ScratchFolder folder;
  std::ofstream(folder / "t.txt") << "a no a\nno\n";
  std::vector<std::string> steps;
  const shoal::Run run{.progress = [&](std::string_view step, double done, double) {
    if (!steps.empty() && steps.back() == step) return;
    steps.emplace_back(step);
    EXPECT_EQ(done, 0) << step;
  }};
  const Encoder encoder = Encoder::load(fs::path(SHOAL_SOURCE) / "tests/golden/encoder/bert_bare", run);
  Collection collection = Collection::create(folder / "c.shoal");
  Source source({folder / "t.txt"}, {.limit = 1});
  ingest(source, collection, run);
  embed_collection(encoder, {}, collection, run);
  EXPECT_EQ(steps, (std::vector<std::string>{"load model", "read", "embed"}));
}

std::string ingest_file(const fs::path& file, Collection& collection) {
  Source source({file}, {});
  return ingest(source, collection, {});
}

TEST(Ingest, KeepsRowsGoesOnAndRefusesAnotherInput) {
  const ScratchFolder folder;
  write(folder / "t.csv", "text,k\nfirst,1\n\"sec,ond\",2\n");
  {
    Collection collection = Collection::create(folder / "c.shoal");
    const std::string print = ingest_file(folder / "t.csv", collection);
    EXPECT_EQ(collection.rows(), 2u);
    EXPECT_EQ(collection.text(1), "sec,ond");
    EXPECT_EQ(collection.columns(), std::vector<std::string>{"k"});
    EXPECT_EQ(ingest_file(folder / "t.csv", collection), print) << "read again, the same";
    EXPECT_EQ(collection.rows(), 2u);
  }
  Collection collection = Collection::open(folder / "c.shoal", false);
  collection.set_manifest("input", "of two rows");
  ingest_file(folder / "t.csv", collection);
  EXPECT_EQ(collection.manifest("input"), "of two rows");
  write(folder / "longer.csv", "text,k\nfirst,1\n\"sec,ond\",2\nthird,3\n");
  ingest_file(folder / "longer.csv", collection);
  EXPECT_EQ(collection.rows(), 3u) << "an input that goes on where the kept rows end is gone on with";
  EXPECT_EQ(collection.manifest("input"), "") << "and is not the one that the results are of";
  for (const char* changed :
       {"text,k\nfirst,1\n", "text,k\nfirst,1\nother,2\nthird,3\n", "text,j\nfirst,1\n"}) {
    write(folder / "changed.csv", changed);
    try {
      ingest_file(folder / "changed.csv", collection);
      ADD_FAILURE() << changed << " was taken";
    } catch (const Error& e) {
      EXPECT_EQ(e.fault, Fault::argument);
      EXPECT_NE(std::string(e.what()).find("overwrite"), std::string::npos);
    }
    EXPECT_EQ(collection.rows(), 3u);
  }
}

TEST(Map, WhatCannotBeMappedLeavesNothing) {
  const ScratchFolder folder;
  const auto refused = [&](const std::string& csv) -> std::string {
    write(folder / "t.csv", csv);
    try {
      make_map({.inputs = {folder / "t.csv"},
                .out = folder / "m.shoal",
                .model = fs::path(SHOAL_SOURCE) / "tests/golden/encoder/bert_bare"},
               {});
    } catch (const Error& e) {
      EXPECT_EQ(e.fault, Fault::data) << e.what();
      EXPECT_FALSE(fs::exists(folder / "m.shoal")) << e.what();
      return e.what();
    }
    return "mapped";
  };
  EXPECT_NE(
      refused("id,text\n1, \n2,\n3,\"\t\"\n").find("every text is blank; they were taken from \"text\""),
      std::string::npos);
  EXPECT_NE(refused("id,text\n1,a no\n2,a no\n").find("same vector"), std::string::npos);
  EXPECT_NE(refused("id,text\n1,a no\n").find("1 text;"), std::string::npos);
}

TEST(NameClusters, TooManyToJoinAreOneGroup) {
  const ScratchFolder folder;
  Collection collection = Collection::create(folder / "c.shoal");
  for (const Index n : {Index{40}, Index{4001}}) {
    Texts texts;
    Labels labels{.count = n};
    Matrix x(n, 2);
    for (Index i = 0; i < n; ++i) {
      x[i][0] = static_cast<float>(i), x[i][1] = 1;
      labels.of.push_back(static_cast<Label>(i));
      if (i >= collection.rows()) texts.add("text");
    }
    collection.append(texts, {}, {});
    const DescribedClusters found = describe_clusters(&collection, Rows(x), labels, x, {});
    EXPECT_EQ(found.clusters.size(), n);
    EXPECT_EQ(found.groups.size(), n == 40 ? default_groups(40) : 1);
  }
}

TEST(Export, QuotesAndLeavesEmptyWhatIsNotKnown) {
  const ScratchFolder folder;
  Collection collection = Collection::create(folder / "c.shoal");
  collection.define_columns({"a,b"});
  collection.append(texts_of({"plain", "with \"quotes\", and\nlines"}), {texts_of({"1", ""})}, {});
  std::string csv, jsonl;
  EXPECT_FALSE(export_rows(collection, ExportFormat::csv, [&](std::string_view piece) { csv += piece; }, {}));
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
  EXPECT_TRUE(export_rows(collection, ExportFormat::csv, [&](std::string_view piece) { csv += piece; }, {}));
  EXPECT_NE(csv.find("0,plain,1,0,words,all,0,0\n"), std::string::npos) << csv;
  EXPECT_NE(csv.find(",,0,words,all,0.1,0\n"), std::string::npos) << csv;

  // Further results stand behind, in the order asked for; a user's column gives way to them.
  Matrix odd(2, 1), mix(2, 2);
  odd[1][0] = 0.5f, mix[0][1] = 1;
  collection.set_values({.name = "a,b", .kind = ResultKind::score}, odd.view());
  collection.set_values({.name = "mix", .kind = ResultKind::probability, .parts = {"u", "v"}}, mix.view());
  collection.set_labels({.of = {kNoise, 0}, .count = 1}, {.name = "fine"});
  csv.clear(), jsonl.clear();
  EXPECT_TRUE(
      export_rows(collection, ExportFormat::csv, [&](auto piece) { csv += piece; }, {}, {"mix", "a,b"}));
  EXPECT_EQ(csv.substr(0, csv.find('\n')),
            "row,text,\"a,b (2)\",cluster,cluster_name,group_name,x,y,mix_u,mix_v,\"a,b\"");
  EXPECT_NE(csv.find("0,plain,1,0,words,all,0,0,0,1,0\n"), std::string::npos) << csv;
  EXPECT_FALSE(
      export_rows(collection, ExportFormat::jsonl, [&](auto piece) { jsonl += piece; }, {}, {"fine"}))
      << "its clusters are not described";
  EXPECT_NE(jsonl.find(R"("y":0.0,"fine":null,"fine_name":null,"fine_group_name":null})"), std::string::npos);
  EXPECT_NE(jsonl.find(R"("fine":0,)"), std::string::npos) << jsonl;
  EXPECT_EQ(error_of([&] { export_rows(collection, ExportFormat::csv, [](auto) {}, {}, {"absent"}); }).fault,
            Fault::argument);

  collection.append(texts_of({"later"}), {texts_of({"3"})}, {});
  csv.clear();
  EXPECT_FALSE(export_rows(collection, ExportFormat::csv, [&](std::string_view piece) { csv += piece; }, {}));
  EXPECT_NE(csv.find("2,later,3,,,,,\n"), std::string::npos) << csv;
}

TEST(Export, ColumnsWithTakenNamesGetOthers) {
  const ScratchFolder folder;
  Collection collection = Collection::create(folder / "c.shoal");
  collection.define_columns({"row", "cluster", "x", "same", "same", "text", "x (2)"});
  std::vector<Texts> values;
  for (const char* value : {"r", "c", "x", "s1", "s2", "t", "x2"}) values.push_back(texts_of({value}));
  collection.append(texts_of({"body"}), values, {});
  std::string csv, jsonl;
  export_rows(collection, ExportFormat::csv, [&](std::string_view piece) { csv += piece; }, {});
  EXPECT_EQ(csv,
            "row,text,row (2),cluster (2),x (2),same,same (2),text (2),x (2) (2),"
            "cluster,cluster_name,group_name,x,y\n"
            "0,body,r,c,x,s1,s2,t,x2,,,,,\n");
  export_rows(collection, ExportFormat::jsonl, [&](std::string_view piece) { jsonl += piece; }, {});
  const std::string expected =
      R"json({"row":0,"text":"body","row (2)":"r","cluster (2)":"c","x (2)":"x","same":"s1","same (2)":"s2",)json"
      R"json("text (2)":"t","x (2) (2)":"x2",)json"
      R"json("cluster":null,"cluster_name":null,"group_name":null,"x":null,"y":null})json";
  EXPECT_EQ(jsonl, expected + "\n");
}

TEST(Models, AreFoundByPathFirstAndThenByName) {
  const ScratchFolder folder;
  fs::create_directories(folder / "models/mine");
  EXPECT_EQ(find_model("mine", folder / "models"), folder / "models/mine");
  EXPECT_EQ(find_model(folder.path().string(), folder / "models"), folder.path());
  for (const char* wrong : {"other", "", "..", "."}) {
    if (fs::is_directory(wrong)) continue;  // a path that exists is taken at its word
    try {
      find_model(wrong, folder / "models");
      ADD_FAILURE() << wrong;
    } catch (const Error& e) {
      EXPECT_EQ(e.fault, Fault::file);
      EXPECT_NE(std::string(e.what()).find("mine"), std::string::npos) << "the message lists what there is";
    }
  }
  const auto listed = list_models(folder / "models");
  ASSERT_EQ(listed.size(), 1u);
  EXPECT_FALSE(listed[0].problem.empty()) << "an empty folder is listed with what is wrong";
  EXPECT_THROW(add_model(folder / "models/mine", "copy", folder / "models"), Error);
  EXPECT_FALSE(fs::exists(folder / "models/copy"));
}

TEST(Map, AModelInARenamedFolderIsTheSameModel) {
  const ScratchFolder folder;
  const fs::path golden = fs::path(SHOAL_SOURCE) / "tests/golden/encoder";
  fs::copy(golden / "bert_old", folder / "old", fs::copy_options::recursive);
  std::string lines = "\"first, of two\",text\n";
  for (int i = 0; i < 40; ++i) lines += "a text with,the number " + std::to_string(i * i) + "\n";
  write(folder / "texts.csv", lines);
  MapOptions options{.inputs = {folder / "texts.csv"}, .out = folder / "m.shoal", .model = folder / "old"};
  options.read.text_columns = {"first, of two", "text"};
  EXPECT_TRUE(make_map(options, {}).done_before.empty());

  fs::rename(folder / "old", folder / "new");
  options.model = folder / "new";
  EXPECT_EQ(make_map(options, {}).done_before.size(), 6u);
  const Collection collection = Collection::open(options.out, false);
  EXPECT_EQ(text_columns(collection), options.read.text_columns);
  EXPECT_EQ(search(collection, Encoder::load(options.model), "a number", {}, {}).size(), 10u);

  options.model = golden / "bert_bare";
  EXPECT_THROW(make_map(options, {}), Error);
  EXPECT_THROW(search(collection, Encoder::load(options.model), "a number", {}, {}), Error);
}

}  // namespace
}  // namespace shoal
