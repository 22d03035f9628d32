#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "shoal/core/error.h"
#include "shoal/core/matrix.h"

namespace shoal {

/// "64 MiB" if it is a whole number of them, else "5001 bytes".
std::string size_text(std::size_t bytes);

/// The bytes of one file or stream, passed through a buffer that holds at least one record: a reader looks at
/// `rest`, asks for more with `grow` until a whole record lies there, and gives it up with `take`. Knows the
/// line it is at. Memory: 1 MiB, or twice the longest record.
class Input {
 public:
  /// Puts up to `room` bytes at `to`; returns how many, 0 at the end.
  using Fetch = std::function<std::size_t(char* to, std::size_t room)>;
  static constexpr std::size_t kBlock = 1u << 20;  ///< fits in the second-level cache of one core

  /// The bytes of a file, or of standard input for "-". Error(file) if it cannot be opened; Error(cancelled),
  /// from whatever needs bytes, once `stop` is asked.
  static Fetch bytes_of(const std::filesystem::path& path, std::stop_token stop = {});
  /// How messages call it.
  static std::string name_of(const std::filesystem::path& path);
  /// Bytes from anywhere; `name` stands in messages.
  Input(std::string name, Fetch fetch, std::size_t max_record, std::size_t block = kBlock);
  /// Bytes in memory.
  static Input of(std::string name, std::string bytes, std::size_t max_record = 64u << 20,
                  std::size_t block = kBlock);

  std::size_t max_record() const { return max_record_; }
  const std::string& name() const { return name_; }
  /// The bytes in memory that nobody took yet. Views into it hold until the next `grow`.
  std::string_view rest() const { return {buffer_.get() + begin_, end_ - begin_}; }
  /// Nothing follows `rest`.
  bool ended() const { return ended_; }
  /// Reads until `rest` has doubled, and has filled the buffer, or the input ends. Error(data) if `rest` is
  /// longer than max_record already; Error(file) if reading fails.
  void grow();
  /// Reads until `rest` has `bytes`, the input ends or a record may be no longer.
  void fill(std::size_t bytes);
  void take(std::size_t bytes) { begin_ += bytes; }
  /// Takes the bytes up to the next line end, LF, CR LF or CR, and it.
  void take_line();
  std::uint64_t taken() const { return dropped_ + begin_; }
  /// The number, from 1, of the line in which rest()[offset] lies. Lines end with LF, CR LF or CR.
  Index line(std::size_t offset = 0) const;
  /// Error(data) if a record of `bytes` at rest() is longer than max_record.
  void check_record(std::size_t bytes) const;
  /// "NAME, line N: message", to be thrown.
  Error error(Fault fault, const std::string& message, std::size_t offset = 0) const;
  /// "NAME, line N".
  std::string place(std::size_t offset = 0) const;

 private:
  Index breaks(std::size_t first, std::size_t last) const;
  void make_room();

  std::string name_;
  Fetch fetch_;
  std::size_t max_record_, block_;
  std::unique_ptr<char[]> buffer_;
  std::size_t capacity_ = 0, begin_ = 0, end_ = 0;
  std::uint64_t dropped_ = 0;  // bytes that have left the buffer
  bool ended_ = false;
  mutable Index lines_ = 0;          // line ends before counted_
  mutable std::size_t counted_ = 0;  // a position in the buffer
};

}  // namespace shoal
