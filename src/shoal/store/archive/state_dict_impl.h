#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "shoal/store/archive/archive.h"

namespace shoal {

/// A tensor as a pickle of torch describes it.
struct TorchTensor {
  std::string storage;  ///< the member data/STORAGE that has the numbers
  TensorType type = TensorType::f32;
  std::uint64_t numbers = 0;  ///< in the storage
  std::uint64_t offset = 0;   ///< of the first number, in numbers
  std::vector<Index> shape, strides;
};

/// The tensors in the dictionary that a pickle makes; its other values are left out. Error(format) or
/// Error(unsupported) naming `where` and the opcode, class or value that is not understood. Nothing is run.
std::map<std::string, TorchTensor> read_state_dict(std::span<const std::byte> pickle,
                                                   const std::string& where);

}  // namespace shoal
