#include "shoal/store/archive/archive_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <functional>
#include <system_error>
#include <utility>

#include "shoal/core/error.h"
#include "shoal/store/archive/safetensors_impl.h"
#include "shoal/store/files/descriptor_impl.h"

namespace shoal {
namespace fs = std::filesystem;

struct ArchiveFile::State {
  fs::path path;
  Descriptor file;
  SafetensorsHeader header;
  std::uint64_t data_begin = 0, size = 0;
  bool kept = false;

  void plan(const std::vector<TensorPlan>& tensors);
  void open(const std::function<Descriptor()>& how) {
    file = open_locked(path, how);
    if (!file) throw_being_written(path);
  }
  bool there() const {
    struct stat facts {};
    return ::lstat(path.c_str(), &facts) == 0;
  }
  /// Whether the open file has this header, and all the bytes that belong behind it.
  bool begins_with(const std::string& bytes) const;
  /// Whether the open file is an archive of this kind, or was left before it had its header.
  bool is_ours() const;
};

/// Widest numbers first, as ArchiveWriter.
void ArchiveFile::State::plan(const std::vector<TensorPlan>& tensors) {
  std::vector<const TensorPlan*> in_order;
  for (const TensorPlan& one : tensors) in_order.push_back(&one);
  std::ranges::stable_sort(in_order, [](const TensorPlan* a, const TensorPlan* b) {
    return bytes_of(a->type) != bytes_of(b->type) ? bytes_of(a->type) > bytes_of(b->type) : a->name < b->name;
  });
  std::uint64_t end = 0;
  for (const TensorPlan* one : in_order) {
    std::uint64_t bytes = bytes_of(one->type);
    for (const Index side : one->shape) bytes *= side;
    const std::uint64_t begin = std::exchange(end, end + bytes);
    const bool fresh =
        header.tensors.emplace(one->name, TensorPlace{one->type, one->shape, begin, end}).second;
    if (!fresh) throw Error(Fault::argument, "two tensors are named " + shown(one->name));
  }
  size = end;
}

bool ArchiveFile::State::begins_with(const std::string& bytes) const {
  std::string first(bytes.size(), '\0');
  const ssize_t got = ::pread(file.number(), first.data(), first.size(), 0);
  return got == static_cast<ssize_t>(first.size()) && first == bytes &&
         file_size(file, path) == data_begin + size;
}

bool ArchiveFile::State::is_ours() const {
  std::uint64_t length = 0;
  if (::pread(file.number(), &length, sizeof length, 0) != static_cast<ssize_t>(sizeof length))
    return file_size(file, path) == 0;
  if (length == 0) return true;
  try {
    const ArchiveReader in(path);
    const auto kind = in.metadata().find("kind");
    return kind != in.metadata().end() && kind->second == header.metadata.at("kind");
  } catch (const Error& e) {
    if (e.fault == Fault::file) throw;
    return false;
  }
}

ArchiveFile::ArchiveFile(const fs::path& path, const ArchiveWriter& meta, const std::vector<TensorPlan>& plan,
                         bool go_on, const fs::path& like)
    : state_(std::make_unique<State>()) {
  State& s = *state_;
  s.path = path;
  s.header.metadata = meta.metadata();
  s.plan(plan);
  const std::string first = safetensors_header_bytes(s.header);
  s.data_begin = first.size();
  if (s.there()) {
    s.open(
        [&] { return open_regular(path, O_RDWR); });  // says what it is if it is no file; waits for a writer
    s.kept = go_on && s.begins_with(first);
    if (s.kept) return;
    if (!s.is_ours())
      throw Error(Fault::argument,
                  path.string() + " was not made by this command, which keeps its work under that name",
                  "choose another name, or move the file away");
    ::unlink(path.c_str());  // never cut: others may have it mapped
  }
  s.open([&] { return open_part(path, like); });
  if (::ftruncate(s.file.number(), static_cast<off_t>(s.data_begin + s.size)) != 0)
    throw_file_error("write", path, errno);
  write_at(s.file, path, 0, as_bytes(first));
}

ArchiveFile::ArchiveFile(ArchiveFile&&) noexcept = default;
ArchiveFile::~ArchiveFile() = default;

bool ArchiveFile::kept() const { return state_->kept; }
const fs::path& ArchiveFile::path() const { return state_->path; }

void ArchiveFile::write(std::string_view tensor, std::uint64_t offset, std::span<const std::byte> bytes) {
  const auto found = state_->header.tensors.find(tensor);
  if (found == state_->header.tensors.end())
    throw Error(Fault::argument, "there is no tensor " + shown(tensor) + " in " + state_->path.string());
  const std::uint64_t size = found->second.end - found->second.begin;
  if (offset > size || bytes.size() > size - offset)
    throw Error(Fault::argument, "bytes " + std::to_string(offset) + " to " +
                                     std::to_string(offset + bytes.size()) + " of tensor " + shown(tensor) +
                                     " were given, which has " + std::to_string(size));
  if (!bytes.empty())
    write_at(state_->file, state_->path, state_->data_begin + found->second.begin + offset, bytes);
}

void ArchiveFile::commit() { sync_file(state_->file, state_->path); }

void ArchiveFile::keep_as(const fs::path& whole) {
  commit();
  take_permissions(state_->file, whole);
  if (std::rename(state_->path.c_str(), whole.c_str()) != 0) throw_file_error("write", whole, errno);
  sync_folder(folder_of(whole));
  state_->file = Descriptor();
}

}  // namespace shoal
