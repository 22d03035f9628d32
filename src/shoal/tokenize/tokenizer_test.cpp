#include "shoal/tokenize/tokenizer.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/core/random.h"
#include "tests/minilm.h"

namespace shoal {
namespace {

using Ids = std::vector<std::uint32_t>;

/// A WordPiece of eight tokens with BERT's template; `more` goes in front of the model.
std::string tiny(const std::string& more = "") {
  return R"({"version":"1.0",)" + more +
         R"("added_tokens":[],"normalizer":{"type":"BertNormalizer","clean_text":true,"handle_chinese_chars":true,
"strip_accents":null,"lowercase":true},"pre_tokenizer":{"type":"BertPreTokenizer"},
"post_processor":{"type":"BertProcessing","sep":["[SEP]",2],"cls":["[CLS]",1]},"decoder":null,
"model":{"type":"WordPiece","unk_token":"[UNK]","continuing_subword_prefix":"##","max_input_chars_per_word":100,
"vocab":{"[UNK]":0,"[CLS]":1,"[SEP]":2,"a":3,"map":4,"##s":5,"of":6,"text":7}}})";
}

Texts texts_of(const std::vector<std::string>& lines) {
  Texts texts;
  for (const std::string& line : lines) texts.add(line);
  return texts;
}

Ids list(std::span<const std::uint32_t> ids) { return {ids.begin(), ids.end()}; }

Ids encode(const Tokenizer& tokenizer, const std::string& text, Index max_length = 0) {
  return list(tokenizer.encode(texts_of({text}), 0, 1, max_length)[0]);
}

Fault fault_of(const std::string& json) {
  try {
    Tokenizer::from_json(json, "hostile");
  } catch (const Error& error) {
    EXPECT_NE(std::string(error.what()).find("hostile"), std::string::npos);
    return error.fault;
  }
  return Fault::cancelled;
}

TEST(Tokenizer, IdsBetweenPrefixAndSuffix) {
  const Tokenizer tokenizer = Tokenizer::from_json(tiny(), "tiny");
  EXPECT_EQ(encode(tokenizer, "A map of texts, naïve"), (Ids{1, 3, 4, 6, 7, 5, 0, 0, 2}));
  EXPECT_EQ(tokenizer.prefix(), Ids{1});
  EXPECT_EQ(tokenizer.suffix(), Ids{2});
  EXPECT_EQ(tokenizer.vocabulary(), 8u);
}

TEST(Tokenizer, LimitCountsSpecialTokens) {
  const Tokenizer tokenizer = Tokenizer::from_json(tiny(), "tiny");
  EXPECT_EQ(encode(tokenizer, "a map of texts", 5), (Ids{1, 3, 4, 6, 2}));
  EXPECT_EQ(encode(tokenizer, "a map", 4), (Ids{1, 3, 4, 2}));
  EXPECT_EQ(encode(tokenizer, "a map", 3), (Ids{1, 3, 2}));
  EXPECT_THROW(encode(tokenizer, "a map", 2), Error);
}

TEST(Tokenizer, LongTextsAreReadAsFarAsNeeded) {
  // The beginning that is tried first has 64 bytes an id: it ends in all sorts of places, and often holds too
  // few.
  const Tokenizer tokenizer = Tokenizer::from_json(tiny(), "tiny");
  const Random random({1});
  const std::vector<std::string> pieces = {"a ",
                                           "map ",
                                           "maps, ",
                                           "of  ",
                                           "text\t",
                                           "na\xC3\xAFve ",
                                           " \xCC\x88",
                                           "\xE4\xB8\xAD",
                                           "[SEP]",
                                           std::string(200, 'x'),
                                           std::string(300, ' ')};
  std::uint64_t draw = 0;
  for (int t = 0; t < 200; ++t) {
    std::string text;
    while (text.size() < 3000) text += pieces[random.below(draw++, pieces.size())];
    const Ids all = encode(tokenizer, text);
    for (Index limit : {3u, 6u, 12u, 30u}) {
      Ids expected(all.begin(),
                   all.begin() + static_cast<std::ptrdiff_t>(std::min(limit - 1, all.size() - 1)));
      expected.push_back(2);
      EXPECT_EQ(encode(tokenizer, text, limit), expected) << t;
      EXPECT_EQ(tokenizer.encode(texts_of({text.c_str()}), 0, 1, limit).cut, all.size() > limit ? 1u : 0u)
          << t;
    }
  }
}

