#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "shoal/core/fields.h"
#include "shoal/store/archive/archive.h"

namespace shoal {

/// A tensor as the header of a safetensors file names it: bytes [begin, end) of the data after the header.
struct TensorPlace {
  TensorType type = TensorType::f32;
  std::vector<Index> shape;
  std::uint64_t begin = 0, end = 0;
};

struct SafetensorsHeader {
  std::uint64_t data_begin = 0;  ///< where in the file the data starts
  std::map<std::string, TensorPlace, std::less<>> tensors;
  std::map<std::string, std::string, std::less<>> metadata;
};

/// Reads the header of a safetensors file from the file's first bytes. Checks the JSON, types, shapes and
/// that each tensor has the bytes that its shape needs; not where they lie. `where` names the file in
/// messages.
SafetensorsHeader parse_safetensors_header(std::span<const std::byte> file, const std::string& where);

/// Error(format) unless the tensors fill [0, data_size) without holes or overlaps.
void check_safetensors_layout(const SafetensorsHeader& header, std::uint64_t data_size,
                              const std::string& where);

/// The bytes before the data: length, JSON, and spaces up to a 64-byte boundary or to `at_least` bytes.
std::string safetensors_header_bytes(const SafetensorsHeader& header, std::size_t at_least = 0);

/// A flat JSON object of scalars ("options", "space" in the metadata). Error(format) on anything else.
std::map<std::string, FieldValue, std::less<>> parse_flat_json(std::string_view json,
                                                               const std::string& where);
std::string flat_json(const std::vector<Field>& fields);  ///< its mirror, keys sorted

std::string space_json(const Space& space);
Space parse_space(std::string_view json, const std::string& where);

Index bytes_of(TensorType type);          ///< of one number
const char* dtype_name(TensorType type);  ///< as in the file: "F32"

/// A name from a file made fit for a message: cut to 80 bytes, control characters replaced, in quotes.
std::string shown(std::string_view name);

}  // namespace shoal
