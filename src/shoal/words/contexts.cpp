#include "shoal/words/contexts.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string_view>
#include <unordered_map>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/encode/text_attention.h"
#include "shoal/kernels/kernels.h"

namespace shoal {
namespace {

constexpr Index kGrain = 512;  // descriptions

/// How many layers and heads the channels could be of.
HeadCounts counts_of(const std::vector<LayerHead>& channels) {
  HeadCounts out{1, 1};
  for (const LayerHead& one : channels) {
    out.layers = std::max(out.layers, static_cast<Index>(one.layer) + 1);
    if (one.head >= 0) out.heads = std::max(out.heads, static_cast<Index>(one.head) + 1);
  }
  return out;
}

/// The place of each wanted channel.
std::vector<Index> places_of(const std::vector<LayerHead>& wanted, const std::vector<LayerHead>& there,
                             const char* option) {
  std::vector<Index> out;
  for (const LayerHead& one : wanted) {
    const auto at = std::ranges::find(there, one);
    if (at == there.end())
      throw Error(Fault::argument, option_name(option) + " names " + heads_text({&one, 1}) +
                                       ", which the attention was not kept of; there are " +
                                       (there.empty() ? "none" : heads_text(there)));
    out.push_back(static_cast<Index>(at - there.begin()));
  }
  return out;
}

float single(std::uint16_t half) {
  float out = 0;
  kernels().f16_to_f32(&half, &out, 1);
  return out;
}

/// 1 / mean of some channels over all rows that say something; 0 if nothing does.
std::vector<double> scales_of(std::span<const std::uint16_t> halves, Index channels,
                              const std::vector<Index>& which, double rows, const Run& run) {
  const std::vector<double> sums = channel_sums(halves, channels, run);
  std::vector<double> out;
  for (const Index c : which) out.push_back(sums[c] > 0 ? rows / sums[c] : 0);
  return out;
}

/// Adds the target with these contexts: sorted, cut, divided by the sum, times `share`.
void add(WordContexts& to, std::uint32_t word, Index description, std::span<const std::uint32_t> members,
         Index own, const std::vector<double>& attention, const ContextOptions& o, double share) {
  std::vector<Index> order;
  for (Index j = 0; j < members.size(); ++j)
    if (j != own) order.push_back(j);
  double sum = 0;
  for (const Index j : order) sum += attention[j];
  if (o.weights == ContextWeights::attention) {
    std::ranges::stable_sort(order, std::ranges::greater(), [&](Index j) { return attention[j]; });
    if (order.size() > o.most) order.resize(o.most);
  }
  to.target.push_back(word);
  to.described.push_back(static_cast<std::uint32_t>(description));
  for (const Index j : order) {
    const double weight = o.weights == ContextWeights::counts ? 1 : sum > 0 ? attention[j] / sum : 0;
    if (weight * share <= 0) continue;
    to.context.push_back(members[j]);
    to.weight.push_back(static_cast<float>(weight * share));
  }
  if (to.context.size() == to.starts.back()) {  // nothing is attended to
    to.target.pop_back();
    to.described.pop_back();
    return;
  }
  to.starts.push_back(to.context.size());
}

void append(WordContexts& to, WordContexts&& part) {
  const std::uint64_t before = to.context.size();
  to.target.insert(to.target.end(), part.target.begin(), part.target.end());
  to.described.insert(to.described.end(), part.described.begin(), part.described.end());
  to.context.insert(to.context.end(), part.context.begin(), part.context.end());
  to.weight.insert(to.weight.end(), part.weight.begin(), part.weight.end());
  for (Index t = 1; t < part.starts.size(); ++t) to.starts.push_back(before + part.starts[t]);
}

}  // namespace

std::vector<double> channel_sums(std::span<const std::uint16_t> halves, Index channels, const Run& run) {
  const Index n = channels == 0 ? 0 : halves.size() / channels;
  std::vector<double> sums = fold_chunks(
      run, n, 8192, std::vector<double>(channels),
      [&](Index first, Index last) {
        std::vector<double> part(channels);
        std::vector<float> row(channels);
        for (Index i = first; i < last; ++i) {
          kernels().f16_to_f32(halves.data() + i * channels, row.data(), channels);
          for (Index c = 0; c < channels; ++c) part[c] += static_cast<double>(row[c]);
        }
        return part;
      },
      [](std::vector<double>& total, std::vector<double>&& part) {
        for (Index c = 0; c < total.size(); ++c) total[c] += part[c];
      });
  // No sum of half floats is beyond a double, so that one which is not finite has a part that is not.
  require(std::ranges::all_of(sums, [](double sum) { return std::isfinite(sum); }), Fault::format,
          "the store is damaged: an attention in it is not finite");
  return sums;
}

WordContexts contexts_of(const AttentionRows& rows, const ContextOptions& o, const Run& run) {
  check_options(o);
  const bool by_attention = o.weights == ContextWeights::attention;
  const bool all = o.targets == TargetWords::all;
  const Index channels = rows.head_channels.size(), layers = rows.pair_channels.size();
  std::vector<Index> heads, means;
  std::vector<double> from_scale, to_scale, pair_scale;
  if (by_attention) {
    heads =
        places_of(read_heads(o.heads, counts_of(rows.head_channels), "heads"), rows.head_channels, "heads");
    double entries = 0, pairs = 0;
    for (Index d = 0; d < rows.descriptions(); ++d) {
      const auto n = static_cast<double>(rows.description(d).size());
      entries += n - 1;
      pairs += n * (n - 1);
    }
    from_scale = scales_of(rows.head_from, channels, heads, entries, run);
    to_scale = scales_of(rows.head_to, channels, heads, entries, run);
    if (all) {
      means = places_of(read_heads(o.layers, counts_of(rows.pair_channels), "layers"), rows.pair_channels,
                        "layers");
      pair_scale = scales_of(rows.pairs, layers, means, pairs, run);
    }
  }
  WordContexts out = fold_chunks(
      run, rows.descriptions(), kGrain, WordContexts(),
      [&](Index first, Index last) {
        WordContexts part;
        std::vector<double> attention;
        for (Index d = first; d < last; ++d) {
          const auto members = rows.description(d);
          const Index n = members.size();
          if (n < 2) continue;
          attention.assign(n, 1);
          if (by_attention)
            for (Index j = 1; j < n; ++j) {
              attention[j] = o.floor;
              for (Index c = 0; c < heads.size(); ++c) {
                const Index at = (rows.offsets[d] + j) * channels + heads[c];
                attention[j] += static_cast<double>(single(rows.head_from[at])) * from_scale[c] +
                                static_cast<double>(single(rows.head_to[at])) * to_scale[c];
              }
            }
          add(part, members[0], d, members, 0, attention, o, 1);
          if (!all) continue;
          for (Index i = 1; i < n; ++i) {
            attention.assign(n, 1);
            if (by_attention)
              for (Index j = 0; j < n; ++j) {
                attention[j] = 0;
                for (Index c = 0; c < means.size(); ++c)
                  attention[j] += static_cast<double>(single(
                                      rows.pairs[rows.pair_offsets[d] + (i * n + j) * layers + means[c]])) *
                                  pair_scale[c];
              }
            add(part, members[i], d, members, i, attention, o, o.others);
          }
        }
        return part;
      },
      [](WordContexts& total, WordContexts&& part) { append(total, std::move(part)); });
  out.words = rows.words.size();
  return out;
}

WordContexts in_vocabulary(const WordContexts& contexts, const Texts& from, const Texts& to) {
  require(from.size() == contexts.words, Fault::argument, "these words are not those of the contexts");
  constexpr std::uint32_t kNone = ~std::uint32_t{0};
  std::unordered_map<std::string_view, std::uint32_t> places;
  for (Index i = 0; i < to.size(); ++i) places.emplace(to[i], static_cast<std::uint32_t>(i));
  std::vector<std::uint32_t> place(from.size(), kNone);
  for (Index i = 0; i < from.size(); ++i)
    if (const auto at = places.find(from[i]); at != places.end()) place[i] = at->second;
  WordContexts out;
  out.words = to.size();
  for (Index t = 0; t < contexts.size(); ++t) {
    if (place[contexts.target[t]] == kNone) continue;
    const auto words = contexts.words_of(t);
    const auto weights = contexts.weights_of(t);
    for (Index j = 0; j < words.size(); ++j) {
      if (place[words[j]] == kNone) continue;
      out.context.push_back(place[words[j]]);
      out.weight.push_back(weights[j]);
    }
    if (out.context.size() == out.starts.back()) continue;
    out.target.push_back(place[contexts.target[t]]);
    out.described.push_back(contexts.described[t]);
    out.starts.push_back(out.context.size());
  }
  return out;
}

}  // namespace shoal
