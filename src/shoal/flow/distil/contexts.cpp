#include <algorithm>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/flow/distil/contexts_impl.h"

namespace shoal {
namespace {

constexpr Index kGrain = 128;   // texts tokenized at once
constexpr Index kColumns = 32;  // of the sums, by one thread

}  // namespace

std::vector<Place> align(const StaticTokenizer& tokens, std::span<const std::uint32_t> before,
                         std::span<const std::uint32_t> now) {
  std::vector<Place> out;
  Index at = 0, at_letter = 0,
        letter = 0;  // the next of `before` begins at at_letter, that of `now` at letter
  for (const std::uint32_t token : now) {
    if (token == tokens.unknown()) {  // covers what nobody knows
      while (at < before.size() && at_letter < letter && before[at] != token)
        at_letter += tokens.letters(before[at++]);
      if (at >= before.size() || at_letter != letter || before[at] != token) break;
      ++at;
      continue;
    }
    while (at < before.size() && at_letter < letter && before[at] != tokens.unknown())
      at_letter += tokens.letters(before[at++]);
    Place place{token, at, at};
    const bool begins = at_letter == letter;
    letter += tokens.letters(token);
    Index end_letter = at_letter;
    while (place.last < before.size() && end_letter < letter && before[place.last] != tokens.unknown())
      end_letter += tokens.letters(before[place.last++]);
    if (end_letter < letter) break;  // `before` was cut, or they do not agree
    if (begins && end_letter == letter) {
      if (place.last > place.first) out.push_back(place);
      at = place.last;
      at_letter = end_letter;
    }
  }
  return out;
}

void Contexts::add(const Texts& texts, Index first, Index count, const TokenStates& model,
                   const StaticTokenizer& tokens, const Tokenizer& before, const Tokenizer& now,
                   const Run& run) {
  struct Part {
    Tokens own;
    std::vector<Place> places;  // in `own`
  };
  std::vector<Part> parts(chunk_count(count, kGrain));
  for_chunks(run.quiet(), count, kGrain, [&](Index chunk, Index begin, Index end) {
    Part& part = parts[chunk];
    part.own = before.encode_plain(texts, first + begin, end - begin, model.room());
    const Tokens split = now.encode_plain(texts, first + begin, end - begin);
    for (Index i = 0; i < part.own.size(); ++i)
      for (Place place : align(tokens, part.own[i], split[i])) {
        place.first += part.own.starts[i], place.last += part.own.starts[i];
        part.places.push_back(place);
      }
  });
  Tokens own;
  std::vector<Place> places;
  for (const Part& part : parts) {
    const Index shift = own.ids.size();
    for (const std::uint32_t id : part.own.ids) own.ids.push_back(tokens.originals(id).front());
    for (Index i = 1; i < part.own.starts.size(); ++i) own.starts.push_back(shift + part.own.starts[i]);
    for (const Place& p : part.places) places.push_back({p.token, shift + p.first, shift + p.last});
  }
  const Matrix states = model.states(own, run);
  check_stop(run);
  Run whole = run.quiet();  // from here on it is all of the texts or none of them
  whole.stop = {};
  for (const Place& place : places) {
    ++times_[place.token];
    if (slots_[place.token] != kNone) continue;
    slots_[place.token] = static_cast<std::int32_t>(sums_.size() / dims_);
    sums_.resize(sums_.size() + dims_);
  }
  // Each thread has columns of its own: the sums run in the order of the texts.
  for_chunks(whole, dims_, kColumns, [&](Index, Index begin, Index end) {
    for (const Place& place : places) {
      double* sum = sums_.data() + static_cast<Index>(slots_[place.token]) * dims_;
      const double share = 1.0 / static_cast<double>(place.last - place.first);
      for (Index i = place.first; i < place.last; ++i)
        for (Index j = begin; j < end; ++j) sum[j] += share * static_cast<double>(states[i][j]);
    }
  });
}

void Contexts::mean(Index token, std::span<float> row) const {
  const double* sum = sums_.data() + static_cast<Index>(slots_[token]) * dims_;
  for (Index j = 0; j < dims_; ++j) row[j] = static_cast<float>(sum[j] / static_cast<double>(times_[token]));
}

void Contexts::save(ArchiveWriter& out) const {
  out.add("slots", std::span<const std::int32_t>(slots_));
  out.add("times", std::span<const std::int64_t>(times_));
  out.add("sums", std::span<const double>(sums_));
}

void Contexts::load(const ArchiveReader& in) {
  const std::vector<std::int64_t> slots = in.integers("slots");
  std::vector<double> sums = in.doubles("sums", in.tensor("sums").count());
  std::vector<std::int64_t> times = in.integers("times");
  bool fits = slots.size() == slots_.size() && times.size() == times_.size() && sums.size() % dims_ == 0;
  std::vector<bool> taken(sums.size() / dims_);
  for (Index i = 0; fits && i < slots.size(); ++i) {
    if (slots[i] == kNone) {
      fits = times[i] == 0;
      continue;
    }
    const auto slot = static_cast<Index>(slots[i]);  // one below 0 is beyond the end
    fits = times[i] > 0 && slot < taken.size() && !taken[slot];
    if (fits) taken[slot] = true;
  }
  require(fits && std::ranges::find(taken, false) == taken.end(), Fault::format,
          in.path().string() + ": does not fit the model");
  for (Index i = 0; i < slots.size(); ++i) slots_[i] = static_cast<std::int32_t>(slots[i]);
  times_ = std::move(times);
  sums_ = std::move(sums);
}

}  // namespace shoal
