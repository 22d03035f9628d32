// Fits a Head and asks it about new rows:
//   head_bench VECTORS LABELS NEW OUT_PREFIX [OPTION=VALUE]...
// LABELS has a line a row: numbers of its labels, parted by blanks. Options are those of HeadOptions, and
// threads. Writes OUT_PREFIX.probabilities.npy, .scores.npy, .held_scores.npy and .said.txt (as LABELS) and
// prints one line of JSON. bench/heads.py runs it.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <sstream>
#include <string>

#include "shoal/classify/head.h"
#include "shoal/core/error.h"
#include "shoal/store/vectors/rows_file.h"

namespace {

using namespace shoal;

LabelSets read_labels(const char* path) {
  LabelSets sets;
  std::ifstream in(path);
  for (std::string line; std::getline(in, line);) {
    auto& set = sets.of.emplace_back();
    std::istringstream words(line);
    for (Label label; words >> label;) {
      set.push_back(label);
      sets.count = std::max(sets.count, static_cast<Index>(label + 1));
    }
  }
  return sets;
}

double seconds_since(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

int bench(int argc, char** argv) {
  const Matrix x = open_rows(argv[1]).to_matrix(), queries = open_rows(argv[3]).to_matrix();
  const LabelSets sets = read_labels(argv[2]);
  const std::string out = argv[4];
  HeadOptions options;
  Run run;
  for (int i = 5; i < argc; ++i) {
    const std::string word = argv[i];
    const auto equals = word.find('=');
    const std::string name = word.substr(0, equals), value = word.substr(equals + 1);
    if (name == "threads") run.threads = static_cast<unsigned>(std::stoul(value));
    for (const OptionRef& option : option_refs(options))
      if (option.name == name) option.set_text(value);
  }
  auto begin = std::chrono::steady_clock::now();
  HeldOut held;
  const Head head = Head::fit(x, sets, options, run, &held);
  const double fit = seconds_since(begin);
  begin = std::chrono::steady_clock::now();
  const HeadAnswer said = head.answer(queries, run);
  const double answer = seconds_since(begin);
  write_rows(out + ".probabilities.npy", said.probabilities);
  write_rows(out + ".scores.npy", said.scores);
  if (held.scores.rows() > 0) write_rows(out + ".held_scores.npy", held.scores);
  std::ofstream words(out + ".said.txt");
  for (const auto& set : said.sets.of) {
    for (const Label label : set) words << label << ' ';
    words << '\n';
  }
  std::string losses;
  for (Index i = 0; i < held.tried.size(); ++i)
    losses += (i ? ", [" : "[") + std::to_string(held.tried[i]) + ", " + std::to_string(held.losses[i]) + "]";
  std::printf(
      "{\"fit\": %.2f, \"answer\": %.2f, \"c\": %g, \"tried\": [%s], \"temperature\": %.4f, \"iterations\": "
      "%zu, "
      "\"limit\": %g, \"covered\": %.4f, \"judged\": %zu, \"thresholds\": \"%s\", \"held_out_macro\": %.4f, "
      "\"held_out_micro\": %.4f}\n",
      fit, answer, head.c(), losses.c_str(), head.calibration().temperature(), head.rule().n_iter,
      static_cast<double>(head.limit()), held.covered, held.n_judged,
      std::string(name_of(head.thresholds().kind)).c_str(), head.thresholds().macro_f1,
      head.thresholds().micro_f1);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fputs("usage: head_bench VECTORS LABELS NEW OUT_PREFIX [OPTION=VALUE]...\n", stderr);
    return 2;
  }
  try {
    return bench(argc, argv);
  } catch (const Error& e) {
    std::fprintf(stderr, "head_bench: %s\n", e.what());
    return static_cast<int>(e.fault);
  }
}
