#include "shoal/flow/words/evaluate_words.h"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <numeric>

#include "shoal/cluster/kmeans/spherical_kmeans.h"
#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/flow/tables/number_column.h"
#include "shoal/flow/tables/whole_table.h"
#include "shoal/flow/texts/models.h"
#include "shoal/flow/words/word_space.h"
#include "shoal/kernels/kernels.h"
#include "shoal/linear/norms.h"
#include "shoal/measure/agreement.h"
#include "shoal/measure/word_spaces.h"
#include "shoal/tokenize/words.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

constexpr Index kLeast = 3;  // rows of a set

/// Words of all sets and of the first space, each once.
class WordList {
 public:
  std::uint32_t add(std::string_view word) {
    const auto [at, fresh] =
        places_.try_emplace(std::string(word), static_cast<std::uint32_t>(words_.size()));
    if (fresh) words_.add(at->first);
    return at->second;
  }
  const Texts& words() const { return words_; }

 private:
  Texts words_;
  std::map<std::string, std::uint32_t, std::less<>> places_;
};

struct WordSet {
  WordTask task = WordTask::similarity;
  std::string name;
  std::vector<std::vector<std::uint32_t>> rows;  ///< their words, places in the list
  std::vector<double> scores;
  std::vector<std::string> labels;
};

/// A space's vectors of the words of the list; zeros: it does not know the word.
struct Spread {
  std::string name;
  Index words = 0;
  Matrix vectors;
  std::vector<std::uint8_t> known;
};

WordSet read_set(const fs::path& file, const ReadOptions& read,
                 const std::function<std::string(std::string_view)>& form, WordList& list, const Run& run) {
  const WholeTable table = read_whole_table(file, read, run);
  WordSet out;
  out.name = file.stem().string();
  std::vector<Index> columns;
  for (const char* name : {"word_a", "word_b", "word_c", "word_d"})
    if (const auto at = column_named(table, {name})) columns.push_back(*at);
  const auto score = column_named(table, {"score"}), text = column_named(table, {"text", "word"}),
             label = column_named(table, {"label"});
  if (columns.size() == 4) {
    out.task = WordTask::analogies;
  } else if (columns.size() == 2 && score) {
    out.task = WordTask::similarity;
  } else if (text && label) {
    out.task = WordTask::groups;
    columns = {*text};
  } else {
    std::string names;
    for (const std::string& name : table.names) names += (names.empty() ? "" : ", ") + name;
    throw Error(Fault::argument,
                file.string() + " has the columns " + names +
                    "; allowed are word_a, word_b, score (similarity), word_a, word_b, word_c, word_d "
                    "(analogies), and text, label (groups)");
  }
  const NumberColumn scores(table, score.value_or(0));
  for (Index row = 0; row < table.rows; ++row) {
    std::vector<std::uint32_t> words;
    for (const Index column : columns) {
      const std::string word = form(table.columns[column][row]);
      if (!word.empty()) words.push_back(list.add(word));
    }
    if (words.size() < columns.size()) continue;  // blank
    if (out.task == WordTask::similarity) {
      const auto number = scores[row];
      if (!number) continue;
      out.scores.push_back(*number);
    }
    if (out.task == WordTask::groups) {
      const std::string_view of = trimmed_text(table.columns[*label][row]);
      if (of.empty()) continue;
      out.labels.emplace_back(of);
    }
    out.rows.push_back(std::move(words));
  }
  require(!out.rows.empty(), Fault::data, file.string() + " has no row with words");
  const bool alike = std::ranges::adjacent_find(out.scores, std::not_equal_to()) == out.scores.end();
  require(out.task != WordTask::similarity || out.rows.size() < 2 || !alike, Fault::data,
          file.string() + ": all scores are alike, so that nothing can agree with them");
  return out;
}

Spread spread_space(const WordSpace& space, const Texts& words) {
  Spread out{space.name, space.words.size(), Matrix(words.size(), space.vectors.cols()),
             std::vector<std::uint8_t>(words.size())};
  for (Index i = 0; i < words.size(); ++i)
    if (const auto at = space.find(words[i])) {
      std::ranges::copy(space.vectors[*at], out.vectors[i].begin());
      out.known[i] = 1;
    }
  return out;
}

/// Each word as a text of a model.
Spread spread_model(const std::string& name, const fs::path& models, const Texts& words, const Run& run) {
  const Encoder encoder = load_model(name, models, run);
  Spread out{name, 0, encoder.encode(words, {}, run).to_matrix(), {}};
  unit_rows(out.vectors.span());
  out.known.assign(words.size(), 1);
  for (Index i = 0; i < words.size(); ++i)
    out.known[i] = std::ranges::any_of(std::as_const(out.vectors)[i], [](float x) { return x != 0; });
  return out;
}

double cosine(const Matrix& m, Index a, Index b) {
  return static_cast<double>(kernels().dot(m[a].data(), m[b].data(), m.cols()));
}

