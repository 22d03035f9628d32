#include "shoal/store/vectors/vector_files.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <set>
#include <system_error>
#include <utility>

#include "shoal/core/error.h"
#include "shoal/store/vectors/rows_file.h"

namespace shoal {
namespace fs = std::filesystem;
namespace {

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Numbers by value, the rest byte by byte; of names that are equal so far (part1, part01) the smaller
/// string.
bool natural_less(const std::string& a, const std::string& b) {
  std::size_t i = 0, j = 0;
  while (i < a.size() && j < b.size()) {
    if (!is_digit(a[i]) || !is_digit(b[j])) {
      if (a[i] != b[j]) return static_cast<unsigned char>(a[i]) < static_cast<unsigned char>(b[j]);
      ++i, ++j;
      continue;
    }
    const auto number = [](const std::string& s, std::size_t& at) {
      while (at < s.size() && s[at] == '0') ++at;
      const std::size_t first = at;
      while (at < s.size() && is_digit(s[at])) ++at;
      return s.substr(first, at - first);
    };
    const std::string x = number(a, i), y = number(b, j);
    if (x != y) return std::pair(x.size(), x) < std::pair(y.size(), y);
  }
  const std::size_t left = a.size() - i, right = b.size() - j;
  return left == right ? a < b : left < right;
}

std::string named(const VectorFile& b) {
  return b.path.string() + " has vectors of " + std::to_string(b.rows.cols()) + " numbers" +
         (b.rows.space().id.empty() ? "" : " by \"" + b.rows.space().id + "\"");
}

/// Error(data) unless `b` can stand in one table with `a`.
void check_together(const VectorFile& a, const VectorFile& b) {
  const std::string_view left = model_of(a.rows.space().id), right = model_of(b.rows.space().id);
  const bool models = left.empty() || right.empty() || left == right;
  if (a.rows.cols() == b.rows.cols() && models) return;
  throw Error(Fault::data, named(a) + ", but " + named(b) + "; all files of a folder must be of one model");
}

/// Where each batch starts in the whole; one more entry at the end.
std::vector<Index> starts_of(const std::vector<VectorFile>& batches) {
  std::vector<Index> starts{0};
  for (const VectorFile& b : batches) starts.push_back(starts.back() + b.rows.rows());
  return starts;
}

/// The space that all batches agree on.
Space common_space(const std::vector<VectorFile>& batches) {
  Space space = batches[0].rows.space();
  space.dims = batches[0].rows.cols();
  for (const VectorFile& b : batches) {
    if (model_of(b.rows.space().id) != model_of(space.id)) space.id.clear();
    space.unit = space.unit && b.rows.space().unit;
  }
  return space;
}

/// The types that batches are converted from, each once.
std::string types_of(const std::vector<VectorFile>& batches) {
  std::set<std::string> types;
  for (const VectorFile& b : batches) types.insert(b.rows.converted_from());
  std::string out;
  for (const std::string& type : types) out += (out.empty() || type.empty() ? "" : ", ") + type;
  return out;
}

}  // namespace

std::vector<fs::path> list_vector_files(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code fault;
  for (fs::directory_iterator it(folder, fault), end; !fault && it != end; it.increment(fault)) {
    const fs::path& path = it->path();
    if (is_vector_file(path) && path.filename().string().front() != '.' && !it->is_directory())
      found.push_back(path);
  }
  if (fault) throw Error(Fault::file, "cannot read the folder " + folder.string() + ": " + fault.message());
  std::ranges::sort(found, [](const fs::path& a, const fs::path& b) {
    return natural_less(a.filename().string(), b.filename().string());
  });
  return found;
}

std::vector<VectorFile> open_vector_files(const fs::path& folder, const std::string& column) {
  std::vector<VectorFile> batches;
  for (const fs::path& path : list_vector_files(folder)) batches.push_back({path, open_rows(path, column)});
  if (batches.empty())
    throw Error(Fault::data,
                folder.string() + " holds no .npy, .npz, .safetensors or .parquet file with vectors");
  const VectorFile* known = &batches[0];  // the first that says its model, or the first
  for (const VectorFile& b : batches) {
    check_together(*known, b);
    if (known->rows.space().id.empty() && !b.rows.space().id.empty()) known = &b;
  }
  return batches;
}

Rows join_vector_files(const std::vector<VectorFile>& batches) {
  require(!batches.empty(), Fault::argument, "there are no batches to join");
  for (const VectorFile& b : batches) check_together(batches[0], b);
  const auto is_half = [](const VectorFile& b) { return b.rows.dtype() == Dtype::f16; };
  const Dtype dtype = std::ranges::all_of(batches, is_half) ? Dtype::f16 : Dtype::f32;
  const std::vector<Index> starts = starts_of(batches);
  const Index cols = batches[0].rows.cols();
  const auto read = [batches, starts, cols](Index first, Index count, Matrix& scratch) -> MatrixView {
    // The last batch that starts at or before `first`: it holds the row, for it is not empty unless all are.
    auto b = static_cast<Index>(std::ranges::upper_bound(starts, first) - starts.begin()) - 1;
    if (count == 0) return {nullptr, 0, cols, cols};
    if (first + count <= starts[b + 1]) return batches[b].rows.block(first - starts[b], count, scratch);
    Matrix part;
    if (scratch.rows() < count || scratch.cols() != cols) scratch = Matrix(count, cols);
    for (Index done = 0; done < count; ++b) {
      const Index from = first + done - starts[b], n = std::min(count - done, starts[b + 1] - first - done);
      const MatrixView block = batches[b].rows.block(from, n, part);
      for (Index r = 0; r < n; ++r) std::ranges::copy(block[r], scratch[done + r].begin());
      done += n;
    }
    return scratch.view().slice(0, count);
  };
  return Rows(starts.back(), cols, dtype, read, common_space(batches)).converted(types_of(batches));
}

bool is_vector_file(const fs::path& path) {
  const fs::path ending = path.extension();
  return ending == ".npy" || ending == ".npz" || ending == ".safetensors" || ending == ".parquet";
}

Rows open_vectors_at(const fs::path& path, const std::string& column) {
  std::error_code ignored;
  return fs::is_directory(path, ignored) ? join_vector_files(open_vector_files(path, column))
                                         : open_rows(path, column);
}

}  // namespace shoal
