#include "shoal/flow/tables/row_spool.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>

#include "shoal/core/error.h"

namespace shoal {
namespace {

[[noreturn]] void refuse(const std::filesystem::path& folder) {
  throw Error(Fault::file, "rows cannot be put aside in " + folder.string() + ": " + std::strerror(errno));
}

void write_number(std::FILE* file, std::uint64_t x) { std::fwrite(&x, sizeof x, 1, file); }

std::uint64_t read_number(std::FILE* file) {
  std::uint64_t x = 0;
  require(std::fread(&x, sizeof x, 1, file) == 1, Fault::file, "rows put aside cannot be read again");
  return x;
}

void write_texts(std::FILE* file, const Texts& texts) {
  write_number(file, texts.size());
  for (Index i = 0; i < texts.size(); ++i) {
    write_number(file, texts[i].size());
    std::fwrite(texts[i].data(), 1, texts[i].size(), file);
  }
}

Texts read_texts(std::FILE* file) {
  Texts out;
  std::string text;
  for (std::uint64_t left = read_number(file); left > 0; --left) {
    text.resize(read_number(file));
    require(std::fread(text.data(), 1, text.size(), file) == text.size(), Fault::file,
            "rows put aside cannot be read again");
    out.add(text);
  }
  return out;
}

}  // namespace

RowSpool::RowSpool(const std::filesystem::path& beside)
    : folder_(beside.has_parent_path() ? beside.parent_path() : std::filesystem::path(".")) {
  std::string name = (folder_ / ".shoal.XXXXXX").string();
  const int fd = ::mkostemp(name.data(), O_CLOEXEC);
  if (fd < 0) refuse(folder_);
  ::unlink(name.c_str());
  std::FILE* file = ::fdopen(fd, "w+");
  if (file == nullptr) refuse(folder_);
  file_ = std::shared_ptr<std::FILE>(file, [](std::FILE* f) { std::fclose(f); });
}

void RowSpool::add(const Texts& texts, const std::vector<Texts>& columns, const Texts& kinds) {
  write_number(file_.get(), columns.size());
  write_texts(file_.get(), texts);
  for (const Texts& column : columns) write_texts(file_.get(), column);
  write_texts(file_.get(), kinds);
  if (std::fflush(file_.get()) != 0 || std::ferror(file_.get()) != 0) refuse(folder_);
}

void RowSpool::each(
    const std::function<void(const Texts&, const std::vector<Texts>&, const Texts&)>& use) const {
  std::FILE* file = file_.get();
  std::fseek(file, 0, SEEK_END);
  const long end = std::ftell(file);
  std::rewind(file);
  while (std::ftell(file) < end) {
    std::vector<Texts> columns(read_number(file));
    const Texts texts = read_texts(file);
    for (Texts& column : columns) column = read_texts(file);
    const Texts kinds = read_texts(file);
    use(texts, columns, kinds);
  }
}

}  // namespace shoal