WordResult groups_of(const WordSet& set, const std::vector<Index>& rows, const Spread& space,
                     const EvaluateWordsOptions& o, const Run& run) {
  std::map<std::string, Label> numbers;
  for (const Index row : rows) numbers.try_emplace(set.labels[row], 0);
  Label next = 0;
  for (auto& [label, number] : numbers) number = next++;
  require(numbers.size() >= 2 && numbers.size() < rows.size(), Fault::data,
          set.name + " needs at least two labels and more words than labels; of the words that are known " +
              std::to_string(rows.size()) + " have " + std::to_string(numbers.size()));
  Matrix x(rows.size(), space.vectors.cols());
  auto classes = std::make_shared<std::vector<Label>>();
  for (Index i = 0; i < rows.size(); ++i) {
    std::ranges::copy(space.vectors[set.rows[rows[i]][0]], x[i].begin());
    classes->push_back(numbers.at(set.labels[rows[i]]));
  }
  auto starts = std::make_shared<std::vector<std::vector<Label>>>();
  for (Index s = 0; s < o.starts; ++s)
    starts->push_back(
        SphericalKMeans::fit(Rows(x), {.n_clusters = numbers.size(), .n_init = 10, .seed = o.seed.child(s)},
                             run.quiet())
            .labels()
            .of);
  const Measurable purities{{rows.size()}, [classes, starts](DrawCounts times) {
                              double sum = 0;
                              for (const auto& labels : *starts) {
                                std::vector<Label> truth, found;
                                for (Index i = 0; i < times.size(); ++i)
                                  for (std::uint32_t t = 0; t < times[i]; ++t) {
                                    truth.push_back((*classes)[i]);
                                    found.push_back(labels[i]);
                                  }
                                sum += purity(Contingency(truth, found));
                              }
                              return sum / static_cast<double>(starts->size());
                            }};
  WordResult out;
  out.resampled = resample(purities, o.resamples, o.seed, run.quiet());
  return out;
}

}  // namespace

