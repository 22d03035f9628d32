// How often the language of a text is found:
//   languages_bench < LINES
// A line is the right code, a tab and the text. Prints one line of JSON: texts, the share that is right with
// nothing known of the collection and with its own languages expected, of each language, and seconds for
// both. bench/languages.py runs it.
#include <chrono>
#include <cstdio>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "shoal/tokenize/language.h"

namespace {

double since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace

int main() {
  using namespace shoal;
  Texts texts;
  std::vector<std::string> right;
  for (std::string line; std::getline(std::cin, line);) {
    const auto tab = line.find('\t');
    if (tab == std::string::npos) continue;
    right.push_back(line.substr(0, tab));
    texts.add(std::string_view(line).substr(tab + 1));
  }
  const Run run{.threads = 1};
  static_cast<void>(detect_languages(texts, run));  // reads the lists
  auto begin = std::chrono::steady_clock::now();
  const auto alone = detect_languages(texts, {}, run);
  const double seconds_alone = since(begin);
  begin = std::chrono::steady_clock::now();
  const auto together = detect_languages(texts, run);
  const double seconds_together = since(begin);
  struct Counts {
    double texts = 0, alone = 0, together = 0;
  };
  std::map<std::string, Counts> of;
  for (Index i = 0; i < texts.size(); ++i)
    for (Counts* c : {&of[right[i]], &of["all"]}) {
      ++c->texts;
      c->alone += alone[i].code == right[i];
      c->together += together[i].code == right[i];
    }
  std::printf("{\"seconds_alone\": %.4f, \"seconds_together\": %.4f", seconds_alone, seconds_together);
  for (const auto& [code, c] : of)
    std::printf(", \"%s\": {\"texts\": %.0f, \"alone\": %.4f, \"together\": %.4f}", code.c_str(), c.texts,
                c.alone / c.texts, c.together / c.texts);
  std::printf("}\n");
}
