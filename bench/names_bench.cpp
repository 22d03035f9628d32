// The names that clusters get whose texts are those of a label:
//   names_bench [WORDS] < LINES
// A line is a label, a tab and a text. Prints each label with its name and, if asked, so many words.
// bench/names.py runs it.
#include <chrono>
#include <cstdio>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "shoal/explain/ctfidf.h"

int main(int argc, char** argv) {
  using namespace shoal;
  const std::size_t n_words = argc > 1 ? std::stoul(argv[1]) : 0;
  Texts texts;
  std::vector<std::string> given;
  std::map<std::string, Label> number;
  for (std::string line; std::getline(std::cin, line);) {
    const auto tab = line.find('\t');
    if (tab == std::string::npos) continue;
    given.push_back(line.substr(0, tab));
    number[given.back()] = 0;
    texts.add(std::string_view(line).substr(tab + 1));
  }
  Label next = 0;
  for (auto& [label, n] : number) n = next++;
  std::vector<Label> labels;
  for (const std::string& label : given) labels.push_back(number[label]);
  const auto begin = std::chrono::steady_clock::now();
  Ctfidf counted(number.size(), {}, sample_languages(texts, {}));
  counted.add(texts, labels.data(), {});
  const auto words = counted.top_words();
  std::fprintf(stderr, "%.2f s\n",
               std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  for (const auto& [label, n] : number) {
    std::printf("%s: %s\n", label.c_str(), cluster_name(words[static_cast<Index>(n)]).c_str());
    for (std::size_t i = 0; i < std::min(n_words, words[static_cast<Index>(n)].size()); ++i)
      std::printf("%s%s", i ? ", " : "    ", words[static_cast<Index>(n)][i].word.c_str());
    if (n_words) std::printf("\n");
  }
}
