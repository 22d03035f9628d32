#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/store/archive/archive.h"

namespace shoal {

/// Rows of a tensor that stays mapped: read one at a time, as float32, from f64, f32, f16, bf16 or i8.
class TensorTable {
 public:
  TensorTable(std::shared_ptr<const ArchiveReader> file, const Tensor& tensor);
  /// Copies row `i` of the tensor to `row`, which is as long.
  void read(Index i, std::span<float> row) const;  // out: row
  /// Row `i` where it lies, if it can be read there; else as `read` puts it into `row`.
  const float* row(Index i, std::span<float> row) const;  // out: row
  TensorType type() const { return tensor_.type; }

 private:
  std::shared_ptr<const ArchiveReader> file_;  // keeps the mapping alive
  Tensor tensor_;
};

/// The tensors of a model: model.safetensors, or the shards that model.safetensors.index.json names; else the
/// same of pytorch_model.bin (torch_file.h). Shapes are compared before anything is allocated, and each fault
/// is Error(format) naming file and tensor.
class Weights {
 public:
  /// Error(file) if there is no such file; errors of ArchiveReader and open_torch_file.
  explicit Weights(const std::filesystem::path& folder);

  const std::vector<std::filesystem::path>& files() const { return paths_; }
  bool has(std::string_view name) const;
  /// Calls take(name in the file, tensor, file) for each tensor of each file; names in order within a file.
  void for_each(
      const std::function<void(const std::string&, const Tensor&, const ArchiveReader&)>& take) const;
  const std::string& prefix() const { return prefix_; }  ///< as find_prefix found it
  /// Checkpoints that carry a task's head put the encoder under its own name, "bert." say: it is put before
  /// every name from now on.
  void find_prefix();

  /// Error(format) unless `name` is a float tensor of exactly this shape.
  void expect(std::string_view name, const std::vector<Index>& shape) const;
  const std::vector<Index>& shape(std::string_view name) const;
  Matrix matrix(std::string_view name, Index rows, Index cols) const;
  std::vector<float> vector(std::string_view name, Index count) const;
  TensorTable table(std::string_view name, Index rows, Index cols) const;
  /// The same, and of type I8 too.
  TensorTable quantised_table(std::string_view name, Index rows, Index cols) const;
  /// Error(format) if it holds no whole numbers.
  std::vector<std::int64_t> integers(std::string_view name) const;

 private:
  const std::shared_ptr<const ArchiveReader>& holder(std::string_view name) const;
  std::string full(std::string_view name) const { return prefix_ + std::string(name); }

  std::filesystem::path folder_;
  std::string prefix_;
  std::vector<std::filesystem::path> paths_;
  std::vector<std::shared_ptr<const ArchiveReader>> readers_;
};

}  // namespace shoal
