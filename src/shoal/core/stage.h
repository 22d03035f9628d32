#pragma once

#include <concepts>
#include <string_view>
#include <utility>

#include "shoal/core/labels.h"
#include "shoal/core/rows.h"
#include "shoal/core/run.h"

namespace shoal {

class ArchiveWriter;  // store/archive.h
class ArchiveReader;

/// A fitted thing: a value that can be copied, saved and loaded.
template <class S>
concept Stage = std::copyable<S> && requires(const S s, ArchiveWriter& out, const ArchiveReader& in) {
  typename S::Options;
  { S::kind } -> std::convertible_to<std::string_view>;
  s.save(out);
  { S::load(in) } -> std::same_as<S>;
};

template <class S>
concept Clusterer = Stage<S> &&
    requires(const S s, const Rows& x, const typename S::Options& o, const Run& r) {
  { S::fit(x, o, r) } -> std::same_as<S>;
  { s.labels() } -> std::same_as<const Labels&>;
  { std::declval<S>().labels() } -> std::same_as<Labels>;  // nothing borrows from a temporary
};

template <class S>
concept Predictor = Stage<S> && requires(const S s, const Rows& x, const Run& r) {
  { s.predict(x, r) } -> std::same_as<Labels>;
};

template <class S>
concept Transformer = Stage<S> && requires(const S s, const Rows& x, const Run& r) {
  { s.transform(x, r) } -> std::same_as<Matrix>;
};

}  // namespace shoal
