// How a profile fares on texts whose intents and groups are known:
//   personalise_bench VECTORS LABELS SEED AMOUNTS pairs|labels|losses
// LABELS has the intent and the user's group of each row, as two numbers a line. Half of the intents are
// seen: feedback is drawn from a random half of their texts, AMOUNTS (as 30,300) judgements, half of them
// accepted. The other half of all texts is new: at most 2,500 of them are searched, with 800 of them as
// queries. Prints a line of JSON for each amount: changes against no profile x 1000, with 95% intervals over
// the queries, of
//   ap_seen      average precision of the user's group, queries of seen intents
//   p10_seen     precision of the first ten by group, the same queries
//   p10_unseen   by intent, queries of unseen intents; p10_unseen_group: by group
//   ap_unseen    average precision by intent, among texts of unseen intents alone
// bench/personalise.py makes the inputs and the table.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <set>
#include <sstream>
#include <string>

#include "shoal/adapt/personalise.h"
#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/linear/norms.h"
#include "shoal/linear/product.h"
#include "shoal/near/select_rows.h"
#include "shoal/store/archive/archive.h"
#include "shoal/store/vectors/rows_file.h"

namespace {
using namespace shoal;

std::vector<Index> shuffled(std::vector<Index> rows, Seed seed) {
  const Random random(seed);
  std::vector<std::pair<std::uint64_t, Index>> drawn;
  for (Index i = 0; i < rows.size(); ++i) drawn.emplace_back(random.bits(i), rows[i]);
  std::ranges::sort(drawn);
  for (Index i = 0; i < rows.size(); ++i) rows[i] = drawn[i].second;
  return rows;
}

struct World {
  Matrix texts;  // all
  std::vector<int> intent, group;
  std::vector<Index> pool, corpus;  // feedback's, searched
  std::vector<bool> seen;           // of each row of the corpus
  Index n_queries = 0;              // the first of the corpus
  Matrix x;                         // the corpus
};

World make_world(const char* vectors, const char* labels, Seed seed) {
  World w;
  w.texts = open_rows(vectors).to_matrix();
  unit_rows(w.texts.span());
  std::ifstream in(labels);
  for (int a = 0, b = 0; in >> a >> b;) w.intent.push_back(a), w.group.push_back(b);
  require(w.intent.size() == w.texts.rows(), Fault::data, "not a line of labels for each vector");
  const std::set<int> intents(w.intent.begin(), w.intent.end());
  std::vector<Index> ids(intents.begin(), intents.end());
  ids = shuffled(ids, seed.child(1));
  const std::set<Index> known(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(ids.size() / 2));
  std::vector<Index> fresh;
  const Random half(seed.child(2));
  for (Index i = 0; i < w.texts.rows(); ++i) {
    if (half.uniform(i) >= 0.5) {
      fresh.push_back(i);
    } else if (known.contains(static_cast<Index>(w.intent[i]))) {
      w.pool.push_back(i);
    }
  }
  w.corpus = shuffled(fresh, seed.child(3));
  w.corpus.resize(std::min<Index>(w.corpus.size(), 2500));
  w.n_queries = std::min<Index>(w.corpus.size(), 800);
  for (const Index i : w.corpus) w.seen.push_back(known.contains(static_cast<Index>(w.intent[i])));
  w.x = select_rows(Rows(w.texts), w.corpus).to_matrix();
  return w;
}

std::vector<JudgedPair> draw_pairs(const World& w, Index n, Seed seed) {
  const Random random(seed);
  std::vector<JudgedPair> out;
  for (Index draw = 0; out.size() < n; ++draw) {
    const Index a = w.pool[random.below(2 * draw, w.pool.size())],
                b = w.pool[random.below(2 * draw + 1, w.pool.size())];
    const bool same = w.group[a] == w.group[b];
    if (a != b && same == (out.size() % 2 == 0)) out.push_back({a, b, same});
  }
  return out;
}

struct Scores {
  double ap_seen = 0, p10_seen = 0, p10_unseen = 0, p10_unseen_group = 0, ap_unseen = 0;
};
struct Ranked {
  std::vector<Scores> of;  // of each query; only those of its kind count
};

double average_precision(const std::vector<Index>& order, const auto& right, const auto& counts) {
  double found = 0, at = 0, sum = 0;
  for (const Index g : order) {
    if (!counts(g)) continue;
    at += 1;
    if (right(g)) sum += (found += 1) / at;
  }
  return found > 0 ? sum / found : 0;
}

/// score(query, order, top): scores of all rows of the corpus.
Ranked rank_all(const World& w, const auto& score) {
  Ranked out{std::vector<Scores>(w.n_queries)};
  for_chunks({}, w.n_queries, 4, [&](Index, Index first, Index last) {
    std::vector<float> order(w.corpus.size()), top(order);
    for (Index q = first; q < last; ++q) {
      score(q, order, top);
      order[q] = top[q] = -100;
      const auto hits = personal_order(order, top, 10, w.corpus.size());
      const auto group = [&](Index g) { return g != q && w.group[w.corpus[g]] == w.group[w.corpus[q]]; };
      const auto intent = [&](Index g) { return g != q && w.intent[w.corpus[g]] == w.intent[w.corpus[q]]; };
      Scores& s = out.of[q];
      for (Index i = 0; i < 10; ++i) {
        s.p10_seen += group(hits[i]) / 10.0;
        s.p10_unseen += intent(hits[i]) / 10.0;
      }
      s.p10_unseen_group = s.p10_seen;
      s.ap_seen = average_precision(hits, group, [&](Index g) { return g != q; });
      s.ap_unseen = average_precision(hits, intent, [&](Index g) { return g != q && !w.seen[g]; });
    }
  });
  return out;
}

std::string change(const World& w, const Ranked& before, const Ranked& after, double Scores::*of, bool seen) {
  double n = 0, sum = 0, squares = 0;
  for (Index q = 0; q < w.n_queries; ++q) {
    if (w.seen[q] != seen) continue;
    const double d = 1000 * (after.of[q].*of - before.of[q].*of);
    n += 1, sum += d, squares += d * d;
  }
  const double mean = sum / n;
  char out[64];
  std::snprintf(out, sizeof out, "[%.1f, %.1f]", mean, 1.96 * std::sqrt((squares / n - mean * mean) / n));
  return out;
}

std::string changes(const World& w, const Ranked& before, const Ranked& after) {
  return "\"ap_seen\": " + change(w, before, after, &Scores::ap_seen, true) +
         ", \"p10_seen\": " + change(w, before, after, &Scores::p10_seen, true) +
         ", \"p10_unseen\": " + change(w, before, after, &Scores::p10_unseen, false) +
         ", \"p10_unseen_group\": " + change(w, before, after, &Scores::p10_unseen_group, false) +
         ", \"ap_unseen\": " + change(w, before, after, &Scores::ap_unseen, false);
}

Ranked rank_by(const World& w, const Profile& profile) {
  const auto prepared = profile.prepare(w.x.view());
  const Packed packed = Packed::rows(w.x);
  return rank_all(w, [&](Index q, std::vector<float>& order, std::vector<float>& top) {
    Matrix cosine(1, w.x.rows());
    multiply(w.x.view().slice(q, 1), packed, {}, Activation::none, cosine.span());
    std::ranges::copy(cosine[0], order.begin());
    std::ranges::copy(cosine[0], top.begin());
    profile.add(profile.ask(w.x[q]), prepared, order, top);
  });
}

Ranked rank_by_vectors(const World& w, Matrix x) {
  unit_rows(x.span());
  const Packed packed = Packed::rows(x);
  return rank_all(w, [&](Index q, std::vector<float>& order, std::vector<float>& top) {
    Matrix cosine(1, x.rows());
    multiply(x.view().slice(q, 1), packed, {}, Activation::none, cosine.span());
    std::ranges::copy(cosine[0], order.begin());
    std::ranges::copy(cosine[0], top.begin());
  });
}

Matrix mapped(const Matrix& x, const Matrix& w) {
  Matrix out(x.rows(), x.cols());
  multiply(x.view(), Packed::rows(w), {}, Activation::none, out.span());
  for (Index i = 0; i < x.rows() * x.cols(); ++i) out.data()[i] += x.data()[i];
  return out;
}

void losses(const World& w, const Ranked& before, Index n, Seed seed) {
  const auto pairs = draw_pairs(w, n, seed);
  for (const PairLoss loss : {PairLoss::cosine, PairLoss::contrastive}) {
    const Matrix map = learn_pair_map(w.texts.view(), pairs, loss, seed, {});
    for (const Index rank : {Index{0}, Index{16}}) {
      Matrix used = map;
      if (rank > 0) {
        const LowRank parts = low_rank(map, rank);
        multiply(parts.left.view(), Packed::columns(parts.right.view()), {}, Activation::none, used.span());
      }
      std::printf("{\"pairs\": %zu, \"loss\": \"%s\", \"rank\": %zu, %s}\n", n,
                  std::string(name_of(loss)).c_str(), rank == 0 ? w.x.cols() : rank,
                  changes(w, before, rank_by_vectors(w, mapped(w.x, used))).c_str());
      std::fflush(stdout);
    }
  }
}

int bench(const char* const* args) {
  const Seed seed{std::stoull(args[3])};
  const World w = make_world(args[1], args[2], seed);
  const std::string mode = args[5];
  const Ranked before = rank_by_vectors(w, w.x);
  const ProfileOptions options;
  const CorpusClusters clusters = CorpusClusters::of(Rows(w.x), options);
  std::stringstream amounts(args[4]);
  for (std::string amount; std::getline(amounts, amount, ',');) {
    const Index n = std::stoull(amount);
    if (mode == "losses") {
      losses(w, before, n, seed.child(n));
      continue;
    }
    PersonaliseReport report;
    const auto begin = std::chrono::steady_clock::now();
    std::optional<Profile> profile;
    if (mode == "pairs") {
      profile =
          personalise(clusters, Rows(w.x), Rows(w.texts), draw_pairs(w, n, seed.child(n)), options, report);
    } else {
      Labels labels{std::vector<Label>(w.texts.rows(), kNoise), 0};
      for (const Index i : shuffled(w.pool, seed.child(n))) {
        if (report.texts++ == n) break;
        labels.of[i] = w.group[i];
      }
      for (const int g : w.group) labels.count = std::max<Index>(labels.count, static_cast<Index>(g) + 1);
      profile = personalise(clusters, Rows(w.x), Rows(w.texts), labels, options, report);
    }
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begin;
    std::printf(
        "{\"%s\": %zu, \"trust\": \"%s\", \"top\": [%.1f, %.1f], \"guard\": [%.4f, %.4f, %.4f], %s, "
        "\"seconds\": %.1f}\n",
        mode.c_str(), n, std::string(name_of(report.trust)).c_str(), profile->top().map,
        profile->top().preferences, report.order.before, report.order.gain, report.order.error,
        changes(w, before, rank_by(w, *profile)).c_str(), took.count());
    std::fflush(stdout);
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    if (argc < 6)
      throw Error(Fault::argument, "personalise_bench VECTORS LABELS SEED AMOUNTS pairs|labels|losses");
    return bench(argv);
  } catch (const std::exception& e) {
    std::fprintf(stderr, "%s\n", e.what());
    return 1;
  }
}
