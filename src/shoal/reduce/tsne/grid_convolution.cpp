#include "shoal/reduce/tsne/grid_convolution_impl.h"

#include <algorithm>
#include <utility>

#include "shoal/core/chunks.h"

namespace shoal {
namespace {

constexpr Index kLanes = LaneFft::kLanes, kItem = LaneFft::kItem;

// The transform of a quintic B-spline's values at whole numbers: 1, 26, 66, 26 and 1 of 120.
double spline_transform(Index frequency, Index length) {
  const double cos = unit_root(frequency, length).cos;
  return (16 + cos * (13 + cos)) / 30;  // (66 + 52 cos + 2 cos 2x) / 120
}

}  // namespace

class GridConvolution::Scratch {
 public:
  explicit Scratch(GridConvolution& grid) : grid_(grid) {
    const std::scoped_lock lock(grid.mutex_);
    if (!grid.spare_.empty()) {
      floats_ = std::move(grid.spare_.back());
      grid.spare_.pop_back();
    }
    floats_.resize(2 * std::max(grid.along_.length(), grid.across_.length()) * kItem);
  }
  ~Scratch() {
    const std::scoped_lock lock(grid_.mutex_);
    grid_.spare_.push_back(std::move(floats_));
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  float* first() { return floats_.data(); }
  float* second() { return floats_.data() + floats_.size() / 2; }

 private:
  GridConvolution& grid_;
  std::vector<float> floats_;
};

void GridConvolution::prepare(Index columns, Index rows, float spacing, const Run& run) {
  const Index pairs = chunk_count(rows, 2 * kRows);
  // Twice as long as there are nodes: what wraps round then stays outside.
  const Index along = LaneFft::length_for(std::max<Index>(2 * columns, 2 * kRows));
  const Index across = LaneFft::length_for(std::max(2 * rows, pairs * 2 * kRows));
  const bool same = along == along_.length() && across == across_.length() && spacing == spacing_;
  columns_ = columns, pairs_ = pairs;
  strips_.resize(strips() * strip_size());
  if (same) return;
  spacing_ = spacing;
  along_ = LaneFft(along), across_ = LaneFft(across);
  make_kernel(run);
}

void GridConvolution::convolve(const Run& run) {
  transform_rows(run);
  convolve_columns(run);
  restore_rows(run);
}

void GridConvolution::transform_rows(const Run& run) {
  for_chunks(run, pairs_, 1, [&](Index pair, Index, Index) {
    Scratch scratch(*this);
    float* data = spectrum(pair, 0);
    float* other = scratch.first();
    if (!along_.stays()) std::swap(data, other);  // so that the result is where it belongs
    load_charges(pair, data);
    along_.run(data, other);
  });
}

void GridConvolution::load_charges(Index pair, float* out) const {
  for (Index half = 0; half < 2; ++half) {
    const Index s = 2 * pair + half;
    const float* own = strip(s).data();
    const float* before = s == 0 ? nullptr : strip(s - 1).data();
    for (Index c = 0; c < columns_; ++c) {
      float* to = out + c * kItem + half * kLanes;
      std::copy_n(own + c * kWidth, kLanes, to);
      if (before == nullptr) continue;
      for (Index l = 0; l < kWidth - kLanes; ++l) to[l] += before[c * kWidth + kLanes + l];
    }
  }
  std::fill(out + columns_ * kItem, out + along_.length() * kItem, 0.0f);
}

void GridConvolution::convolve_columns(const Run& run) {
  for_chunks(run, tiles(), 1, [&](Index tile, Index, Index) {
    Scratch scratch(*this);
    load_columns(tile, scratch.first());
    float* data = across_.run(scratch.first(), scratch.second());
    multiply_by_kernel(tile, data);
    float* other = data == scratch.first() ? scratch.second() : scratch.first();
    store_columns(tile, across_.run(data, other));
  });
}

// Separates the transforms of a pair's strips (times 2), of which the one was taken as real part and the
// other as imaginary, and turns rows into columns.
void GridConvolution::load_columns(Index tile, float* columns) const {
  const Index length = along_.length(), first = tile * kLanes;
  const Index count = std::min(kLanes, row_frequencies() - first);
  if (count < kLanes) std::fill_n(columns, pairs_ * 2 * kRows * kItem, 0.0f);
  for (Index pair = 0; pair < pairs_; ++pair)
    for (Index k = 0; k < count; ++k) {
      const float* z = spectrum(pair, first + k);
      const float* mirror = spectrum(pair, (length - first - k) % length);
      float* to = columns + pair * 2 * kRows * kItem + k;
      for (Index l = 0; l < kLanes; ++l, to += kItem) {
        const float re = z[l], im = z[kLanes + l], mirror_re = mirror[l], mirror_im = mirror[kLanes + l];
        to[0] = re + mirror_re;
        to[kLanes] = im - mirror_im;
        to[kRows * kItem] = im + mirror_im;
        to[kRows * kItem + kLanes] = mirror_re - re;
      }
    }
  std::fill(columns + pairs_ * 2 * kRows * kItem, columns + across_.length() * kItem, 0.0f);
}

// Also swaps real and imaginary parts, which makes the next transform the inverse.
void GridConvolution::multiply_by_kernel(Index tile, float* columns) const {
  const float* kernel = kernel_.data() + tile * column_frequencies() * kLanes;
  for (Index f = 0; f < across_.length(); ++f) {
    const float* factor = kernel + std::min(f, across_.length() - f) * kLanes;
    float* item = columns + f * kItem;
    for (Index l = 0; l < kLanes; ++l) {
      const float re = item[l], im = item[kLanes + l];
      item[l] = factor[l] * im;
      item[kLanes + l] = factor[l] * re;
    }
  }
}

// Undoes load_columns. Real and imaginary parts come swapped, and go swapped to the next transform.
void GridConvolution::store_columns(Index tile, const float* columns) {
  const Index length = along_.length(), first = tile * kLanes;
  const Index count = std::min(kLanes, row_frequencies() - first);
  for (Index pair = 0; pair < pairs_; ++pair)
    for (Index k = 0; k < count; ++k) {
      float* z = spectrum(pair, first + k);
      float* mirror = spectrum(pair, (length - first - k) % length);
      const float* from = columns + pair * 2 * kRows * kItem + k;
      for (Index l = 0; l < kLanes; ++l, from += kItem) {
        const float im = from[0], re = from[kLanes];
        const float other_im = from[kRows * kItem], other_re = from[kRows * kItem + kLanes];
        mirror[l] = other_re - im;
        mirror[kLanes + l] = re + other_im;
        z[l] = im + other_re;
        z[kLanes + l] = re - other_im;
      }
    }
}

void GridConvolution::restore_rows(const Run& run) {
  for_chunks(run, pairs_, 1, [&](Index pair, Index, Index) {
    Scratch scratch(*this);
    const float* result = along_.run(spectrum(pair, 0), scratch.first());
    for (Index half = 0; half < 2; ++half) {
      const Index s = 2 * pair + half;
      float* own = strip(s).data();
      float* before = s == 0 ? nullptr : strip(s - 1).data();
      for (Index c = 0; c < columns_; ++c) {
        const float* from = result + c * kItem + (1 - half) * kLanes;
        std::copy_n(from, kLanes, own + c * kWidth);
        if (before != nullptr) std::copy_n(from, kWidth - kLanes, before + c * kWidth + kLanes);
      }
    }
  });
}

// The kernel is even in both directions, so its transform is real and even: rows 0..across/2 are enough, and
// pairs of strips need no separating.
void GridConvolution::make_kernel(const Run& run) {
  const Index pairs = std::max(pairs_, chunk_count(column_frequencies(), 2 * kRows));
  spectrum_.resize(pairs * along_.length() * kItem);
  kernel_.resize(tiles() * column_frequencies() * kLanes);
  for_chunks(run, pairs, 1, [&](Index pair, Index, Index) {
    Scratch scratch(*this);
    float* data = spectrum(pair, 0);
    float* other = scratch.first();
    if (!along_.stays()) std::swap(data, other);
    load_kernel_rows(pair, data);
    along_.run(data, other);
  });
  for_chunks(run, tiles(), 1, [&](Index tile, Index, Index) {
    Scratch scratch(*this);
    make_kernel_tile(tile, scratch);
  });
}

void GridConvolution::load_kernel_rows(Index pair, float* out) const {
  const auto square = [&](Index nodes) {
    const float distance = static_cast<float>(nodes) * spacing_;
    return distance * distance;
  };
  for (Index c = 0; c < along_.length(); ++c) {
    const float x = square(std::min(c, along_.length() - c));
    for (Index l = 0; l < kItem; ++l) out[c * kItem + l] = 1 / (1 + x + square(pair * kItem + l));
  }
}

void GridConvolution::make_kernel_tile(Index tile, Scratch& scratch) {
  const Index length = across_.length(), first = tile * kLanes;
  const Index count = std::min(kLanes, row_frequencies() - first);
  float* columns = scratch.first();
  std::fill_n(columns, length * kItem, 0.0f);
  for (Index r = 0; r < length; ++r) {
    const Index row = std::min(r, length - r);
    for (Index k = 0; k < count; ++k) columns[r * kItem + k] = spectrum(row / kItem, first + k)[row % kItem];
  }
  const float* result = across_.run(columns, scratch.second());
  // The inverse transforms want 1 / n, load_columns wants 1/2.
  const double share = 0.5 / (static_cast<double>(length) * static_cast<double>(along_.length()));
  float* kernel = kernel_.data() + tile * column_frequencies() * kLanes;
  for (Index f = 0; f < column_frequencies(); ++f)
    for (Index k = 0; k < kLanes; ++k) {
      const double spline =
          spline_transform(f, length) * spline_transform((first + k) % along_.length(), along_.length());
      kernel[f * kLanes + k] = static_cast<float>(share * result[f * kItem + k] / (spline * spline));
    }
}

}  // namespace shoal
