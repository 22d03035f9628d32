#include "shoal/words/word_attention.h"

#include <algorithm>

namespace shoal {

DescriptionTokens find_tokens(std::span<const WordStretch> stretches, std::uint32_t head,
                              std::span<const std::uint32_t> begins, std::span<const std::uint32_t> ends,
                              Index before, Index after) {
  DescriptionTokens out;
  const Index n = begins.size();
  out.members.push_back(head);
  out.receivers.assign(n, Receiver::punctuation);
  for (Index t = 0; t < std::min(before, n); ++t) out.receivers[t] = Receiver::first;
  for (Index t = n - std::min(after, n); t < n; ++t) out.receivers[t] = Receiver::last;
  Index at = before;
  for (const WordStretch& stretch : stretches) {
    while (at + after < n && ends[at] <= stretch.begin) ++at;
    Index last = at;
    while (last + after < n && begins[last] < stretch.end && ends[last] > stretch.begin) ++last;
    if (last == at) continue;  // cut off, or part of a token that belongs to the word before
    Receiver receiver = Receiver::words;
    if (stretch.word == WordStretch::kStop) {
      receiver = Receiver::stop_words;
    } else if (stretch.word == WordStretch::kOther) {
      receiver = Receiver::other_words;
    } else {
      const auto found = std::ranges::find(out.members, stretch.word);
      const auto member = static_cast<std::uint32_t>(found - out.members.begin());
      if (found == out.members.end()) out.members.push_back(stretch.word);
      if (member == 0) {
        receiver = Receiver::itself;
        out.head_tokens += last - at;
      }
      out.places.push_back({member, static_cast<std::uint32_t>(at), static_cast<std::uint32_t>(last)});
    }
    std::fill(out.receivers.begin() + static_cast<std::ptrdiff_t>(at),
              out.receivers.begin() + static_cast<std::ptrdiff_t>(last), receiver);
    at = last;
  }
  return out;
}

namespace {

/// Adds to `row`, of n numbers, the mean of a place's rows, `share` times.
void add_mean(MatrixView weights, const DescriptionTokens::Place& place, float share, std::span<float> row) {
  const float each = share / static_cast<float>(place.last - place.first);
  for (Index t = place.first; t < place.last; ++t) {
    const auto from = weights[t];
    for (Index u = 0; u < row.size(); ++u) row[u] += each * from[u];
  }
}

}  // namespace

void merge_tokens(const TextAttention& attention, const DescriptionTokens& tokens,
                  const ChannelPlaces& channels, std::span<float> from, std::span<float> to,
                  std::span<float> pairs, std::span<double> shares) {
  const Index n = attention.tokens(), members = tokens.members.size();
  std::vector<float> places_of(members);
  for (const auto& place : tokens.places) ++places_of[place.member];
  std::vector<float> row(n);
  std::ranges::fill(from, 0.0f);
  std::ranges::fill(to, 0.0f);
  std::ranges::fill(pairs, 0.0f);
  std::ranges::fill(shares, 0.0);

  const Index heads = channels.head.size();
  for (Index c = 0; c < heads; ++c) {
    const MatrixView weights = attention.channel(channels.head[c]);
    std::ranges::fill(row, 0.0f);
    for (const auto& place : tokens.places)
      if (place.member == 0) add_mean(weights, place, 1.0f / places_of[0], row);
    for (Index t = 0; t < n; ++t)
      shares[c * kReceivers + static_cast<Index>(tokens.receivers[t])] += static_cast<double>(row[t]);
    for (const auto& place : tokens.places) {
      if (place.member == 0) continue;
      float given = 0, got = 0;
      for (Index t = place.first; t < place.last; ++t) {
        given += row[t];
        for (const auto& head : tokens.places)
          if (head.member == 0)
            for (Index u = head.first; u < head.last; ++u) got += weights[t][u];
      }
      from[place.member * heads + c] += given;
      to[place.member * heads + c] +=
          got / (static_cast<float>(place.last - place.first) * places_of[place.member]);
    }
  }

  const Index count = channels.pairs.size();
  for (Index c = 0; c < count; ++c) {
    const MatrixView weights = attention.channel(channels.pairs[c]);
    for (const auto& source : tokens.places) {
      std::ranges::fill(row, 0.0f);
      add_mean(weights, source, 1.0f / places_of[source.member], row);
      float* of_source = pairs.data() + source.member * members * count + c;
      for (const auto& target : tokens.places) {
        if (target.member == source.member) continue;
        float sum = 0;
        for (Index u = target.first; u < target.last; ++u) sum += row[u];
        of_source[target.member * count] += sum;
      }
    }
  }
}

}  // namespace shoal
