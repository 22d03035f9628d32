// Every type and order of numbers that NumPy writes, against what NumPy itself makes of it
// (tests/golden/make_numpy.py).
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <string>

#include "shoal/core/error.h"
#include "shoal/store/archive/archive.h"
#include "shoal/store/vectors/npy_impl.h"
#include "shoal/store/vectors/rows_file.h"
#include "shoal/store/vectors/vector_files.h"
#include "tests/error_of.h"
#include "tests/scratch_folder.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

const fs::path kGolden = SHOAL_SOURCE "/tests/golden/numpy";

/// The same bits, but that any NaN is as good as another.
void expect_same(MatrixView a, MatrixView b) {
  ASSERT_EQ(a.rows, b.rows);
  ASSERT_EQ(a.cols, b.cols);
  for (Index i = 0; i < a.rows; ++i)
    for (Index j = 0; j < a.cols; ++j) {
      if (std::isnan(a[i][j]) && std::isnan(b[i][j])) continue;
      ASSERT_EQ(std::bit_cast<std::uint32_t>(a[i][j]), std::bit_cast<std::uint32_t>(b[i][j]))
          << "row " << i << ", column " << j << ": " << a[i][j] << " " << b[i][j];
    }
}

void expect_same(const Rows& a, const Rows& b) {
  const Matrix x = a.to_matrix(), y = b.to_matrix();
  expect_same(x.view(), y.view());
}

TEST(NumPy, EveryTypeAndOrderIsWhatNumPyMakesOfIt) {
  int files = 0;
  for (const auto& entry : fs::directory_iterator(kGolden)) {
    const fs::path& path = entry.path();
    if (path.string().ends_with(".want.npy")) continue;
    SCOPED_TRACE(path.filename().string());
    ++files;
    const Rows rows = open_rows(path);
    const Matrix want = open_rows(path.string() + ".want.npy").to_matrix();
    expect_same(rows, Rows(want));
    Matrix scratch;
    for (Index first = 0; first < want.rows(); first += 7)  // any block of them
      for (const Index count : {Index{0}, Index{1}, std::min<Index>(66, want.rows() - first)})
        expect_same(rows.block(first, count, scratch), want.view().slice(first, count));
    const std::string name = path.filename().string(), type = name.substr(0, name.find('_'));
    if (path.extension() == ".npy") {
      const bool as_is = type == "float32" || type == "float16";
      EXPECT_EQ(rows.converted_from(), as_is ? "" : type);
      EXPECT_EQ(rows.dtype(), type == "float16" ? Dtype::f16 : Dtype::f32);
    }
  }
  EXPECT_EQ(files, 49);
  EXPECT_EQ(open_rows(kGolden / "packed.npz").converted_from(), "int32");
  EXPECT_EQ(open_rows(kGolden / "bf16.safetensors").converted_from(), "bfloat16");
  EXPECT_EQ(open_rows(kGolden / "f64.safetensors").converted_from(), "float64");
}

// Bytes that begin at an odd address.
TEST(NumPy, NumbersNeedNoAlignment) {
  for (const char* name :
       {"float64_big_fortran.npy", "float16_little_c.npy", "float32_little_c.npy", "int16_big_c.npy"}) {
    const std::string bytes = "x" + read_file(kGolden / name, 1 << 20);
    const Rows rows = parse_npy(std::as_bytes(std::span(bytes)).subspan(1), name, nullptr);
    expect_same(rows, open_rows(kGolden / (std::string(name) + ".want.npy")));
  }
}

std::string npy_of(const std::string& descr, bool fortran, Index rows, Index cols, const std::string& data) {
  std::string header = "{'descr': '" + descr + "', 'fortran_order': " + (fortran ? "True" : "False") +
                       ", 'shape': (" + std::to_string(rows) + ", " + std::to_string(cols) + ")}\n";
  return std::string("\x93NUMPY\x01\0", 8) + static_cast<char>(header.size()) + '\0' + header + data;
}

