#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "shoal/core/matrix.h"

namespace shoal {

/// How a vector's numbers are kept. The values are written to disk: never renumber.
enum class Dtype : std::uint8_t { f32 = 0, f16 = 1 };

/// Which model an id "name@hash" means: its hash, or all of it if there is no '@'. The name is for people: a
/// model in a folder that was renamed is the same model.
std::string_view model_of(std::string_view id);

/// Who made these vectors. Travels with them and with every stage fitted on them: a stage refuses vectors
/// that another model made (check_space). Unknown ones are their own kind: only a stage fitted on unknown
/// ones takes them, unless Rows::assume_space says whose they are.
struct Space {
  std::string id;     ///< "name@hash" of the model (model_of); empty: unknown
  Index dims = 0;     ///< length of a vector
  bool unit = false;  ///< every vector has length 1

  bool operator==(const Space&) const = default;
};

/// Fills or finds rows [first, first + count): returns a view into its own memory or into `scratch`.
using BlockReader = std::function<MatrixView(Index first, Index count, Matrix& scratch)>;

/// Readable rows of any Dtype, in memory or mapped from a file: what every stage takes in.
/// Copying is cheap and shares. Rows made from a view or from a named Matrix borrow: the owner must outlive
/// them. Rows made from a Matrix that nobody else has, as `Rows r = stage.transform(x)`, own it.
class Rows {
 public:
  Rows(MatrixView borrowed, Space space = {});
  Rows(const Matrix& borrowed, Space space = {}) : Rows(borrowed.view(), std::move(space)) {}
  Rows(const Matrix&&, Space = {}) = delete;
  Rows(Matrix&& owned, Space space = {});
  /// `reader` keeps alive whatever it reads from; it must be callable from many threads at once.
  Rows(Index rows, Index cols, Dtype dtype, BlockReader reader, Space space);

  Index rows() const { return rows_; }
  Index cols() const { return cols_; }
  Dtype dtype() const { return dtype_; }
  /// What the numbers are in their file, if that is no Dtype, as "float64" or "int32": blocks are converted
  /// from it. Of rows from several files "float64, int32". Empty: they are of dtype().
  const std::string& converted_from() const& { return converted_from_; }
  /// The same rows, said to be converted from `type`.
  Rows converted(std::string type) const;
  const Space& space() const& { return space_; }
  Space space() && { return std::move(space_); }
  /// The same rows, declared to be of the model that made `of`, as where a .npy file cannot say so. Of `of`
  /// only the id counts; an empty one makes them unknown.
  Rows assume_space(const Space& of) const;

  /// Rows [first, first + count) as float32. float32 sources are not copied; others are converted into
  /// `scratch` (grown as needed; one scratch a thread). Error(argument) if the range is not inside.
  MatrixView block(Index first, Index count, Matrix& scratch) const;

  /// All rows as one owned matrix: rows x cols x 4 bytes. Of a temporary that owns its matrix, as
  /// `encoder.encode(texts).to_matrix()`, it is that matrix: nothing is copied.
  Matrix to_matrix() const&;
  Matrix to_matrix() &&;

 private:
  Index rows_ = 0, cols_ = 0;
  Dtype dtype_ = Dtype::f32;
  std::shared_ptr<Matrix> owned_;  // null: somebody else's, or of the reader
  std::shared_ptr<const BlockReader> reader_;
  Space space_;
  std::string converted_from_;
};

}  // namespace shoal
