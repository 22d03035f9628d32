#include <algorithm>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/kernels/kernels.h"
#include "shoal/store/archive/archive.h"
#include "shoal/store/archive/safetensors_impl.h"
#include "shoal/store/files/new_file.h"
#include "shoal/store/vectors/npy_impl.h"
#include "shoal/store/vectors/parquet_rows_impl.h"
#include "shoal/store/vectors/rows_file.h"

namespace shoal {
namespace {

constexpr const char* kTensor = "vectors";

bool is_float_matrix(const Tensor& t) {
  const bool floats = t.type == TensorType::f32 || t.type == TensorType::f16 || t.type == TensorType::bf16 ||
                      t.type == TensorType::f64;
  return floats && t.shape.size() == 2;
}

std::string tensor_of_vectors(const ArchiveReader& in) {
  if (in.has(kTensor)) return kTensor;
  std::vector<std::string> found;
  for (const auto& [name, tensor] : in.tensors())
    if (is_float_matrix(tensor)) found.push_back(name);
  if (found.empty()) throw Error(Fault::format, in.path().string() + " holds no matrix of floats");
  if (found.size() == 1) return found[0];
  for (const char* name : {"embeddings", "embedding"})
    if (std::ranges::find(found, name) != found.end()) return name;
  throw Error(Fault::format, in.path().string() + " holds several matrices, " + shown(found[0]) + " and " +
                                 shown(found[1]) + " among them; name the one with the vectors '" + kTensor +
                                 "'");
}

Rows open_safetensors(const std::filesystem::path& path) {
  const ArchiveReader in(path);
  const std::string name = tensor_of_vectors(in);
  Space space = read_space(in);
  const Tensor& tensor = in.tensor(name);
  const Index cols = tensor.shape.size() == 2 ? tensor.shape[1] : 0;
  if (space.dims == 0) space.dims = cols;
  if (space.dims != cols) {
    throw Error(Fault::format, path.string() + ": tensor " + shown(name) + " has " + std::to_string(cols) +
                                   " columns, but its metadata says " + std::to_string(space.dims));
  }
  return in.rows(name, std::move(space));
}

Rows open_any(const std::filesystem::path& path, const std::string& column) {
  const std::string ending = path.extension().string();
  const bool other = ending == ".safetensors" || ending == ".npy" || ending == ".npz";
  if (!other && (ending == ".parquet" || is_parquet(path))) return open_parquet(path, column);
  require(column.empty(), Fault::argument,
          option_name("vector_column") + " " + column + " names a column of a Parquet file; " +
              path.string() + " is none");
  if (ending == ".safetensors") return open_safetensors(path);
  if (ending == ".npy") {
    const auto mapping = std::make_shared<const Mapping>(path);
    return parse_npy(mapping->bytes(), path.string(), mapping);
  }
  if (ending == ".npz") {
    const auto mapping = std::make_shared<const Mapping>(path);
    return open_npz(mapping->bytes(), path.string(), mapping);
  }
  throw Error(Fault::format,
              path.string() + ": vectors are read from .npy, .npz, .safetensors and .parquet files");
}

std::string header_for(const std::filesystem::path& path, const Rows& rows) {
  if (path.extension() == ".npy") return npy_header(rows.rows(), rows.cols(), rows.dtype());
  const TensorType type = rows.dtype() == Dtype::f32 ? TensorType::f32 : TensorType::f16;
  SafetensorsHeader header;
  header.metadata = {
      {"format", "shoal"}, {"version", "1"}, {"kind", "vectors"}, {"space", space_json(rows.space())}};
  header.tensors[kTensor] = {type, {rows.rows(), rows.cols()}, 0, rows.rows() * rows.cols() * bytes_of(type)};
  return safetensors_header_bytes(header);
}

void write_block(NewFile& out, MatrixView block, Dtype dtype) {
  std::vector<float> numbers;
  numbers.reserve(block.rows * block.cols);
  for (Index r = 0; r < block.rows; ++r) numbers.insert(numbers.end(), block[r].begin(), block[r].end());
  if (dtype == Dtype::f32) return out.write(std::as_bytes(std::span<const float>(numbers)));
  std::vector<std::uint16_t> half(numbers.size());
  kernels().f32_to_f16(numbers.data(), half.data(), numbers.size());
  out.write(std::as_bytes(std::span<const std::uint16_t>(half)));
}

}  // namespace

Rows open_rows(const std::filesystem::path& path, const std::string& column) {
  const Rows rows = open_any(path, column);
  if (rows.cols() == 0 &&
      rows.rows() > 0) {  // no bytes stand behind these rows, so a file may claim any number
    throw Error(Fault::format, path.string() + ": " + std::to_string(rows.rows()) + " vectors of 0 numbers");
  }
  return rows;
}

void write_rows(NewFile& out, const std::filesystem::path& path, const Rows& rows, const Run& run) {
  if (path.extension() != ".npy" && path.extension() != ".safetensors") {
    throw Error(Fault::argument, path.string() + ": vectors are written as .npy or .safetensors");
  }
  constexpr Index kBlock = 4096;
  out.write(header_for(path, rows));
  Matrix scratch;
  for (Index row = 0; row < rows.rows(); row += kBlock) {
    check_stop(run);
    write_block(out, rows.block(row, std::min(kBlock, rows.rows() - row), scratch), rows.dtype());
  }
}

void write_rows(const std::filesystem::path& path, const Rows& rows, const Run& run) {
  NewFile out(path);
  write_rows(out, path, rows, run);
  out.keep();
}

}  // namespace shoal
