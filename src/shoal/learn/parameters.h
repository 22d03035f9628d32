#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "shoal/core/matrix.h"
#include "shoal/core/run.h"

namespace shoal {

class ArchiveReader;
class ArchiveWriter;

/// What has happened to a row of a table.
enum class TableRow : std::uint8_t { never, before, now };

/// A matrix of numbers that is learnt by steps, and what the loss says about each of them.
struct Parameter {
  std::string name;
  Matrix value, gradient;  ///< of one shape; the gradient is empty if it does not learn
  bool decays = true;      ///< weight decay draws it to 0; biases and norms do without
  bool learns = true;
  /// Of a table of which a batch uses few rows, what each has got: the gradient of a row that is not `now` is
  /// 0, and a row that is `never` has never had another one. Empty: of a dense one. Only the time depends on
  /// it.
  std::vector<TableRow> table;
};

/// The values of parameters that learn, without the rest; empty matrices for those that do not.
using ParameterValues = std::vector<Matrix>;

/// All that a model learns, in the order in which it was added.
class Parameters {
 public:
  /// Returns its place. Error(argument) if the name is taken.
  Index add(std::string name, Matrix start, bool decays = true);
  Index size() const { return list_.size(); }
  Parameter& operator[](Index i) { return list_[i]; }
  const Parameter& operator[](Index i) const { return list_[i]; }

  /// These do not learn from now on; returns how many they are.
  Index freeze(const std::function<bool(const std::string& name)>& which);
  /// The gradients of this one come to few rows at a time: whoever adds to a row calls use_row first.
  void make_table(Index i) { list_[i].table.assign(list_[i].value.rows(), TableRow::never); }
  void use_row(Index i, Index row) { list_[i].table[row] = TableRow::now; }

  void clear_gradients(const Run& run = {});
  /// Length of all gradients together: squares are summed in double, in order, matrix by matrix.
  double gradient_norm(const Run& run = {}) const;
  void scale_gradients(float factor, const Run& run = {});

  ParameterValues values() const;
  void take(const ParameterValues& values);  ///< Error(argument) if they are not of these

  /// Values of those that learn under "PREFIX NAME"; they are lent to `out` until it is written.
  void save(ArchiveWriter& out, std::string_view prefix) const;
  /// Takes the values of parameters of these names and shapes. Error(format) if one is missing or other.
  void load(const ArchiveReader& in, std::string_view prefix);

 private:
  std::vector<Parameter> list_;
};

}  // namespace shoal
