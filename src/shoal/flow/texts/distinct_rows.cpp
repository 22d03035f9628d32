#include "shoal/flow/texts/distinct_rows.h"

#include <algorithm>
#include <bit>
#include <compare>
#include <cstring>
#include <memory>
#include <utility>

#include "shoal/flow/preparation.h"

namespace shoal {
namespace {

struct Key {
  std::uint64_t hash;
  Index row;
  auto operator<=>(const Key&) const = default;
};

std::uint64_t hash_of(std::span<const float> row) {
  std::uint64_t h = 0x9E3779B97F4A7C15u;
  for (const float x : row) {
    h = (h ^ std::bit_cast<std::uint32_t>(x)) * 0xBF58476D1CE4E5B9u;
    h ^= h >> 29;
  }
  return h;
}

bool equal(const Rows& x, Index a, Index b) {
  Matrix scratch_a, scratch_b;
  const auto row_a = x.block(a, 1, scratch_a)[0], row_b = x.block(b, 1, scratch_b)[0];
  return std::memcmp(row_a.data(), row_b.data(), row_a.size_bytes()) == 0;
}

}  // namespace

Distinct distinct_rows(const Rows& x) {
  std::vector<Key> keys;
  keys.reserve(x.rows());
  each_block(x, [&](const Rows& block, Index first) {
    Matrix scratch;
    const MatrixView rows = block.block(0, block.rows(), scratch);
    for (Index i = 0; i < rows.rows; ++i) keys.push_back({hash_of(rows[i]), first + i});
  });
  std::ranges::sort(keys);
  std::vector<Index> same(x.rows());  // the first equal row
  for (Index begin = 0, end; begin < keys.size(); begin = end) {
    std::vector<Index> different;  // of one hash: nearly always one
    for (end = begin; end < keys.size() && keys[end].hash == keys[begin].hash; ++end) {
      const Index row = keys[end].row;
      const auto found = std::ranges::find_if(different, [&](Index other) { return equal(x, other, row); });
      same[row] = found == different.end() ? row : *found;
      if (found == different.end()) different.push_back(row);
    }
  }
  const auto firsts = std::make_shared<std::vector<Index>>();
  std::vector<Index> of(x.rows());
  for (Index row = 0; row < x.rows(); ++row) {
    if (same[row] == row) firsts->push_back(row);
    of[row] = same[row] == row ? firsts->size() - 1 : of[same[row]];
  }
  const auto read = [x, firsts](Index first, Index count, Matrix& scratch) {
    scratch = Matrix(count, x.cols());
    Matrix one;
    for (Index i = 0; i < count; ++i)
      std::ranges::copy(x.block((*firsts)[first + i], 1, one)[0], scratch[i].begin());
    return std::as_const(scratch).view();
  };
  return {Rows(firsts->size(), x.cols(), Dtype::f32, read, x.space()), std::move(of)};
}

}  // namespace shoal
