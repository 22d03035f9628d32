#include <cmath>
#include <span>

#include "shoal/explain/term_counts.h"
#include "shoal/explain/term_keys_impl.h"

namespace shoal {
namespace {

constexpr double kApart =
    0.35;  // a word and its plural whose shares differ more, beyond chance, are two words

/// A shard's counts summed over the clusters of each group, ordered by term and group; `cluster` is the
/// group.
std::vector<TermCounts::Count> by_group(const TermCounts::Shard& shard, const Labels& groups) {
  std::vector<std::uint32_t> first(shard.terms.size() + 1);
  for (const TermCounts::Count& c : shard.counts) ++first[c.term + 1];
  for (Index t = 0; t + 1 < first.size(); ++t) first[t + 1] += first[t];
  std::vector<TermCounts::Count> ordered(shard.counts.size());
  for (const TermCounts::Count& c : shard.counts) {
    TermCounts::Count& to = ordered[first[c.term]++];
    to = c;
    to.cluster = static_cast<std::uint32_t>(groups.of[c.cluster]) & 0xFFFFFFu;
  }
  const auto before = [](const auto& a, const auto& b) {
    return a.term != b.term ? a.term < b.term : a.cluster < b.cluster;
  };
  Index kept = 0;
  for (Index begin = 0; begin < ordered.size();) {
    Index end = begin + 1;
    while (end < ordered.size() && ordered[end].term == ordered[begin].term) ++end;
    if (end - begin > 1)
      std::sort(ordered.begin() + static_cast<std::ptrdiff_t>(begin),
                ordered.begin() + static_cast<std::ptrdiff_t>(end), before);
    for (Index i = begin; i < end; ++i) {
      if (i > begin && ordered[kept - 1].cluster == ordered[i].cluster) {
        ordered[kept - 1].texts += ordered[i].texts;
        ordered[kept - 1].forms |= ordered[i].forms;
      } else {
        ordered[kept++] = ordered[i];
      }
    }
    begin = end;
  }
  ordered.resize(kept);
  return ordered;
}

using Counts = std::span<const TermCounts::Count>;

/// Calls `visit(group, texts of a, texts of b)` for each group that has one.
template <class Visit>
void for_both(Counts a, Counts b, const Visit& visit) {
  for (Index i = 0, j = 0; i < a.size() || j < b.size();) {
    const bool of_a = i < a.size() && (j == b.size() || a[i].cluster <= b[j].cluster);
    const bool of_b = !of_a || (j < b.size() && b[j].cluster == a[i].cluster);
    visit(of_a ? a[i].cluster : b[j].cluster, of_a ? &a[i] : nullptr, of_b ? &b[j] : nullptr);
    i += of_a;
    j += of_b;
  }
}

/// True if two words are spread over the groups alike, as far as chance lets one tell: the part of their
/// texts that lies elsewhere is less than kApart above what is to be expected of two draws from one
/// distribution.
bool alike(Counts a, Counts b, double texts_a, double texts_b) {
  double apart = 0, by_chance = 0;
  for_both(a, b, [&](Index, const auto* of_a, const auto* of_b) {
    const double here_a = of_a ? of_a->texts : 0, here_b = of_b ? of_b->texts : 0;
    const double share = (here_a + here_b) / (texts_a + texts_b);
    apart += std::abs(here_a / texts_a - here_b / texts_b) / 2;
    by_chance += 0.4 * std::sqrt(share * (1 - share) * (1 / texts_a + 1 / texts_b));
  });
  return apart - by_chance < kApart;
}

}  // namespace

std::vector<TermCounts::Merged> TermCounts::merged(const Shard& shard, const Labels& groups) {
  const std::vector<Count> counts = by_group(shard, groups);
  std::vector<std::uint32_t> first(shard.terms.size() + 1);
  for (const Count& c : counts) ++first[c.term + 1];
  for (Index t = 0; t + 1 < first.size(); ++t) first[t + 1] += first[t];
  const auto of = [&](std::uint32_t term) {
    return Counts(counts).subspan(first[term], first[term + 1] - first[term]);
  };
  std::vector<std::uint32_t> plural_of(shard.terms.size(), KeyTable::kNone);
  std::vector<bool> joined(shard.terms.size());  // said with its singular
  for (std::uint32_t t = 0; t < shard.terms.size(); ++t) {
    const Term& plural = shard.terms[t];
    if (plural.n_words != 1 || plural.key == plural.first) continue;
    const std::uint32_t singular = shard.term_of.find(plural.first);
    if (singular == KeyTable::kNone || !alike(of(singular), of(t), shard.terms[singular].texts, plural.texts))
      continue;
    plural_of[singular] = t;
    joined[t] = true;
  }
  std::vector<Merged> out;
  out.reserve(counts.size());
  for (std::uint32_t t = 0; t < shard.terms.size(); ++t) {
    const Term& term = shard.terms[t];
    if (joined[t] || term.n_words == 0) continue;
    const std::uint32_t plural = plural_of[t];
    if (plural == KeyTable::kNone) {
      for (const Count& c : of(t))
        out.push_back({t, c.cluster, t, c.texts, term.texts, static_cast<std::uint8_t>(c.forms)});
      continue;
    }
    const std::uint32_t both = shard.term_of.find(both_key(term.key));
    Counts twice = both == KeyTable::kNone ? Counts() : of(both);
    const std::uint32_t all =
        term.texts + shard.terms[plural].texts - (both == KeyTable::kNone ? 0 : shard.terms[both].texts);
    for_both(of(t), of(plural), [&](Index group, const Count* one, const Count* many) {
      while (!twice.empty() && twice.front().cluster < group) twice = twice.subspan(1);
      const std::uint32_t again = !twice.empty() && twice.front().cluster == group ? twice.front().texts : 0;
      const std::uint32_t ones = one ? one->texts : 0, manys = many ? many->texts : 0;
      const bool as_one = one && ones >= manys;
      const Count* shown = as_one ? one : many;
      out.push_back({as_one ? t : plural, static_cast<std::uint32_t>(group), t, ones + manys - again, all,
                     static_cast<std::uint8_t>(shown->forms)});
    });
  }
  return out;
}

}  // namespace shoal
