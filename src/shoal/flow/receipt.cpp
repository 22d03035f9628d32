#include "shoal/flow/receipt.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <span>
#include <system_error>

#include "shoal/core/chunks.h"
#include "shoal/flow/fingerprint.h"
#include "shoal/flow/stage_file.h"
#include "shoal/store/archive/archive.h"
#include "shoal/store/collection/collection.h"
#include "shoal/store/vectors/vector_files.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

constexpr const char* kReceipt = "receipt";  // its place in a report
constexpr Index kMost = Index{1} << 30;      // bytes of a report

std::string sum_of(const fs::path& input) {
  if (Collection::exists(input)) {
    const Collection collection = Collection::open(input, true);
    const fs::path neutral = collection.file(kNeutralFile);
    return sha256_file(collection.file("vectors.safetensors")) + " " +
           (fs::exists(neutral) ? sha256_file(neutral) + " " : "") +
           collection.manifest("rows_fingerprint").value_or("");
  }
  if (!fs::is_directory(input)) return sha256_file(input);
  std::string out;
  for (const fs::path& file : list_vector_files(input)) out += sha256_file(file) + " ";
  return out;
}

std::string written(const Json& json, int indent) {
  return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

/// Of each file, by its path in the folder, and of `report`, which stands in `mark`, without its receipt.
/// Null if something that is neither a file nor a folder is there: no command has made that.
Json sums_in(const fs::path& folder, std::string_view mark, Json report) {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    const bool inner = entry.is_directory() && !entry.is_symlink();
    if (!inner && !entry.is_regular_file()) return nullptr;
    names.push_back(entry.path().lexically_relative(folder).string() + (inner ? "/" : ""));
  }
  std::ranges::sort(names);
  report.erase(kReceipt);
  const std::string text = written(report, -1);
  Json out = Json::object();
  for (const std::string& name : names)
    out[name] = name.ends_with('/') ? ""
                : name == mark      ? sha256(std::as_bytes(std::span(text)))
                                    : sha256_file(folder / name);
  return out;
}

fs::path place_of(const fs::path& file) {
  return file.parent_path() / ("." + file.filename().string() + ".shoal");
}

/// What is no JSON, or not there, is null.
Json read_json(const fs::path& path) {
  std::error_code ignored;
  if (!fs::is_regular_file(path, ignored)) return nullptr;
  return Json::parse(read_file(path, kMost), nullptr, false);
}

}  // namespace

std::string result_key(std::string_view command, const std::vector<Field>& options,
                       const std::vector<fs::path>& inputs, const Run& run) {
  std::string sums;
  for (Index i = 0; i < inputs.size(); ++i) {
    check_stop(run);
    if (run.progress) run.progress("check", static_cast<double>(i), static_cast<double>(inputs.size()));
    sums += sum_of(inputs[i]) + "\n";
  }
  return step_key(sums, command, options);
}

void add_receipt(const fs::path& folder, std::string_view mark, const std::string& key) {
  Json report = read_json(folder / mark);
  report[kReceipt] = {{"key", key}, {"sha256", sums_in(folder, mark, report)}};
  write_file(folder / mark, written(report, 2) + "\n");
}

bool has_receipt(const fs::path& folder, std::string_view mark, const std::string& key) {
  const Json report = read_json(folder / mark);
  const Json receipt = report.is_object() ? report.value(kReceipt, Json()) : Json();
  return receipt.is_object() && receipt.value("key", Json()) == key &&
         receipt.value("sha256", Json()).is_object() && receipt["sha256"] == sums_in(folder, mark, report);
}

void write_receipt(const fs::path& file, const fs::path& part, const std::string& key, const Facts& facts) {
  const Json receipt{
      {"format", "shoal receipt"}, {"key", key}, {"sha256", sha256_file(part)}, {"facts", facts}};
  write_file(place_of(file), receipt.dump() + "\n");
  // As private as the file: who may not read that is not to learn its checksum either.
  std::error_code ignored;
  fs::permissions(place_of(file), fs::status(part).permissions(), ignored);
}

std::string receipt_key(const fs::path& file) {
  const Json receipt = read_json(place_of(file));
  const Json key = receipt.is_object() ? receipt.value("key", Json()) : Json();
  return key.is_string() ? key.get<std::string>() : "";
}

std::optional<Facts> read_receipt(const fs::path& file, const std::string& key) {
  const Json receipt = read_json(place_of(file));
  if (!receipt.is_object() || receipt.value("key", Json()) != key || !fs::is_regular_file(file) ||
      receipt.value("sha256", Json()) != sha256_file(file))
    return std::nullopt;
  try {
    return receipt.at("facts").get<Facts>();
  } catch (const Json::exception&) {
    return std::nullopt;
  }
}

}  // namespace shoal
