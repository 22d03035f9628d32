#include "shoal/words/choose_heads.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/kernels/kernels.h"
#include "shoal/words/closed_form.h"

namespace shoal {
namespace {

constexpr Index kDims = 100, kOthers = 50;
constexpr double kTemperature = 0.1, kFloor = 0.01, kGain = 1e-4;

/// A target of a description that was held out.
struct Item {
  Index contexts = 0;
  std::vector<float> gram;       // contexts x contexts: products of their vectors
  std::vector<float> products;   // contexts x (1 + kOthers): with the target and other words
  std::vector<float> attention;  // contexts x channels, each divided by its mean
};

/// Mean log share of the target with these weights of each item's contexts.
template <class Weight>
double score_of(const std::vector<Item>& items, const Run& run, const Weight& weight) {
  const double sum = fold_chunks(
      run, items.size(), 256, 0.0,
      [&](Index first, Index last) {
        double part = 0;
        std::vector<double> a, cosines(1 + kOthers);
        for (Index i = first; i < last; ++i) {
          const Item& item = items[i];
          const Index n = item.contexts;
          a.assign(n, 0);
          for (Index j = 0; j < n; ++j) a[j] = weight(item, j);
          double squares = 0;
          std::ranges::fill(cosines, 0);
          for (Index j = 0; j < n; ++j) {
            for (Index l = 0; l < n; ++l) squares += a[j] * a[l] * static_cast<double>(item.gram[j * n + l]);
            for (Index c = 0; c <= kOthers; ++c)
              cosines[c] += a[j] * static_cast<double>(item.products[j * (1 + kOthers) + c]);
          }
          const double scale = 1 / (kTemperature * std::sqrt(std::max(squares, 1e-12)));
          double shares = 0;
          for (double& x : cosines) shares += std::exp(x * scale);
          part += cosines[0] * scale - std::log(shares);
        }
        return part;
      },
      [](double& total, double part) { total += part; });
  return items.empty() ? 0 : sum / static_cast<double>(items.size());
}

ChannelChoice choose(const std::vector<Item>& items, const std::vector<LayerHead>& channels, Index most,
                     const Run& run) {
  ChannelChoice out;
  const Index n = channels.size();
  const auto with = [&](const std::vector<Index>& which) {
    return score_of(items, run.quiet(), [&](const Item& item, Index j) {
      double sum = kFloor;
      for (const Index c : which) sum += static_cast<double>(item.attention[j * n + c]);
      return sum;
    });
  };
  out.uniform = score_of(items, run.quiet(), [](const Item&, Index) { return 1.0; });
  std::vector<Index> chosen;
  double best = 0;
  while (chosen.size() < std::min(most, n)) {
    Index winner = n;
    double winning = 0;
    for (Index c = 0; c < n; ++c) {
      check_stop(run);
      if (std::ranges::find(chosen, c) != chosen.end()) continue;
      chosen.push_back(c);
      const double score = with(chosen);
      chosen.pop_back();
      if (chosen.empty()) out.alone.push_back({channels[c], score});
      if (winner == n || score > winning) winner = c, winning = score;
      if (run.progress)
        run.progress("heads", static_cast<double>(chosen.size() * n + c + 1),
                     static_cast<double>(n * std::min(most, n)));
    }
    if (!chosen.empty() && winning < best + kGain) break;
    chosen.push_back(winner);
    best = winning;
    out.chosen.push_back({channels[winner], winning});
  }
  return out;
}

/// The means of channels over halves, as doubles; 1 where all are 0.
std::vector<double> means_of(std::span<const std::uint16_t> halves, Index channels, double rows,
                             const Run& run) {
  std::vector<double> out = channel_sums(halves, channels, run);
  for (double& sum : out) sum = sum > 0 && rows > 0 ? sum / rows : 1;
  return out;
}

}  // namespace

HeadChoice choose_heads(const AttentionRows& rows, const HeadChoiceOptions& o, const Run& run) {
  // Every fifth description or so is held out.
  const Index descriptions = rows.descriptions();
  const Random random(o.seed.child(1));
  const auto is_held_out = [&](Index d) { return random.uniform(d) < 0.2; };
  const WordContexts all =
      contexts_of(rows, {.weights = ContextWeights::uniform, .targets = TargetWords::all}, run.quiet());
  WordContexts others;
  others.words = all.words;
  for (Index t = 0; t < all.size(); ++t) {
    if (is_held_out(all.described[t])) continue;
    others.target.push_back(all.target[t]);
    others.described.push_back(all.described[t]);
    const auto words = all.words_of(t);
    const auto weights = all.weights_of(t);
    others.context.insert(others.context.end(), words.begin(), words.end());
    others.weight.insert(others.weight.end(), weights.begin(), weights.end());
    others.starts.push_back(others.context.size());
  }
  const Matrix space = closed_form(others, {.svd_dims = kDims}, o.seed.child(2), run.quiet());
  const Index dims = space.cols();
  const auto known = [&](std::uint32_t w) {
    return kernels().dot(space[w].data(), space[w].data(), dims) > 0.5f;
  };

  // Other words: by frequency^0.75, those with a vector.
  std::vector<double> up_to;
  for (Index w = 0; w < rows.words.size(); ++w) {
    const double weight =
        known(static_cast<std::uint32_t>(w)) ? std::pow(static_cast<double>(rows.frequency[w]), 0.75) : 0.0;
    up_to.push_back(weight + (up_to.empty() ? 0 : up_to.back()));
  }
  const auto draw = [&](const Random& from, std::uint64_t i) {
    const auto at = std::ranges::upper_bound(up_to, from.uniform(i) * up_to.back());
    return static_cast<std::uint32_t>(
        std::min<std::ptrdiff_t>(at - up_to.begin(), static_cast<std::ptrdiff_t>(up_to.size()) - 1));
  };

  double entries = 0, pairs = 0;
  for (Index d = 0; d < descriptions; ++d) {
    const auto n = static_cast<double>(rows.description(d).size());
    entries += n - 1;
    pairs += n * (n - 1);
  }
  const Index heads = rows.head_channels.size(), layers = rows.pair_channels.size();
  const auto from_mean = means_of(rows.head_from, heads, entries, run.quiet());
  const auto to_mean = means_of(rows.head_to, heads, entries, run.quiet());
  const auto pair_mean = means_of(rows.pairs, layers, pairs, run.quiet());

  // The target at place i of description d; false if it cannot be tried.
  const auto item_of = [&](Index d, Index i, Item& item) {
    const auto members = rows.description(d);
    if (!known(members[i])) return false;
    std::vector<Index> places;
    for (Index j = 0; j < members.size(); ++j)
      if (j != i && known(members[j])) places.push_back(j);
    if (places.size() < 2) return false;
    item.contexts = places.size();
    std::vector<std::uint32_t> against{members[i]};
    const Random drawn(o.seed.child(3).child(d * 64 + i));
    for (std::uint64_t k = 0; against.size() <= kOthers && k < 8 * kOthers; ++k) {
      const std::uint32_t w = draw(drawn, k);
      if (std::ranges::find(members, w) == members.end()) against.push_back(w);
    }
    if (against.size() <= kOthers) return false;
    const auto product = [&](std::uint32_t a, std::uint32_t b) {
      return kernels().dot(space[a].data(), space[b].data(), dims);
    };
    for (const Index j : places) {
      for (const Index l : places) item.gram.push_back(product(members[j], members[l]));
      for (const std::uint32_t w : against) item.products.push_back(product(members[j], w));
    }
    std::vector<float> a(std::max(heads, layers)), b(std::max(heads, layers));
    for (const Index j : places) {
      if (i == 0) {
        const Index at = (rows.offsets[d] + j) * heads;
        kernels().f16_to_f32(rows.head_from.data() + at, a.data(), heads);
        kernels().f16_to_f32(rows.head_to.data() + at, b.data(), heads);
        for (Index c = 0; c < heads; ++c)
          item.attention.push_back(static_cast<float>(static_cast<double>(a[c]) / from_mean[c] +
                                                      static_cast<double>(b[c]) / to_mean[c]));
      } else {
        const Index at = rows.pair_offsets[d] + (i * members.size() + j) * layers;
        kernels().f16_to_f32(rows.pairs.data() + at, a.data(), layers);
        for (Index c = 0; c < layers; ++c)
          item.attention.push_back(static_cast<float>(static_cast<double>(a[c]) / pair_mean[c]));
      }
    }
    return true;
  };
  std::vector<Item> head_items, layer_items;
  for (Index d = 0; d < descriptions; ++d) {
    if (d % 1024 == 0) check_stop(run);
    if (!is_held_out(d)) continue;
    Item item;
    if (head_items.size() < o.held_out && item_of(d, 0, item)) head_items.push_back(std::move(item));
    const Index n = rows.description(d).size();
    if (layers == 0 || n < 2 || layer_items.size() >= o.held_out) continue;
    Item other;
    if (item_of(d, 1 + random.below(descriptions + d, n - 1), other)) layer_items.push_back(std::move(other));
  }
  require(!head_items.empty(), Fault::data,
          "there are too few descriptions to choose heads by: none that is held out has three words that "
          "stand in others too; name heads instead");
  HeadChoice out;
  out.heads = choose(head_items, rows.head_channels, o.most_heads, run);
  out.layers = choose(layer_items, rows.pair_channels, o.most_layers, run);
  return out;
}

}  // namespace shoal