WordsEvaluation evaluate_words(const EvaluateWordsOptions& o, const Run& run) {
  check_options(o);
  require(!o.spaces.empty() && !o.sets.empty(), Fault::argument, "a space and a set are needed");
  std::map<std::string, std::string> forms;
  if (!o.forms.empty()) {
    const WholeTable table = read_whole_table(o.forms, o.read, run);
    const auto columns = place_columns(table, {{"form", {"form"}}, {"word", {"word", "lemma"}}}, {});
    for (Index row = 0; row < table.rows; ++row)
      forms[lower_form(table.columns[columns[0]][row])] = lower_form(table.columns[columns[1]][row]);
  }
  const auto form = [&](std::string_view word) {
    std::string out = lower_form(word);
    const auto at = forms.find(out);
    return at == forms.end() ? out : at->second;
  };

  std::vector<WordSpace> spaces(o.spaces.size());
  std::vector<std::uint8_t> is_space(o.spaces.size());
  for (Index s = 0; s < o.spaces.size(); ++s) {
    const fs::path path = o.spaces[s];
    std::error_code ignored;
    is_space[s] = fs::is_regular_file(path, ignored) || is_words_folder(path);
    if (is_space[s]) spaces[s] = open_word_space(path, run);
  }
  WordList list;
  if (is_space[0])  // among these analogies are solved
    for (Index i = 0; i < spaces[0].words.size(); ++i)
      if (spaces[0].find(spaces[0].words[i]) == i) list.add(lower_form(spaces[0].words[i]));
  const Index candidates = list.words().size();
  std::vector<WordSet> sets;
  for (const fs::path& file : o.sets) sets.push_back(read_set(file, o.read, form, list, run));
  const bool analogies =
      std::ranges::any_of(sets, [](const WordSet& set) { return set.task == WordTask::analogies; });

  // What only analogies need of a model is not embedded without them.
  Texts words = list.words();
  std::vector<Spread> spread;
  for (Index s = 0; s < o.spaces.size(); ++s) {
    if (is_space[s]) {
      spread.push_back(spread_space(spaces[s], words));
      continue;
    }
    if (analogies || candidates == 0) {
      spread.push_back(spread_model(o.spaces[s], o.models_folder, words, run));
      continue;
    }
    std::vector<std::uint32_t> needed;
    for (const WordSet& set : sets)
      for (const auto& row : set.rows) needed.insert(needed.end(), row.begin(), row.end());
    std::ranges::sort(needed);
    needed.erase(std::ranges::unique(needed).begin(), needed.end());
    Texts some;
    for (const auto w : needed) some.add(words[w]);
    const Spread found = spread_model(o.spaces[s], o.models_folder, some, run);
    Spread all{found.name, 0, Matrix(words.size(), found.vectors.cols()),
               std::vector<std::uint8_t>(words.size())};
    for (Index i = 0; i < needed.size(); ++i) {
      std::ranges::copy(found.vectors[i], all.vectors[needed[i]].begin());
      all.known[needed[i]] = found.known[i];
    }
    spread.push_back(std::move(all));
  }
  const auto known = [&](const std::vector<std::uint32_t>& row) {
    return std::ranges::all_of(row, [&](auto w) {
      return std::ranges::all_of(spread, [&](const Spread& s) { return s.known[w]; });
    });
  };

  WordsEvaluation out;
  std::vector<std::vector<Index>> tried(sets.size());
  for (Index i = 0; i < sets.size(); ++i) {
    for (Index row = 0; row < sets[i].rows.size(); ++row)
      if (known(sets[i].rows[row])) tried[i].push_back(row);
    require(tried[i].size() >= kLeast, Fault::data,
            "of the " + std::to_string(sets[i].rows.size()) + " rows of " + sets[i].name + " " +
                std::to_string(tried[i].size()) + " have words that are known; at least 3 are needed");
  }
  // Words of the similarity sets, numbered for the draws: the same for all spaces.
  std::map<std::uint32_t, std::uint32_t> numbers;
  std::vector<JudgedPairs> judged;
  std::vector<Index> of;
  for (Index i = 0; i < sets.size(); ++i) {
    if (sets[i].task != WordTask::similarity) continue;
    JudgedPairs pairs{sets[i].name, {}, {}};
    const auto number = [&](std::uint32_t w) {
      return numbers.try_emplace(w, static_cast<std::uint32_t>(numbers.size())).first->second;
    };
    for (const Index row : tried[i]) {
      const std::uint32_t a = number(sets[i].rows[row][0]), b = number(sets[i].rows[row][1]);
      pairs.words.push_back({a, b});
      pairs.judged.push_back(sets[i].scores[row]);
    }
    judged.push_back(std::move(pairs));
    of.push_back(i);
  }
  std::vector<WordSimilarity> single, means;  // of the first space, by set; of all together
  Index place = 0;
  for (Index s = 0; s < spread.size(); ++s) {
    if (run.progress) run.progress("measure", static_cast<double>(s), static_cast<double>(spread.size()));
    const Spread& space = spread[s];
    WordSpaceResults results{space.name, space.words, space.vectors.cols(), {}, {}};
    results.sets.resize(sets.size());
    std::vector<std::vector<double>> cosines;
    for (const Index i : of) {
      cosines.emplace_back();
      for (const Index row : tried[i])
        cosines.back().push_back(cosine(space.vectors, sets[i].rows[row][0], sets[i].rows[row][1]));
    }
    const auto similarity = [&](const std::vector<JudgedPairs>& pairs,
                                const std::vector<std::vector<double>>& by,
                                std::vector<WordSimilarity>& firsts) {
      WordResult result;
      const WordSimilarity found = word_similarity(pairs, by, run);
      if (s == 0) firsts.push_back(found);
      result.value = measured(found, pairs, numbers.size());
      result.behind = measured(difference(s == 0 ? found : firsts[place], found), pairs, numbers.size());
      return result;
    };
    for (Index i = 0; i < sets.size(); ++i) {
      WordResult& result = results.sets[i];
      if (sets[i].task == WordTask::similarity) {
        const auto at = static_cast<Index>(std::ranges::find(of, i) - of.begin());
        place = at;
        result = similarity({judged[at]}, {cosines[at]}, single);
      } else if (sets[i].task == WordTask::analogies) {
        std::vector<std::array<std::uint32_t, 4>> questions;
        for (const Index row : tried[i]) {
          std::array<std::uint32_t, 4> q{};
          std::ranges::copy(sets[i].rows[row], q.begin());
          questions.push_back(q);
        }
        const auto right = std::make_shared<std::vector<std::uint8_t>>(
            solve_analogies(candidates > 0 ? space.vectors.view().slice(0, candidates) : space.vectors.view(),
                            questions, run));
        const Measurable share{{right->size()}, [right](DrawCounts times) {
                                 double hits = 0, all = 0;
                                 for (Index q = 0; q < times.size(); ++q)
                                   hits += (*right)[q] * times[q], all += times[q];
                                 return hits / all;
                               }};
        result.resampled = resample(share, o.resamples, o.seed, run.quiet());
      } else {
        result = groups_of(sets[i], tried[i], space, o, run);
      }
      result.task = sets[i].task;
      result.set = sets[i].name;
      result.rows = sets[i].rows.size();
      result.tried = tried[i].size();
      if (sets[i].task == WordTask::similarity) continue;
      result.value = measured(result.resampled);
      if (s > 0) result.behind = difference(out.spaces[0].sets[i].resampled, result.resampled);
    }
    if (of.size() > 1) {
      place = 0;
      results.mean = similarity(judged, cosines, means);
      results.mean->set = "mean";
    }
    out.spaces.push_back(std::move(results));
  }
  return out;
}

std::vector<std::vector<WordNeighbour>> word_neighbours(const fs::path& path,
                                                        const std::vector<std::string>& words, Index k,
                                                        const Run& run) {
  const WordSpace space = open_word_space(path, run);
  std::vector<std::vector<WordNeighbour>> out;
  for (const std::string& word : words)
    out.push_back(nearest_words(space, space.vectors, space.place(word), k));
  return out;
}

}  // namespace shoal
