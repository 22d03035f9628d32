#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <system_error>
#include <vector>

#include "shoal/core/error.h"
#include "shoal/store/archive/safetensors_impl.h"
#include "shoal/store/files/descriptor_impl.h"
#include "shoal/store/files/mapping.h"
#include "shoal/store/files/zip.h"
#include "shoal/store/vectors/npy_impl.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

constexpr const char* kNames[] = {"vectors", "embeddings", "embedding"};  // of several, in this order

/// An array of the archive as people are told of it.
struct Array {
  const ZipMember* member;
  std::string name;  ///< without .npy
  std::string kind;  ///< "100 x 384, float64"
  bool is_table = false;
};

/// The first bytes of a member: all of a header.
std::vector<std::byte> head_of(const ZipMember& member, const std::string& where) {
  constexpr std::size_t kHead = 66'000;
  std::vector<std::byte> out;
  if (!member.deflated) {
    const auto head = member.bytes.first(std::min(kHead, member.bytes.size()));
    return {head.begin(), head.end()};
  }
  unpack(member, where, [&](std::span<const std::byte> piece) {
    out.insert(out.end(), piece.begin(), piece.end());
    return out.size() < kHead;
  });
  return out;
}

std::vector<Array> arrays_of(const std::vector<ZipMember>& members, const std::string& where) {
  std::vector<Array> out;
  for (const ZipMember& member : members) {
    if (!member.name.ends_with(".npy")) continue;
    Array& one = out.emplace_back(Array{&member, member.name.substr(0, member.name.size() - 4), "", false});
    try {
      one.kind = npy_kind(head_of(member, where), where + ", array " + shown(one.name), one.is_table);
    } catch (const Error& e) {  // another one may be what is wanted
      if (e.fault != Fault::format) throw;
      one.kind = "not numbers";
    }
  }
  return out;
}

[[noreturn]] void refuse(const std::vector<Array>& arrays, bool several, const std::string& where) {
  std::string list;
  for (const Array& a : arrays) list += (list.empty() ? "" : "; ") + shown(a.name) + " (" + a.kind + ")";
  if (arrays.empty()) throw Error(Fault::format, where + " holds no array: it is no .npz file of NumPy");
  throw Error(
      Fault::format,
      where + (several ? " holds several tables of numbers" : " holds no table of numbers") + ": " + list,
      several ? "save the one with the vectors as a file of its own, or call it 'vectors'"
              : "vectors are rows x columns");
}

const Array& chosen(const std::vector<Array>& arrays, const std::string& where) {
  const auto tables = std::ranges::count_if(arrays, &Array::is_table);
  if (tables == 1) return *std::ranges::find_if(arrays, &Array::is_table);
  for (const char* name : kNames)
    for (const Array& a : arrays)
      if (a.is_table && a.name == name) return a;
  refuse(arrays, tables > 1, where);
}

/// A mapped file without a name that holds the unpacked bytes of a member.
std::shared_ptr<const Mapping> unpacked(const ZipMember& member, const std::string& where) {
  std::error_code failed;
  const fs::path folder = fs::temp_directory_path(failed);
  const char* wanted = std::getenv("TMPDIR");
  require(!failed, Fault::file,
          std::string("the folder for temporary files, ") + (wanted == nullptr ? "/tmp" : wanted) +
              " (TMPDIR), cannot be used");
  std::string path = (folder / "shoal-XXXXXX").string();
  const Descriptor file(::mkstemp(path.data()));
  if (!file) throw_file_error("make a temporary file", path, errno);
  std::shared_ptr<const Mapping> out;
  try {
    std::uint64_t at = 0;
    unpack(member, where, [&](std::span<const std::byte> piece) {
      write_at(file, path, at, piece);
      at += piece.size();
      return true;
    });
    out = std::make_shared<const Mapping>(path);
  } catch (...) {
    ::unlink(path.c_str());
    throw;
  }
  ::unlink(path.c_str());
  return out;
}

}  // namespace

Rows open_npz(std::span<const std::byte> file, const std::string& where, std::shared_ptr<const void> owner) {
  const std::vector<ZipMember> members = read_zip(file, where);
  const std::vector<Array> arrays = arrays_of(members, where);
  const Array& array = chosen(arrays, where);
  const std::string what = where + ", array " + shown(array.name);
  if (array.member->deflated) {
    const auto mapping = unpacked(*array.member, where);
    return parse_npy(mapping->bytes(), what, mapping);
  }
  unpack(*array.member, where, [](std::span<const std::byte>) { return true; });  // its checksum
  return parse_npy(array.member->bytes, what, std::move(owner));
}

}  // namespace shoal
