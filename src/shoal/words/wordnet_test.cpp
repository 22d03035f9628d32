#include "shoal/words/wordnet.h"

#include <gtest/gtest.h>

#include "shoal/core/error.h"

namespace shoal {
namespace {

using List = std::vector<std::string>;

/// A part of speech of a small WordNet: lemma (with _), and its glosses.
WordNetFiles files_of(const std::vector<std::pair<std::string, List>>& lemmas, const std::string& name,
                      const std::string& exceptions = {}) {
  WordNetFiles out{
      .index = "  1 the licence\n", .data = "  1 the licence\n", .exceptions = exceptions, .name = name};
  for (const auto& [lemma, glosses] : lemmas) {
    const std::string n = std::to_string(glosses.size());
    out.index += lemma + " x " + n + " 1 @ " + n + " 0";
    for (const std::string& gloss : glosses) {
      out.index += " " + std::to_string(out.data.size());
      out.data += std::to_string(out.data.size()) + " 03 x 01 " + lemma + " 0 000 | " + gloss + "  \n";
    }
    out.index += "  \n";
  }
  return out;
}

WordNet small() {
  return WordNet(
      {files_of(
           {{"dog", {"a domestic animal; \"the dog barked all night\"", "a dull girl; she is \"plain\""}},
            {"hot_dog", {"a sausage on a bun"}},
            {"leaf", {"part of a plant"}},
            {"man", {"an adult; \"there were two\"; \"the man\"- Homer"}},
            {"news", {"\"only an example\""}}},
           "noun", "leaves leaf\nmen man\n"),
       files_of({{"bark", {"make noises"}}, {"leave", {"go away"}}, {"dog", {"follow"}}}, "verb",
                "left leave\n"),
       files_of({{"hot", {"of high temperature"}}, {"big", {"large"}}}, "adj", "bigger big\n"),
       files_of({{"well", {"in a good manner; (`good' is nonstandard)"}}}, "adv")});
}

TEST(WordNet, GivesEachSense) {
  List out;
  small().visit([&](const WordNetSense& sense) {
    std::string line = std::string(sense.lemma) + "." + sense.part + "." + std::to_string(sense.number) +
                       " " + std::string(sense.definition);
    for (const auto example : sense.examples) line += " | " + std::string(example);
    out.push_back(line);
  });
  EXPECT_EQ(out, (List{"dog.n.1 a domestic animal | the dog barked all night",
                       "dog.n.2 a dull girl; she is \"plain\"", "hot dog.n.1 a sausage on a bun",
                       "leaf.n.1 part of a plant", "man.n.1 an adult | there were two | the man",
                       "news.n.1  | only an example", "bark.v.1 make noises", "leave.v.1 go away",
                       "dog.v.1 follow", "hot.a.1 of high temperature", "big.a.1 large",
                       "well.r.1 in a good manner; (`good' is nonstandard)"}));
  EXPECT_EQ(small().lemmas(), 10u);
}

TEST(WordNet, BaseForms) {
  const WordNet wordnet = small();
  EXPECT_EQ(wordnet.base_forms("dogs"), List{"dog"});
  EXPECT_EQ(wordnet.base_forms("leaves"), (List{"leaf", "leave"}));
  EXPECT_EQ(wordnet.base_forms("left"), List{"leave"});
  EXPECT_EQ(wordnet.base_forms("barking"), List{"bark"});
  EXPECT_EQ(wordnet.base_forms("news"), List{"news"});
  EXPECT_EQ(wordnet.base_forms("bigger"), List{"big"});
  EXPECT_EQ(wordnet.base_forms("hottest"), List{});  // hott is no word
  EXPECT_EQ(wordnet.base_forms("men"), List{"man"});
  EXPECT_EQ(wordnet.base_forms("s"), List{});
  EXPECT_EQ(wordnet.base_forms("xyz"), List{});
}

TEST(WordNet, InflectedForms) {
  const WordNet wordnet = small();
  EXPECT_EQ(wordnet.inflected_forms("dog"), (List{"dogs", "doged", "doging"}));  // noun, then verb
  EXPECT_EQ(wordnet.inflected_forms("leaf"), (List{"leaves", "leafs"}));
  EXPECT_EQ(wordnet.inflected_forms("leave"), (List{"left", "leaves", "leaved", "leaving"}));
  EXPECT_EQ(wordnet.inflected_forms("bark"), (List{"barks", "barked", "barking"}));
  EXPECT_EQ(wordnet.inflected_forms("big"), (List{"bigger", "biger", "bigest"}));
  EXPECT_EQ(wordnet.inflected_forms("hot dog"), List{"hot dogs"});
  EXPECT_EQ(wordnet.inflected_forms("well"), List{});
  EXPECT_EQ(wordnet.inflected_forms("xyz"), List{});
  const WordNet spelling(
      {files_of({{"city", {"x"}}, {"day", {"x"}}, {"box", {"x"}}, {"wise_man", {"x"}}}, "noun", ""),
       files_of({{"make", {"x"}}, {"see", {"x"}}, {"watch", {"x"}}, {"go", {"x"}}}, "verb", "saw see\n"),
       files_of({{"nice", {"x"}}}, "adj"), files_of({}, "adv")});
  EXPECT_EQ(spelling.inflected_forms("city"), List{"cities"});
  EXPECT_EQ(spelling.inflected_forms("day"), List{"days"});
  EXPECT_EQ(spelling.inflected_forms("box"), List{"boxes"});
  EXPECT_EQ(spelling.inflected_forms("wise man"), (List{"wise mans", "wise men"}));
  EXPECT_EQ(spelling.inflected_forms("make"), (List{"makes", "maked", "making"}));
  EXPECT_EQ(spelling.inflected_forms("see"), (List{"saw", "sees", "seed", "seeing"}));
  EXPECT_EQ(spelling.inflected_forms("watch"), (List{"watches", "watched", "watching"}));
  EXPECT_EQ(spelling.inflected_forms("go"), (List{"gos", "goes", "goed", "going"}));
  EXPECT_EQ(spelling.inflected_forms("nice"), (List{"nicer", "nicest"}));
}

TEST(WordNet, SaysWhatIsWrong) {
  const auto with = [](std::string index, std::string data) {
    return WordNet({WordNetFiles{index, data, "", "noun"}, {}, {}, {}});
  };
  const auto message = [](const auto& work) -> std::string {
    try {
      work();
    } catch (const Error& e) {
      return e.what();
    }
    return "";
  };
  EXPECT_EQ(message([&] { with("dog n\n", ""); }),
            "index.noun, line 1: not a line of WordNet's index: lemma, part of speech, counts, offsets");
  EXPECT_NE(message([&] { with("dog n 1 0 1 0 00000500\n", "short"); }), "");
  EXPECT_EQ(
      message([&] { with("dog n 1 0 1 0 00000002\n", "no bar here\n").visit([](const WordNetSense&) {}); }),
      "data.noun, byte 2: no gloss stands there, though the index says so");
}

}  // namespace
}  // namespace shoal