TEST(Tokenizer, ManyTextsAndPlain) {
  const Tokenizer tokenizer = Tokenizer::from_json(tiny(), "tiny");
  const Texts texts = texts_of({"map", "", "a a", "of"});
  const Tokens some = tokenizer.encode(texts, 1, 2, 0);
  ASSERT_EQ(some.size(), 2u);
  EXPECT_EQ(list(some[0]), (Ids{1, 2}));
  EXPECT_EQ(list(some[1]), (Ids{1, 3, 3, 2}));
  EXPECT_EQ(tokenizer.encode(texts, 0, 4, 3).cut, 1u) << "three ids are all of the others";
  EXPECT_EQ(list(tokenizer.encode_plain(texts, 2, 1)[0]), (Ids{3, 3}));
  EXPECT_EQ(tokenizer.encode(texts, 4, 0, 0).size(), 0u);
  EXPECT_THROW(tokenizer.encode(texts, 3, 2, 0), Error);
}

TEST(Tokenizer, WordsThatWereSeenKeepTheirIds) {
  const Tokenizer all = Tokenizer::from_json(tiny(), "tiny");
  const std::vector<std::string> lines{
      "a map of text",   "map, of a",          "a  map\tof texts", "A MAP of s", " a map",
      "map. of\nmap of", "m\u00fcp \u00fc of", "of maps [SEP] a",  "",           "a"};
  for (int round = 0; round < 3; ++round)
    for (const std::string& line : lines) {
      const Tokenizer fresh = Tokenizer::from_json(tiny(), "tiny");
      EXPECT_EQ(encode(all, line), encode(fresh, line)) << line;
      EXPECT_EQ(encode(all, line, 5), encode(fresh, line, 5)) << line;
    }
}

TEST(Tokenizer, SplitGivesThePiecesThatTheModelSees) {
  const Tokenizer tokenizer = Tokenizer::from_json(tiny(), "tiny");
  const Texts pieces = tokenizer.split(texts_of({"x", "A Map,  of [SEP]", "", "caf\u00e9\xff"}), 1, 3);
  std::vector<std::string> found;
  for (Index i = 0; i < pieces.size(); ++i) found.emplace_back(pieces[i]);
  EXPECT_EQ(found, (std::vector<std::string>{"a", "map", ",", "of", "[", "sep", "]", "cafe"}));
}

TEST(Tokenizer, FileSettingsForLengthAreNotHeeded) {
  const Tokenizer tokenizer = Tokenizer::from_json(
      tiny(R"("truncation":{"direction":"Right","max_length":3,"strategy":"LongestFirst","stride":0},
"padding":{"strategy":{"Fixed":12},"direction":"Right","pad_to_multiple_of":null,"pad_id":0,"pad_type_id":0,"pad_token":"[PAD]"},)"),
      "tiny");
  EXPECT_EQ(encode(tokenizer, "a map of text"), (Ids{1, 3, 4, 6, 7, 2}));
}

TEST(Tokenizer, RefusesWhatWouldChangeIds) {
  EXPECT_EQ(fault_of(tiny(
                R"("truncation":{"direction":"Left","max_length":3,"strategy":"LongestFirst","stride":0},)")),
            Fault::unsupported);
  const auto bpe = [](const char* dropout) {
    return std::string(R"({"version":"1.0","model":{"type":"BPE","dropout":)") + dropout +
           R"(,"vocab":{"a":0,"b":1,"ab":2},"merges":[["a","b"]]}})";
  };
  EXPECT_EQ(fault_of(bpe("0.1")), Fault::unsupported);
  for (const char* none : {"0.0", "null"})
    EXPECT_EQ(encode(Tokenizer::from_json(bpe(none), "bpe"), "ab"), Ids{2}) << none;
  const auto typed = [](const char* type) {
    std::string json = tiny();
    const Index at = json.find("\"post_processor\":"), end = json.find("\"decoder\"");
    return json.replace(at, end - at,
                        R"("post_processor":{"type":"TemplateProcessing","single":[
{"SpecialToken":{"id":"[CLS]","type_id":0}},{"Sequence":{"id":"A","type_id":)" +
                            std::string(type) + R"(}}],
"pair":[{"Sequence":{"id":"A","type_id":0}},{"Sequence":{"id":"B","type_id":1}}],
"special_tokens":{"[CLS]":{"id":"[CLS]","ids":[1],"tokens":["[CLS]"]}}},)");
  };
  EXPECT_EQ(encode(Tokenizer::from_json(typed("0"), "typed"), "map"), (Ids{1, 4}));
  EXPECT_EQ(fault_of(typed("1")), Fault::unsupported);
}

