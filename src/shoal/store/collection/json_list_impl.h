#pragma once

#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "shoal/store/collection/collection.h"

namespace shoal {

template <class T>
std::string json_list(const std::vector<T>& values) {
  return nlohmann::json(values).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

/// A list of strings or of whole numbers as `json_list` wrote it; Error(format) on anything else.
template <class T>
std::vector<T> parse_list(std::string_view text, const std::filesystem::path& folder,
                          const std::string& table) {
  const auto list = nlohmann::json::parse(text, nullptr, false);
  std::vector<T> out;
  bool good = list.is_array();
  for (std::size_t i = 0; good && i < list.size(); ++i) {
    if constexpr (std::is_same_v<T, std::string>) {
      good = list[i].is_string();
    } else {
      good = list[i].is_number_unsigned();
    }
    if (good) out.push_back(list[i].template get<T>());
  }
  if (!good) throw damaged_collection(folder, "table " + table + " holds no proper list");
  return out;
}

}  // namespace shoal
