#include "shoal/flow/distil/kept_impl.h"

#include <charconv>

#include "shoal/core/error.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

constexpr const char* kKind = "distil_part";
constexpr std::chrono::seconds kKeep{30};  // of work that may be lost

/// A number of 0 to `most`.
Index read_count(const ArchiveReader& in, std::string_view name, Index most) {
  const std::string text = in.meta(name);
  Index out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  require(error == std::errc() && end == text.data() + text.size() && out <= most, Fault::format,
          in.path().string() + ": " + std::string(name) + " is \"" + text + "\"; allowed: 0 to " +
              std::to_string(most));
  return out;
}

}  // namespace

Kept::Kept(const fs::path& out, const std::string& key)
    : path_((out.has_filename() ? out : out.parent_path()).string() + ".part.safetensors"), key_(key) {}

bool Kept::is_own() const {
  try {
    const ArchiveReader in(path_);
    const auto kind = in.metadata().find("kind");
    return kind != in.metadata().end() && kind->second == kKind;
  } catch (const Error& e) {
    if (e.fault == Fault::file) throw;
    return false;
  }
}

void Kept::check_place() const {
  if (!fs::exists(fs::symlink_status(path_)) || is_own()) return;
  throw Error(Fault::argument,
              path_.string() + " was not made by this command, which keeps its work under that name",
              "choose another " + option_name("out") + ", or move the file away");
}

bool Kept::is_due() const { return std::chrono::steady_clock::now() - last_ >= kKeep; }

void Kept::write(Index texts, Index alone, const Contexts& contexts, const Matrix& vectors) {
  ArchiveWriter out(kKind);
  out.meta("key", key_);
  out.meta("texts", std::to_string(texts));
  out.meta("alone", std::to_string(alone));
  contexts.save(out);
  out.add("vectors", vectors);
  out.write(path_);
  last_ = std::chrono::steady_clock::now();
}

bool Kept::read(Index& texts, Index& alone, Contexts& contexts, Matrix& vectors, Index most_texts) const {
  if (!fs::exists(path_)) return true;
  try {
    const ArchiveReader in(path_);
    check_kind(in, kKind);
    if (in.meta("key") != key_) return false;
    const Index of_texts = read_count(in, "texts", most_texts),
                of_alone = read_count(in, "alone", vectors.rows());
    Contexts found = contexts;
    found.load(in);
    vectors = in.matrix("vectors", vectors.rows(), vectors.cols());
    contexts = std::move(found);
    texts = of_texts, alone = of_alone;
    return true;
  } catch (const Error& e) {
    if (e.fault == Fault::file) throw;
    return false;
  }
}

bool Kept::is_of_key() const {
  try {
    return is_own() && ArchiveReader(path_).meta("key") == key_;
  } catch (const Error&) {
    return false;
  }
}

void Kept::remove() const {
  std::error_code ignored;
  if (!fs::exists(path_, ignored)) return;
  try {
    if (is_own()) fs::remove(path_, ignored);
  } catch (const Error&) {  // nothing that could be read
  }
}

}  // namespace shoal