TEST(Tokenizer, RepairsBytes) {
  const Tokenizer tokenizer = Tokenizer::from_json(tiny(), "tiny");
  EXPECT_EQ(encode(tokenizer, "a \xFF map"), encode(tokenizer, "a \xEF\xBF\xBD map"));
  EXPECT_EQ(encode(tokenizer, std::string("a\0map", 5)), encode(tokenizer, "amap"));  // clean_text drops it
}

TEST(Tokenizer, RefusesHostileFiles) {
  for (const std::string& json :
       {std::string(), std::string("{"), std::string("[]"), std::string("{}"), std::string("\xFF"),
        std::string(200000, '['), std::string(R"({"model":null})"),
        R"({"version":"1.0","normalizer":)" + std::string(60, '[') + std::string(60, ']') + "}",
        std::string(R"({"model":{"type":"WordLevel","vocab":{},"unk_token":"x"}})"),
        std::string(
            R"({"version":"1.0","model":{"type":"WordLevel","vocab":{"x":4294967295},"unk_token":"x"}})"),
        std::string(R"({"version":"1.0","model":{"type":"Unigram","unk_id":7,"vocab":[["x",0.0]]}})"),
        std::string(R"({"version":"9.0","model":{"type":"WordLevel","vocab":{"x":0},"unk_token":"x"}})")})
    EXPECT_EQ(fault_of(json), Fault::format) << json.substr(0, 100);
  std::string far = tiny();
  far.replace(far.find("[\"[SEP]\",2]"), 11, "[\"[SEP]\",9]");
  EXPECT_EQ(fault_of(far), Fault::format);  // the template adds an id that the vocabulary lacks
}

/// What is wrong with a file, or with tokenizing `text` by it.
std::string problem(const std::string& json, const std::string& text = "banana") {
  try {
    encode(Tokenizer::from_json(json, "hostile"), text);
  } catch (const Error& error) {
    return error.what();
  }
  return {};
}

void expect_in(const std::string& part, const std::string& whole) {
  EXPECT_NE(whole.find(part), std::string::npos) << part << " is not in: " << whole;
}

/// The library would make room for what the first bytes ask: some gigabytes.
TEST(Tokenizer, RefusesACharsmapShorterThanItSays) {
  for (const char* key : {"precompiled_charsmap", "precompiled\\u005fcharsmap"})
    for (const char* map : {"AAindiAAAA==", "\\u0041AindiAAAA=="})
      expect_in("its precompiled_charsmap is shorter",
                problem(tiny(std::string(R"("normalizer":{"type":"Precompiled",")") + key + R"(":")" + map +
                             R"("},)")));
}

std::string replacing(const std::string& what, const std::string& by) {
  return R"({"type":"Replace","pattern":{"String":")" + what + R"("},"content":")" + by + R"("})";
}
std::string sequence(const std::string& key, const std::string& list, const std::string& step, int count) {
  std::string out = "\"" + key + "\":{\"type\":\"Sequence\",\"" + list + "\":[" + step;
  for (int i = 1; i < count; ++i) out += "," + step;
  return out + "]},";
}

/// `tiny` with another normalizer or pre-tokenizer.
std::string with(const std::string& key, const std::string& value) {
  std::string json = tiny();
  const Index at = json.find("\"" + key + "\":"), end = json.find('}', at) + 2;
  return json.replace(at, end - at, value);
}

TEST(Tokenizer, BoundsWhatANormalizerMakes) {
  const std::string doubling = sequence("normalizer", "normalizers", replacing("a", "aa"), 40);
  const std::string million = R"("normalizer":)" + replacing("a", std::string(1'000'000, 'b')) + ",";
  const std::string before =
      R"("normalizer":{"type":"Prepend","prepend":")" + std::string(1'000'000, 'b') + "\"},";
  for (const std::string& hostile : {doubling, million, before})
    expect_in("makes more than 32 bytes of each byte", problem(with("normalizer", hostile)));
  EXPECT_EQ(problem(with("normalizer", million), "no such letter: xyz"), "");
  // Added tokens are normalized while the file is read.
  std::string added = with("normalizer", doubling);
  added.replace(
      added.find(R"("added_tokens":[])"), 17,
      R"("added_tokens":[{"id":8,"content":"[A]a","single_word":false,"lstrip":false,"rstrip":false,)"
      R"("normalized":true,"special":false}])");
  EXPECT_EQ(fault_of(added), Fault::format);
  EXPECT_EQ(problem(with("normalizer", sequence("normalizer", "normalizers", replacing("a", "aa"), 4))), "");
}

