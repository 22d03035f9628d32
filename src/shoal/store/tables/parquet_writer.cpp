#include "shoal/store/tables/parquet_writer.h"

#include <new>
#include <utility>

#include "shoal/core/error.h"
#include "shoal/core/rust_parquet.h"

namespace shoal {
namespace {

ShoalBytes bytes_of(std::string_view text) { return {text.data(), text.size()}; }

/// Hands over what is ready.
ShoalParquetFile* passed_on(const ShoalWritten& written, const ParquetWriter::Sink& sink) {
  if (written.error.size > 0) {
    if (written.fault == ShoalParquetFault::memory) throw std::bad_alloc();
    throw Error(Fault::unsupported,
                "the Parquet file cannot be written: " + std::string(written.error.data, written.error.size));
  }
  if (written.bytes.size > 0) sink({written.bytes.data, written.bytes.size});
  return written.owner;
}

}  // namespace

void ParquetValues::add_null() {
  there_.push_back(0);
  whole_.push_back(0);
  real_.push_back(0);
  ends_.push_back(text_.size());
}

void ParquetValues::add(std::int64_t whole) {
  add_null();
  there_.back() = 1;
  whole_.back() = whole;
}

void ParquetValues::add(double real) {
  add_null();
  there_.back() = 1;
  real_.back() = real;
}

void ParquetValues::add(std::string_view utf8) {
  text_ += utf8;
  add_null();
  there_.back() = 1;
}

void ParquetValues::add(const float* vector, Index dims) {
  vectors_.insert(vectors_.end(), vector, vector + dims);
}

void ParquetValues::clear() {
  there_.clear();
  whole_.clear();
  real_.clear();
  text_.clear();
  ends_.clear();
  vectors_.clear();
}

ParquetWriter::ParquetWriter(const std::vector<ParquetField>& fields, std::string_view made_by, Sink sink)
    : sink_(std::move(sink)) {
  require(!fields.empty(), Fault::argument, "a Parquet file needs a column");
  std::vector<ShoalNewField> described;
  for (const ParquetField& f : fields)
    described.push_back({bytes_of(f.name), static_cast<std::uint8_t>(f.type), f.dims});
  const ShoalWritten begun = shoal_parquet_writer(described.data(), described.size(), bytes_of(made_by));
  file_ = std::shared_ptr<void>(begun.owner, [](void* file) {
    if (file != nullptr) shoal_parquet_writer_free(static_cast<ShoalParquetFile*>(file));
  });
  passed_on(begun, sink_);
}

void ParquetWriter::add(const std::vector<ParquetValues>& values, Index rows) {
  std::vector<ShoalNewValues> given;
  for (const ParquetValues& v : values)
    given.push_back({v.there_.data(), v.whole_.data(), v.real_.data(), bytes_of(v.text_), v.ends_.data(),
                     v.vectors_.data()});
  passed_on(shoal_parquet_write(static_cast<ShoalParquetFile*>(file_.get()), given.data(), rows), sink_);
}

void ParquetWriter::finish() {
  passed_on(shoal_parquet_finish(static_cast<ShoalParquetFile*>(file_.get())), sink_);
}

}  // namespace shoal
