#include "shoal/store/vectors/rows_file.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <optional>

#include "shoal/core/error.h"
#include "shoal/core/random.h"
#include "shoal/store/archive/archive.h"
#include "shoal/store/vectors/npy_impl.h"
#include "tests/error_of.h"
#include "tests/scratch_folder.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

constexpr Index kDims = 7;
const Space kSpace{.id = "model with \"quotes\"", .dims = kDims, .unit = true};

/// Rows [first, first + count) of an endless matrix.
Matrix block_of(Index first, Index count) {
  Matrix x(count, kDims);
  const Random random({3});
  for (Index i = 0; i < count * kDims; ++i)
    x.data()[i] = static_cast<float>(random.normal(first * kDims + i));
  return x;
}

std::string bytes_of_file(const fs::path& path) { return read_file(path, 1 << 28); }

TEST(RowsFile, IsReadableAfterEachCommit) {
  const ScratchFolder folder;
  const fs::path path = folder / "vectors.safetensors";
  RowsFile file(path, kDims, kSpace, 0);
  EXPECT_EQ(open_rows(path).rows(), 0u);
  Index rows = 0;
  for (const Index count : {3u, 0u, 1u, 1000u}) {
    file.append(block_of(rows, count));
    rows += count;
    EXPECT_EQ(file.rows(), rows);
    file.commit();
    const Rows read = open_rows(path);
    EXPECT_EQ(read.space(), kSpace);
    EXPECT_TRUE(read.to_matrix() == block_of(0, rows));
    EXPECT_EQ(ArchiveReader(path).meta("kind"), "vectors");
  }
  EXPECT_EQ((bytes_of_file(path).size() - rows * kDims * 4) % 64, 0u);
}

TEST(RowsFile, OneWriterAtATime) {
  const ScratchFolder folder;
  const fs::path path = folder / "v.safetensors";
  {
    RowsFile first(path, kDims, kSpace, 0);
    first.append(block_of(0, 4));
    first.commit();
    for (const Index kept : {0u, 4u}) {
      const Error e = error_of([&] { RowsFile(path, kDims, kSpace, kept); });
      EXPECT_EQ(e.fault, Fault::file);
      EXPECT_NE(std::string(e.what()).find("another shoal process is writing to"), std::string::npos)
          << e.what();
    }
    first.append(block_of(4, 2));
    first.commit();
  }
  EXPECT_EQ(open_rows(path).to_matrix(), block_of(0, 6));
  EXPECT_EQ(RowsFile(path, kDims, kSpace, 6).rows(), 6u);
}

TEST(RowsFile, ReadersKeepWhatTheyHaveOpen) {
  const ScratchFolder folder;
  const fs::path path = folder / "v.safetensors", part = folder / "part";
  {
    RowsFile first(path, kDims, kSpace, 0);
    first.append(block_of(0, 4000));
    first.commit();
  }
  const Rows reader = open_rows(path);
  RowsFile second(part, kDims, kSpace, 0, path);
  second.append(block_of(100, 2));
  second.keep_as(path);
  EXPECT_FALSE(fs::exists(part));
  EXPECT_EQ(open_rows(path).to_matrix(), block_of(100, 2));
  EXPECT_EQ(reader.to_matrix(), block_of(0, 4000));
  RowsFile third(path, kDims, kSpace, 0);  // begun anew under the name itself it is another file
  EXPECT_EQ(reader.to_matrix(), block_of(0, 4000));
  EXPECT_EQ(error_of([&] { third.keep_as(folder / "no" / "v"); }).fault, Fault::file);
}