TEST(Tokenizer, ReplacesAsTheLibraryDoesWhereItMustCount) {
  // So many bytes that the worst case is over the bound, and the matches are counted.
  const std::string json =
      with("normalizer", R"("normalizer":)" + replacing("of", std::string(200, ' ') + "map") + ",");
  Ids expected(2002, 4);
  expected.front() = 1, expected.back() = 2;
  for (Index i = 1; i < 2001; i += 2) expected[i] = 3;
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "a of" + std::string(20, ' ');
  EXPECT_EQ(encode(Tokenizer::from_json(json, "replacing"), text), expected);
}

TEST(Tokenizer, RefusesWhatMultipliesAtLoading) {
  const auto bytes = R"({"type":"ByteLevel","add_prefix_space":false,"trim_offsets":true,"use_regex":false})";
  expect_in("40 steps; allowed are 4",
            problem(with("pre_tokenizer", sequence("pre_tokenizer", "pretokenizers", bytes, 40))));
  expect_in("its normalizer has 257 steps; allowed are 256",
            problem(with("normalizer", sequence("normalizer", "normalizers", replacing("x", "y"), 257))));
  std::string json = tiny();
  json.replace(json.find("_word\":100"), 10, "_word\":100000");
  expect_in("max_input_chars_per_word 100000; allowed are 1000", problem(json));
  json = tiny();
  json.replace(json.find("\"##\""), 4, "\"" + std::string(1000, '#') + "\"");
  expect_in("prefix or suffix of 1000 bytes; allowed are 64", problem(json));
}

/// Ids of a pair, then its types.
std::pair<Ids, Ids> pair_of(const Tokenizer& tokenizer, const std::string& a, const std::string& b,
                            Index max_length = 0) {
  const PairTokens out = tokenizer.encode_pairs(texts_of({a}), texts_of({b}), 0, 1, max_length);
  EXPECT_EQ(out.ids.size(), out.types.size());
  return {out.ids, out.types};
}

TEST(Tokenizer, PairsAreJoinedAsThePostProcessorSays) {
  const Tokenizer bert = Tokenizer::from_json(tiny(), "tiny");
  EXPECT_EQ(pair_of(bert, "a map", "of"), (std::pair<Ids, Ids>{{1, 3, 4, 2, 6, 2}, {0, 0, 0, 0, 1, 1}}));
  EXPECT_EQ(pair_of(bert, "", ""), (std::pair<Ids, Ids>{{1, 2, 2}, {0, 0, 1}}));
  ASSERT_NE(bert.pair_template(), nullptr);
  EXPECT_EQ(bert.pair_template()->added(), 3u);
  std::string json = tiny();
  const std::string name = R"("type":"BertProcessing")";
  json.replace(json.find(name), name.size(),
               R"("type":"RobertaProcessing","trim_offsets":true,"add_prefix_space":false)");
  EXPECT_EQ(pair_of(Tokenizer::from_json(json, "roberta"), "a map", "of"),
            (std::pair<Ids, Ids>{{1, 3, 4, 2, 2, 6, 2}, {0, 0, 0, 0, 0, 0, 0}}));
  json = tiny();
  const auto processor = json.find("\"post_processor\":"), decoder = json.find("\"decoder\":");
  json.replace(processor, decoder - processor, "\"post_processor\":null,");
  EXPECT_EQ(pair_of(Tokenizer::from_json(json, "bare"), "a map", "of"),
            (std::pair<Ids, Ids>{{3, 4, 6}, {0, 0, 1}}));
}