TEST(NumPy, WhatFloat32CannotHoldIsSaidAndNeverInfinite) {
  const ScratchFolder folder;
  std::string data(100 * 2 * 8, '\0');
  const double large = 1e300, above = 3.4028236e38;
  std::memcpy(data.data() + 8 * (2 * 90 + 1), &large, 8);  // by rows: row 90, column 1
  std::memcpy(data.data() + 8 * (2 * 95 + 0), &above, 8);
  for (const bool fortran : {false, true}) {
    std::ofstream(folder / "x.npy", std::ios::binary) << npy_of("<f8", fortran, 100, 2, data);
    const Rows rows = open_rows(folder / "x.npy");
    const Error e = error_of([&] { rows.to_matrix(); });
    EXPECT_EQ(e.fault, Fault::data);
    const std::string said = e.what(), place = fortran ? "row 81, column 1" : "row 90, column 1";
    for (const std::string& words :
         {std::string("x.npy"), place, std::string("1e+300"), std::string("float32")})
      EXPECT_NE(said.find(words), std::string::npos) << said;
    Matrix scratch;
    if (!fortran) {  // the others can be read
      EXPECT_EQ(rows.block(0, 90, scratch).rows, 90u);
    }
  }
  ArchiveWriter out("weights");
  const std::vector<double> numbers{1, 1e200};
  out.add("w", numbers);
  out.write(folder / "w.safetensors");
  const Error e = error_of([&] { ArchiveReader(folder / "w.safetensors").floats("w", 2); });
  EXPECT_EQ(e.fault, Fault::format);
  EXPECT_NE(std::string(e.what()).find("range of float32"), std::string::npos) << e.what();
}

TEST(NumPy, AFolderMayMixTypes) {
  const ScratchFolder folder;
  fs::copy_file(kGolden / "int16_little_c.npy", folder / "1.npy");
  fs::copy_file(kGolden / "packed.npz", folder / "2.npz");
  fs::copy_file(kGolden / "float32_big_fortran.npy", folder / "3.npy");
  const Rows all = open_vectors_at(folder.path());
  EXPECT_EQ(all.rows(), 210u);
  EXPECT_EQ(all.converted_from(), "int16, int32");
  Matrix scratch;
  const Matrix second = open_rows(kGolden / "packed.npz.want.npy").to_matrix();
  expect_same(all.block(70, 70, scratch), second.view());
}

std::string refusal(const fs::path& path) {
  const Error e = error_of([&] { open_rows(path).to_matrix(); });
  EXPECT_TRUE(e.fault == Fault::format || e.fault == Fault::unsupported) << e.what();
  return e.text([](std::string_view name) { return std::string(name); });
}

TEST(NumPy, AnArchiveWithoutOneTableOfNumbersIsListed) {
  const ScratchFolder folder;
  const fs::path source = SHOAL_SOURCE "/tests/cases";
  const std::string several = refusal(source / "several.npz"), none = refusal(source / "none.npz");
  for (const char* words :
       {"several.npz", "'a' (2 x 3, float64)", "'b' (4 x 3, int64)", "'ids' (4, int64)", "'vectors'"})
    EXPECT_NE(several.find(words), std::string::npos) << several;
  for (const char* words : {"no table", "'ids' (4, int64)", "'words' (1 x 2, '<U1')"})
    EXPECT_NE(none.find(words), std::string::npos) << none;
  EXPECT_NE(refusal(source / "flat.npy").find("x.reshape"), std::string::npos);
}

TEST(NumPy, DamagedArchivesAreRefused) {
  const ScratchFolder folder;
  const fs::path path = folder / "x.npz";
  const auto written = [&](const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
    return path;
  };
  for (const char* name : {"stored.npz", "packed.npz"}) {
    const std::string whole = read_file(kGolden / name, 1 << 20);
    EXPECT_NE(refusal(written(whole.substr(0, whole.size() / 2))).find("was it cut?"), std::string::npos);
    int refused = 0;
    for (std::size_t at = 0; at < whole.size();
         at += 13) {  // a bit turned anywhere is seen, or harms nothing
      std::string bytes = whole;
      bytes[at] = static_cast<char>(bytes[at] ^ 0x10);
      try {
        expect_same(open_rows(written(bytes)), open_rows(kGolden / (std::string(name) + ".want.npy")));
      } catch (const Error&) {
        ++refused;
      }
    }
    EXPECT_GT(refused, 10);
  }
  EXPECT_NE(refusal(written("")).find("0 bytes"), std::string::npos);
  EXPECT_NE(refusal(written(std::string("PK\x05\x06") + std::string(18, '\0'))).find("no array"),
            std::string::npos);
}

}  // namespace
}  // namespace shoal