TEST(OpenRows, WritingStopsOnRequest) {
  const ScratchFolder folder;
  std::stop_source stop;
  stop.request_stop();
  const Matrix x = block_of(0, 4);
  EXPECT_EQ(error_of([&] { write_rows(folder / "v.npy", Rows(x), {.stop = stop.get_token()}); }).fault,
            Fault::cancelled);
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(RowsFile, StridedRowsAndOtherLengths) {
  const ScratchFolder folder;
  RowsFile file(folder / "v", 2, {}, 0);
  const Matrix x = block_of(0, 5);
  file.append({x.data() + 1, 5, 2, kDims});
  EXPECT_EQ(error_of([&] { file.append(x.view()); }).fault, Fault::argument);
  file.commit();
  fs::rename(folder / "v", folder / "v.safetensors");
  const Matrix read = open_rows(folder / "v.safetensors").to_matrix();
  for (Index r = 0; r < 5; ++r) EXPECT_EQ(read[r][1], x[r][2]);
  EXPECT_EQ(error_of([&] { RowsFile(folder / "w", 0, {}, 0); }).fault, Fault::argument);
}

TEST(RowsFile, GoesOnAndCutsWhatWasNotCounted) {
  const ScratchFolder folder;
  {
    RowsFile file(folder / "whole", kDims, kSpace, 0);
    file.append(block_of(0, 50));
    file.commit();
  }
  {
    RowsFile file(folder / "parts", kDims, kSpace, 0);
    file.append(block_of(0, 20));
    file.commit();
    file.append(block_of(100, 9));
    file.commit();
    file.append(block_of(200, 1));
  }
  EXPECT_EQ(RowsFile(folder / "parts", kDims, kSpace, 29).rows(), 29u);
  {
    RowsFile file(folder / "parts", kDims, kSpace, 20);
    EXPECT_EQ(file.rows(), 20u);
    file.append(block_of(20, 30));
    file.commit();
  }
  EXPECT_EQ(bytes_of_file(folder / "parts"), bytes_of_file(folder / "whole"));
  EXPECT_EQ(error_of([&] { RowsFile(folder / "whole", kDims, kSpace, 51); }).fault, Fault::format);
  EXPECT_EQ(error_of([&] { RowsFile(folder / "whole", kDims, kSpace, ~Index{0}); }).fault, Fault::format);
  EXPECT_EQ(error_of([&] { RowsFile(folder / "whole", kDims + 1, kSpace, 50); }).fault, Fault::format);
  EXPECT_EQ(error_of([&] { RowsFile(folder / "whole", kDims, {.id = "m"}, 50); }).fault, Fault::format);
  EXPECT_EQ(error_of([&] { RowsFile(folder / "absent", kDims, kSpace, 50); }).fault, Fault::file);
  EXPECT_EQ(error_of([&] { RowsFile(folder.path(), kDims, kSpace, 0); }).fault, Fault::file);
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_EQ(error_of([&] { RowsFile(folder / "pipe", kDims, kSpace, 0); }).fault, Fault::file);
  write_file(folder / "junk", std::string(5000, 'j'));
  EXPECT_EQ(error_of([&] { RowsFile(folder / "junk", kDims, kSpace, 1); }).fault, Fault::format);
  EXPECT_EQ(bytes_of_file(folder / "parts"), bytes_of_file(folder / "whole")) << "refusals change nothing";
}

/// What a program does that keeps the count elsewhere: commits the rows, then notes the count.
void fill(const fs::path& folder, Index total) {
  const fs::path note = folder / "count";
  const Index committed = fs::exists(note) ? std::stoull(read_file(note, 99)) : 0;
  RowsFile file(folder / "v", kDims, kSpace, committed);
  while (file.rows() < total) {
    file.append(block_of(file.rows(), std::min<Index>(17, total - file.rows())));
    file.commit();
    write_file(note, std::to_string(file.rows()));
  }
}

TEST(RowsFile, KilledAtAnyMomentItGoesOnToTheSameBytes) {
  constexpr Index kRows = 400;
  const ScratchFolder whole;
  fill(whole.path(), kRows);
  const std::string expected = bytes_of_file(whole / "v");
  const Random random({5});
  int unfinished = 0;
  for (Index trial = 0; trial < 10; ++trial) {
    const ScratchFolder folder;
    for (Index kill = 0; kill < 4; ++kill) {
      const pid_t child = ::fork();
      ASSERT_GE(child, 0);
      if (child == 0) {
        fill(folder.path(), kRows);
        ::_exit(0);
      }
      ::usleep(static_cast<useconds_t>(random.below(trial * 4 + kill, 40'000)));
      ::kill(child, SIGKILL);
      int status = 0;
      ASSERT_EQ(::waitpid(child, &status, 0), child);
      unfinished += WIFSIGNALED(status);
      ASSERT_TRUE((WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL) || status == 0)
          << "the child failed by itself";
    }
    fill(folder.path(), kRows);
    EXPECT_EQ(bytes_of_file(folder / "v"), expected) << trial;
  }
  EXPECT_GT(unfinished, 0) << "no kill came in time to prove anything";
}

TEST(RowsFile, AFullDiskKeepsTheLastCommit) {
  const ScratchFolder folder;
  const fs::path path = folder / "v.safetensors";
  ASSERT_NE(std::signal(SIGXFSZ, SIG_IGN), SIG_ERR);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  {
    RowsFile file(path, kDims, kSpace, 0);
    file.append(block_of(0, 10));
    file.commit();
    const rlimit small{2000, before.rlim_max};
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    EXPECT_EQ(error_of([&] { file.append(block_of(10, 100)); }).fault, Fault::file);
    EXPECT_EQ(file.rows(), 10u);
    ::setrlimit(RLIMIT_FSIZE, &before);
    file.append(block_of(10, 1));  // goes on once there is room
    file.commit();
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    EXPECT_EQ(error_of([&] { file.append(block_of(10, 100)); }).fault, Fault::file);
    ::setrlimit(RLIMIT_FSIZE, &before);
  }
  EXPECT_TRUE(open_rows(path).to_matrix() == block_of(0, 11));
}

TEST(OpenRows, WhatWasWrittenIsRead) {
  const ScratchFolder folder;
  const Matrix x = block_of(0, 5000);
  for (const char* name : {"a.npy", "a.safetensors"}) {
    write_rows(folder / name, Rows(x, kSpace));
    const Rows read = open_rows(folder / name);
    EXPECT_TRUE(read.to_matrix() == x);
    Matrix scratch;
    EXPECT_TRUE(read.block(7, 0, scratch).rows == 0);
    EXPECT_EQ(scratch.rows(), 0u) << "float32 is not copied";
    write_rows(folder / (std::string("empty") + name), Rows(Matrix(0, 4)));
    EXPECT_EQ(open_rows(folder / (std::string("empty") + name)).cols(), 4u);
  }
  EXPECT_EQ(open_rows(folder / "a.safetensors").space(), kSpace);
  EXPECT_EQ(open_rows(folder / "a.npy").space(), (Space{.dims = kDims}));
  EXPECT_EQ(error_of([&] { write_rows(folder / "a.txt", Rows(x)); }).fault, Fault::argument);
  EXPECT_EQ(error_of([&] { open_rows(folder / "a.txt"); }).fault, Fault::format);
  EXPECT_EQ(error_of([&] { open_rows(folder / "b.npy"); }).fault, Fault::file);
}

TEST(OpenRows, RowsWithoutNumbersAreRefused) {
  const ScratchFolder folder;
  write_file(folder / "a.npy", npy_header(Index{1} << 62, 0, Dtype::f32));
  EXPECT_EQ(error_of([&] { open_rows(folder / "a.npy"); }).fault, Fault::format);
}

TEST(OpenRows, HalvesStayHalves) {
  const ScratchFolder folder;
  // 1, -2, 65504 and the smallest subnormal, as float16.
  const std::uint16_t halves[] = {0x3c00, 0xc000, 0x7bff, 0x0001};
  std::string npy = npy_header(2, 2, Dtype::f16);
  npy.append(reinterpret_cast<const char*>(halves), sizeof halves);
  write_file(folder / "h.npy", npy);
  const Rows rows = open_rows(folder / "h.npy");
  EXPECT_EQ(rows.dtype(), Dtype::f16);
  const Matrix x = rows.to_matrix();
  EXPECT_EQ(x[0][0], 1.0f);
  EXPECT_EQ(x[0][1], -2.0f);
  EXPECT_EQ(x[1][0], 65504.0f);
  EXPECT_EQ(x[1][1], 0x1p-24f);
  write_rows(folder / "again.npy", rows);
  EXPECT_EQ(bytes_of_file(folder / "again.npy"), npy);
  write_rows(folder / "again.safetensors", rows);
  EXPECT_TRUE(open_rows(folder / "again.safetensors").to_matrix() == x);
  EXPECT_EQ(open_rows(folder / "again.safetensors").dtype(), Dtype::f16);
}

TEST(OpenRows, TheOnlyMatrixOfASafetensorsFile) {
  const ScratchFolder folder;
  const Matrix x = block_of(0, 3);
  ArchiveWriter one("example");
  one.add("weights", x.view());
  one.add("bias", std::vector<float>{1});
  one.write(folder / "one.safetensors");
  EXPECT_TRUE(open_rows(folder / "one.safetensors").to_matrix() == x);
  ArchiveWriter two = one;
  two.add("more", x.view());
  two.write(folder / "two.safetensors");
  EXPECT_EQ(error_of([&] { open_rows(folder / "two.safetensors"); }).fault, Fault::format);
  two.add("vectors", block_of(9, 2));
  two.write(folder / "named.safetensors");
  EXPECT_TRUE(open_rows(folder / "named.safetensors").to_matrix() == block_of(9, 2));
  ArchiveWriter none("example");
  none.write(folder / "none.safetensors");
  EXPECT_EQ(error_of([&] { open_rows(folder / "none.safetensors"); }).fault, Fault::format);
}

std::string npy_of(const std::string& header, const std::string& data, char version = 1) {
  std::string out = std::string("\x93NUMPY") + version + '\0';
  out += static_cast<char>(header.size() & 255);
  out += static_cast<char>(header.size() >> 8);
  if (version > 1) out += std::string(2, '\0');
  return out + header + data;
}

/// The message of the refusal; empty if it is read.
std::string refusal(const std::string& npy) {
  try {
    parse_npy(std::as_bytes(std::span<const char>(npy)), "x.npy", nullptr).to_matrix();
  } catch (const Error& e) {
    EXPECT_EQ(e.fault, Fault::format) << e.what();
    return e.what();
  }
  return "";
}

TEST(Npy, EveryWayToWriteAHeader) {
  const std::string data(8, '\0');
  for (const char* header : {"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2), }   \n",
                             "{\"shape\":(2,1),\"descr\":\"<f4\",\"fortran_order\":False}",
                             "{ 'fortran_order' : False , 'shape' : ( 1 , 2 , ) , 'descr' : '<f4' }\n"}) {
    EXPECT_EQ(refusal(npy_of(header, data)), "");
    EXPECT_EQ(refusal(npy_of(header, data, 2)), "");
    EXPECT_EQ(refusal(npy_of(header, data, 3)), "");
  }
  EXPECT_EQ(npy_header(3, 4, Dtype::f32).size() % 64, 0u);
  EXPECT_EQ(refusal(npy_header(1, 2, Dtype::f32) + data), "");
}

TEST(Npy, HostileFilesAreRefused) {
  const auto shape = [](const std::string& sides) {
    return "{'descr': '<f4', 'fortran_order': False, 'shape': (" + sides + "), }\n";
  };
  const std::string data(8, '\0');
  ASSERT_EQ(refusal(npy_of(shape("1, 2"), data)), "");
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "NUMPY"},
      {"\x93NUMP", "NUMPY"},
      {"\x93NUMPY", "ends inside"},
      {npy_of(shape("1, 2"), data, 4), "version is 4"},
      {npy_of(shape("1, 2"), data).substr(0, 30), "claims"},
      {std::string("\x93NUMPY\x02\0\xff\xff\xff\xff{", 13), "4294967295"},
      {npy_of(shape("1, 2"), data + "x"), "does not fit"},
      {npy_of(shape("1, 2"), data.substr(1)), "does not fit"},
      {npy_of(shape("1, 3"), data), "does not fit"},
      {npy_of(shape("4611686018427387904, 4"), data), "does not fit"},
      {npy_of(shape("4294967296, 4294967296"), ""), "does not fit"},
      {npy_of(shape("2"), data), "one list of 2 numbers"},
      {npy_of(shape(""), data), "0 sides"},
      {npy_of(shape("1, 1, 2"), data), "3 sides"},
      {npy_of(shape("-1, 2"), data), "not understood"},
      {npy_of(shape("99999999999999999999, 2"), data), "not understood"},
      {npy_of("{'descr': '<f8', 'fortran_order': False, 'shape': (1, 2), }", data), "does not fit"},
      {npy_of("{'descr': '<f16', 'fortran_order': False, 'shape': (1, 1), }", data), "'<f16'"},
      {npy_of("{'descr': '<c8', 'fortran_order': False, 'shape': (1, 1), }", data), "'<c8'"},
      {npy_of("{'descr': '<M8[s]', 'fortran_order': False, 'shape': (1, 1), }", data), "'<M8[s]'"},
      {npy_of("{'descr': '|S8', 'fortran_order': False, 'shape': (1, 1), }", data), "'|S8'"},
      {npy_of("{'descr': '|f4', 'fortran_order': False, 'shape': (1, 2), }", data), "'|f4'"},
      {npy_of("{'descr': '|O', 'fortran_order': False, 'shape': (1, 1), }", data), "Python objects"},
      {npy_of("{'descr': '', 'fortran_order': False, 'shape': (1, 1), }", data), "not read"},
      {npy_of("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1, 2), }", data), "records"},
      {npy_of("{'descr': '<f4', 'shape': (1, 2), }", data), "lacks"},
      {npy_of("{'descr': '<f4', 'descr': '<f4'}", data), "repeated"},
      {npy_of("{'x': 1}", data), "unknown"},
      {npy_of("{'descr': __import__('os')}", data), "not understood"},
      {npy_of(shape("1, 2") + "x", data), "not understood"},
      {npy_of("", data), "not understood"},
      {npy_of("{'descr", data), "not understood"},
  };
  for (const auto& [bytes, words] : cases) {
    const std::string said = refusal(bytes);
    EXPECT_NE(said.find(words), std::string::npos) << bytes << "\n-> " << said;
    EXPECT_EQ(said.find("x.npy"), 0u);
  }
}

}  // namespace
}  // namespace shoal