TEST(Tokenizer, RefusesPairsThatAreNotOneTextAfterTheOther) {
  std::string json = tiny();
  const auto processor = json.find("\"post_processor\":"), decoder = json.find("\"decoder\":");
  json.replace(
      processor, decoder - processor,
      R"("post_processor":{"type":"TemplateProcessing","single":[{"Sequence":{"id":"A","type_id":0}}],
"pair":[{"Sequence":{"id":"B","type_id":0}},{"Sequence":{"id":"A","type_id":1}}],"special_tokens":{}},)");
  const Tokenizer tokenizer = Tokenizer::from_json(json, "turned");
  EXPECT_EQ(tokenizer.pair_template(), nullptr);
  EXPECT_EQ(encode(tokenizer, "a map"), (Ids{3, 4}));
  try {
    pair_of(tokenizer, "a", "map");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.fault, Fault::unsupported);
  }
}

/// How many of each text are left of pairs "a a a ..." and "map map ...".
std::pair<Index, Index> left_of(Index first, Index second, Index max_length) {
  std::string a, b;
  for (Index i = 0; i < first; ++i) a += "a ";
  for (Index i = 0; i < second; ++i) b += "map ";
  const Ids ids = pair_of(Tokenizer::from_json(tiny(), "tiny"), a, b, max_length).first;
  return {std::ranges::count(ids, 3), std::ranges::count(ids, 4)};
}

TEST(Tokenizer, LongPairsLoseTheEndOfTheLongerText) {
  using Left = std::pair<Index, Index>;
  EXPECT_EQ(left_of(3, 4, 10), (Left{3, 4}));
  EXPECT_EQ(left_of(2, 40, 10), (Left{2, 5}));
  EXPECT_EQ(left_of(40, 2, 10), (Left{5, 2}));
  EXPECT_EQ(left_of(4, 5, 10), (Left{3, 4}));
  EXPECT_EQ(left_of(5, 4, 10), (Left{4, 3}));
  EXPECT_EQ(left_of(4, 4, 10), (Left{3, 4}));
  // Both longer than all the room: the odd place is the longer one's, however long both are.
  EXPECT_EQ(left_of(40, 41, 10), (Left{3, 4}));
  EXPECT_EQ(left_of(41, 40, 10), (Left{4, 3}));
  EXPECT_EQ(left_of(900, 400, 11), (Left{4, 4}));
  EXPECT_EQ(left_of(0, 40, 4), (Left{0, 1}));
  const Tokenizer tokenizer = Tokenizer::from_json(tiny(), "tiny");
  EXPECT_EQ(tokenizer.encode_pairs(texts_of({"a", "a a a"}), texts_of({"a", "a"}), 0, 2, 6).cut, 1u);
  EXPECT_THROW(pair_of(tokenizer, "a", "a", 3), Error);
  EXPECT_THROW(tokenizer.encode_pairs(texts_of({"a", "a"}), texts_of({"a"}), 0, 1, 0), Error);
}

TEST(Tokenizer, AbsentFile) {
  try {
    Tokenizer::load("no/such/tokenizer.json");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.fault, Fault::file);
  }
}

TEST(Tokenizer, ManyThreads) {
  const Tokenizer tokenizer = Tokenizer::from_json(tiny(), "tiny");
  const Texts texts = texts_of(std::vector<std::string>(2000, "a map of texts and naïve \xFF"));
  const Ids expected = list(tokenizer.encode(texts, 0, 1, 0)[0]);
  for_chunks({.threads = 4}, texts.size(), 50, [&](Index, Index first, Index last) {
    const Tokens tokens = tokenizer.encode(texts, first, last - first, 0);
    for (Index i = 0; i < tokens.size(); ++i) ASSERT_EQ(list(tokens[i]), expected);
  });
}

TEST(Tokenizer, RealModel) {
  const std::filesystem::path folder = minilm_folder();
  ASSERT_TRUE(std::filesystem::exists(folder))
      << "no model at " << folder << "; run 'tools/setup model', which fetches it";
  const Tokenizer tokenizer = Tokenizer::load(folder / "tokenizer.json");
  EXPECT_EQ(tokenizer.vocabulary(), 30522u);
  EXPECT_EQ(encode(tokenizer, "hello world"), (Ids{101, 7592, 2088, 102}));
}

}  // namespace
}  // namespace shoal
