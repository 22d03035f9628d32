#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "shoal/core/matrix.h"

namespace shoal {

class ArchiveReader;
class ArchiveWriter;

/// A matrix of numbers that is learnt by steps, and what the loss says about each of them.
struct Parameter {
  std::string name;
  Matrix value, gradient;  ///< of one shape
  bool decays = true;      ///< weight decay draws it to 0; biases and norms do without
};

/// All that a model learns, in the order in which it was added.
class Parameters {
 public:
  /// Returns its place. Error(argument) if the name is taken.
  Index add(std::string name, Matrix start, bool decays = true);
  Index size() const { return list_.size(); }
  Parameter& operator[](Index i) { return list_[i]; }
  const Parameter& operator[](Index i) const { return list_[i]; }

  void clear_gradients();
  /// Length of all gradients together: squares are summed in double, in order.
  double gradient_norm() const;
  void scale_gradients(float factor);

  /// Values under "PREFIX NAME".
  void save(ArchiveWriter& out, std::string_view prefix) const;
  /// Takes the values of parameters of these names and shapes. Error(format) if one is missing or other.
  void load(const ArchiveReader& in, std::string_view prefix);
  /// Takes the values of the same parameters. Error(argument) if they are not the same.
  void take(const Parameters& other);

 private:
  std::vector<Parameter> list_;
};

}  // namespace shoal
