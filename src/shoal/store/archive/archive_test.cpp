#include "shoal/store/archive/archive.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <limits>
#include <numeric>

#include "shoal/core/error.h"
#include "shoal/kernels/kernels.h"
#include "shoal/store/files/descriptor_impl.h"
#include "shoal/store/files/new_file.h"
#include "tests/error_of.h"
#include "tests/scratch_folder.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

/// A safetensors file's bytes from the text of its header and its data.
std::string file_of(const std::string& header, const std::string& data = "") {
  const std::uint64_t length = header.size();
  std::string out(sizeof length, '\0');
  std::memcpy(out.data(), &length, sizeof length);
  return out + header + data;
}

/// Over `bytes`, which must outlive it.
ArchiveReader reader_of(const std::string& bytes) {
  return ArchiveReader(std::as_bytes(std::span<const char>(bytes)), "test.safetensors");
}

/// The message of the Error(format) that reading `bytes` gives; empty if it gives none.
std::string refusal(const std::string& bytes) {
  try {
    reader_of(bytes);
  } catch (const Error& e) {
    EXPECT_EQ(e.fault, Fault::format) << e.what();
    return e.what();
  }
  return "";
}

Matrix counted(Index rows, Index cols) {
  Matrix x(rows, cols);
  std::iota(x.data(), x.data() + rows * cols, 0.5f);
  return x;
}

struct SavedOptions {
  Index k = 3;
  double tolerance = 0.5;
  std::string method;
  Seed seed;
  bool fast = false;
  std::optional<Index> limit;
};
template <class V>
void fields(SavedOptions& o, V&& visit) {
  visit("k", o.k, "how many", at_least(1));
  visit("tolerance", o.tolerance, "how near", between(0, 1));
  visit("method", o.method, "which way");
  visit("seed", o.seed, "start");
  visit("fast", o.fast, "quickly");
  visit("limit", o.limit, "most");
}
const SavedOptions kSaved{
    .k = 7, .tolerance = 0.1, .method = "lloyd", .seed = {(1u << 31) + (1ull << 63)}, .fast = true};

TEST(Archive, WhatWasWrittenIsRead) {
  const ScratchFolder folder;
  const fs::path path = folder / "model.safetensors";
  ArchiveWriter out("example");
  out.meta("note", "with \"quotes\" and \n lines, ä");
  out.options(list_fields(kSaved));
  out.space({.id = "m", .dims = 3, .unit = true});
  const Matrix x = counted(4, 3);
  out.add("x", x.view());
  out.add("window", MatrixView{x.data() + 1, 4, 2, 3});
  out.add("f", std::vector<float>{1, 2});
  out.add("d", std::vector<double>{0.1});
  out.add("i", std::vector<std::int32_t>{-1, 5});
  out.add("l", std::vector<std::int64_t>{std::numeric_limits<std::int64_t>::min()});
  out.write(path);

  const ArchiveReader in(path);
  EXPECT_TRUE(in.matrix("x") == x);
  const Matrix window = in.matrix("window", 4, 2);
  EXPECT_EQ(window[3][1], x[3][2]);
  EXPECT_EQ(in.floats("f", 2), (std::vector<float>{1, 2}));
  EXPECT_EQ(in.floats("d", 1), (std::vector<float>{0.1f}));
  EXPECT_EQ(in.integers("i"), (std::vector<std::int64_t>{-1, 5}));
  EXPECT_EQ(in.integers("l"), (std::vector<std::int64_t>{std::numeric_limits<std::int64_t>::min()}));
  EXPECT_EQ(in.meta("note"), "with \"quotes\" and \n lines, ä");
  SavedOptions options{.k = 1, .limit = 5};
  in.read(option_refs(options));
  EXPECT_EQ(options.k, 7u);
  EXPECT_EQ(options.tolerance, 0.1);
  EXPECT_EQ(options.method, "lloyd");
  EXPECT_EQ(options.seed, kSaved.seed);
  EXPECT_TRUE(options.fast);
  EXPECT_EQ(options.limit, std::nullopt) << "absent when it was saved";
  EXPECT_EQ(read_space(in), (Space{.id = "m", .dims = 3, .unit = true}));
  EXPECT_NO_THROW(check_kind(in, "example"));

  EXPECT_EQ(fault_of([&] { in.matrix("x", 3, 4); }), Fault::format);
  EXPECT_EQ(fault_of([&] { in.floats("x", 11); }), Fault::format);
  EXPECT_EQ(fault_of([&] { in.matrix("i"); }), Fault::format);
  EXPECT_EQ(fault_of([&] { in.integers("x"); }), Fault::format);
  EXPECT_EQ(fault_of([&] { in.tensor("nothing"); }), Fault::format);
  EXPECT_EQ(fault_of([&] { in.meta("absent"); }), Fault::format);
  EXPECT_EQ(fault_of([&] { check_kind(in, "other"); }), Fault::format);
}

TEST(Archive, AnOptionThatIsNotThereKeepsItsDefaultAndAWrongOneIsNamed) {
  const ScratchFolder folder;
  const auto path = folder / "a.safetensors";
  const auto saved = [&](const std::vector<Field>& fields) {
    ArchiveWriter out("example");
    out.options(fields);
    out.write(path);
    return read_options<SavedOptions>(ArchiveReader(path));
  };
  EXPECT_EQ(saved({{"k", std::int64_t{7}}}).tolerance, SavedOptions{}.tolerance);
  for (const auto& [wrong, message] :
       std::vector<std::pair<Field, std::string>>{{{"k", std::string("x")}, "k is 'x'; allowed: 1 or more"},
                                                  {{"k", std::int64_t{0}}, "k is 0; allowed: 1 or more"},
                                                  {{"tolerance", 2.0}, "tolerance is 2; allowed: 0 to 1"},
                                                  {{"fast", 1.0}, "fast is '1'; allowed: true or false"},
                                                  {{"tolerance", FieldValue{}}, "tolerance is 'none'"}}) {
    try {
      saved({wrong});
      ADD_FAILURE() << message;
    } catch (const Error& e) {
      EXPECT_EQ(e.fault, Fault::format);
      EXPECT_NE(std::string(e.what()).find(path.string() + ": " + message), std::string::npos) << e.what();
    }
  }
}

TEST(Archive, DataStartsAtABoundaryAndEqualContentIsEqualBytes) {
  const ScratchFolder folder;
  const auto write = [&](const char* name, bool swapped) {
    ArchiveWriter out("example");
    const std::vector<std::int32_t> narrow{1, 2, 3};
    const std::vector<double> wide{1.5};
    if (swapped) out.add("b", wide);
    out.add("a", narrow);
    if (!swapped) out.add("b", wide);
    out.write(folder / name);
    return read_file(folder / name, 1 << 20);
  };
  const std::string bytes = write("one", false);
  EXPECT_EQ(bytes, write("two", true));
  EXPECT_EQ((bytes.size() - 3 * 4 - 8) % 64, 0u);
  const ArchiveReader in = reader_of(bytes);
  EXPECT_EQ(in.tensor("a").bytes.data() - in.tensor("b").bytes.data(), 8) << "the widest first";
}

TEST(Archive, WriterRefusesWhatTheFormatCannotHold) {
  ArchiveWriter out("example");
  out.add("x", std::vector<float>{1});
  EXPECT_EQ(fault_of([&] { out.add("x", std::vector<float>{1}); }), Fault::argument);
  EXPECT_EQ(fault_of([&] { out.add("__metadata__", std::vector<float>{1}); }), Fault::argument);
  const ScratchFolder folder;
  out.meta("bad", "\xff");
  EXPECT_EQ(fault_of([&] { out.write(folder / "x"); }), Fault::argument);
  EXPECT_TRUE(fs::is_empty(folder.path()));
}

TEST(Archive, EmptyTensorsAndNoTensors) {
  const std::string none = file_of("{}");
  EXPECT_TRUE(reader_of(none).tensors().empty());
  const std::string bytes = file_of(R"({"e":{"dtype":"F32","shape":[0,4],"data_offsets":[0,0]},)"
                                    R"("s":{"dtype":"U8","shape":[],"data_offsets":[0,1]}}   )",
                                    "\x05");
  const ArchiveReader in = reader_of(bytes);
  EXPECT_EQ(in.matrix("e").rows(), 0u);
  EXPECT_EQ(in.matrix("e").cols(), 4u);
  EXPECT_EQ(in.integers("s"), (std::vector<std::int64_t>{5}));
  EXPECT_EQ(in.rows("e").rows(), 0u);
}

TEST(Archive, HalvesAndMisalignedDataAreConverted) {
  // The header's odd length puts the floats at an odd address.
  const float values[] = {1.0f, -2.5f};
  std::string data(reinterpret_cast<const char*>(values), 8);
  for (const unsigned bits : {0x3c00u, 0xc000u, 0x3f80u, 0xc020u}) {
    data += static_cast<char>(bits & 255);
    data += static_cast<char>(bits >> 8);
  }
  const std::string bytes = file_of(R"({"f":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},)"
                                    R"("h":{"dtype":"F16","shape":[2,1],"data_offsets":[8,12]},)"
                                    R"("b":{"dtype":"BF16","shape":[2],"data_offsets":[12,16]}} )",
                                    data);
  for (const std::size_t shift : {0u, 1u, 2u, 3u}) {
    const std::string shifted = std::string(shift, 'x') + bytes;
    const ArchiveReader in(std::as_bytes(std::span<const char>(shifted)).subspan(shift), "shifted");
    EXPECT_EQ(in.floats("f", 2), (std::vector<float>{1.0f, -2.5f}));
    EXPECT_EQ(in.floats("h", 2), (std::vector<float>{1.0f, -2.0f}));
    EXPECT_EQ(in.floats("b", 2), (std::vector<float>{1.0f, -2.5f}));
    Matrix scratch;
    EXPECT_EQ(in.rows("f").block(0, 1, scratch)[0][1], -2.5f);
    EXPECT_EQ(in.rows("h").block(1, 1, scratch)[0][0], -2.0f);
    EXPECT_EQ(in.rows("h").dtype(), Dtype::f16);
    EXPECT_EQ(fault_of([&] { in.rows("b"); }), Fault::format);
  }
}

TEST(Archive, HostileFilesAreRefusedByName) {
  const auto one = [](const std::string& type, const std::string& shape, const std::string& offsets) {
    return R"({"t":{"dtype":")" + type + R"(","shape":[)" + shape + R"(],"data_offsets":[)" + offsets + "]}}";
  };
  EXPECT_EQ(refusal(file_of(one("F32", "2", "0,8"), "12345678")), "") << "the pattern itself is right";
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"", "0 bytes"},
      {"1234567", "7 bytes"},
      {std::string("\xff\xff\xff\xff\xff\xff\xff\xff{}", 10), "18446744073709551615"},
      {std::string("\x03\0\0\0\0\0\0\0{}", 10), "claims 3 bytes"},
      {std::string("\0\0\0\0\0\0\0\0", 8), "start with"},
      {file_of("[]"), "start with"},
      {file_of(" {}"), "start with"},
      {file_of("{"), "not JSON"},
      {file_of("{} x"), "not JSON"},
      {file_of("{\"\xff\":1}"), "not JSON"},
      {file_of("{\"t\":1}"), "unexpected 1"},
      {file_of("{\"t\":{}}"), "needs dtype"},
      {file_of("{\"t\":[" + std::string(1'000'000, '[')), "unexpected list"},
      {file_of(R"({"t":{"dtype":{"a":1}}})"), "unexpected object"},
      {file_of(R"({"t":{"dtype":"F32","shape":[[1]]}})"), "unexpected list"},
      {file_of(R"({"t":{"dtype":"F32","shape":[-1]}})"), "unexpected -1"},
      {file_of(R"({"t":{"dtype":"F32","shape":[1.5]}})"), "unexpected 1.5"},
      {file_of(R"({"t":{"dtype":"F32","shape":[99999999999999999999]}})"), "unexpected 9999"},
      {file_of(R"({"t":{"extra":1}})"), "unknown"},
      {file_of(R"({"__metadata__":{"a":1}})"), "unexpected 1"},
      {file_of(R"({"__metadata__":{"a":{}}})"), "unexpected object"},
      {file_of(R"({"__metadata__":"a"})"), "unexpected text"},
      {file_of(R"({"__metadata__":{"a":"b","a":"c"}})"), "twice"},
      {file_of(R"({"__metadata__":{},"__metadata__":{}})"), "twice"},
      {file_of(R"({"t":{"dtype":"F32","dtype":"F32"}})"), "twice"},
      {file_of(R"({"t":{"dtype":"U8","shape":[0],"data_offsets":[0,0]},)"
               R"("t":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}})"),
       "twice"},
      {file_of(one("F31", "2", "0,8"), "12345678"), "F31"},
      {file_of(one("F32", "2", "0,7"), "1234567"), "need 8 bytes"},
      {file_of(one("F32", "2", "8,0"), "12345678"), "need 8 bytes"},
      {file_of(one("F32", "2", "0"), "12345678"), "two data_offsets"},
      {file_of(one("F32", "2", "0,8,9"), "12345678"), "unexpected 9"},
      {file_of(one("F32", "2", "0,8"), "1234567"), "only 7"},
      {file_of(one("F32", "2", "0,8"), "123456789"), "1 bytes after"},
      {file_of(one("F32", "2", "1,9"), "123456789"), "starts at byte 1"},
      {file_of(one("F32", "2", "18446744073709551608,18446744073709551616"), ""), "unexpected"},
      {file_of(one("F32", "2", "18446744073709551600,18446744073709551608"), ""), "starts at byte"},
      {file_of(one("F32", "4294967296,4294967296", "0,0")), "more bytes than"},
      {file_of(one("U8", "9223372036854775808,2", "0,0")), "more bytes than"},
      {file_of(R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},)"
               R"("b":{"dtype":"U8","shape":[2],"data_offsets":[1,3]}})",
               "123"),
       "starts at byte 1"},
      {file_of(R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},)"
               R"("b":{"dtype":"U8","shape":[1],"data_offsets":[2,3]}})",
               "123"),
       "starts at byte 2"},
  };
  for (const auto& [bytes, words] : cases) {
    const std::string said = refusal(bytes);
    EXPECT_NE(said.find(words), std::string::npos) << bytes.substr(0, 200) << "\n-> " << said;
    EXPECT_EQ(said.find("test.safetensors"), 0u) << said;
    EXPECT_LT(said.size(), 600u);
  }
}

TEST(Archive, EveryCutOfAFileIsRefused) {
  const ScratchFolder folder;
  ArchiveWriter out("example");
  out.add("x", counted(5, 5));
  out.write(folder / "whole");
  const std::string whole = read_file(folder / "whole", 1 << 20);
  EXPECT_EQ(refusal(whole), "");
  for (std::size_t length = 0; length < whole.size(); ++length) {
    EXPECT_NE(refusal(whole.substr(0, length)), "") << length;
  }
}

TEST(Archive, PathsThatAreNoFiles) {
  const ScratchFolder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  write_file(folder / "empty", "");
  EXPECT_EQ(fault_of([&] { ArchiveReader{folder / "absent"}; }), Fault::file);
  EXPECT_EQ(fault_of([&] { ArchiveReader{folder.path()}; }), Fault::file);
  EXPECT_EQ(fault_of([&] { ArchiveReader{folder / "pipe"}; }), Fault::file);
  EXPECT_EQ(fault_of([&] { ArchiveReader{folder / "empty"}; }), Fault::format);
  EXPECT_EQ(fault_of([&] { read_file(folder.path(), 9); }), Fault::file);
  EXPECT_EQ(fault_of([&] { read_file(folder / "pipe", 9); }), Fault::file);
  EXPECT_EQ(fault_of([&] { write_file(folder.path(), "x"); }), Fault::file);
  EXPECT_EQ(fault_of([&] { write_file(folder / "pipe", "x"); }), Fault::file);
  EXPECT_EQ(fault_of([&] { write_file("/dev/null", "x"); }), Fault::file);
  EXPECT_EQ(fault_of([&] { write_file(folder / "no" / "folder", "x"); }), Fault::file);
  EXPECT_EQ(fault_of([&] { write_file("", "x"); }), Fault::file);
  EXPECT_TRUE(Mapping(folder / "empty").bytes().empty());
}

TEST(Files, AreReadWholeUpToALimit) {
  const ScratchFolder folder;
  const std::string content("a\0b\xff", 4);
  write_file(folder / "f", content);
  EXPECT_EQ(read_file(folder / "f", 4), content);
  EXPECT_EQ(fault_of([&] { read_file(folder / "f", 3); }), Fault::format);
  EXPECT_EQ(fault_of([&] { read_file(folder / "absent", 3); }), Fault::file);
  EXPECT_FALSE(read_file("/proc/self/status", 1 << 20).empty()) << "a file whose size is given as 0";
}

TEST(Files, ALinkIsFollowedAndALeftoverIsTakenOver) {
  const ScratchFolder folder;
  write_file(folder / "target", "old");
  fs::create_symlink("target", folder / "link");
  write_file(folder / ".target.part", "what a killed process left");
  write_file(folder / "link", "new");
  EXPECT_EQ(read_file(folder / "target", 9), "new");
  EXPECT_TRUE(fs::is_symlink(folder / "link"));
  EXPECT_FALSE(fs::exists(folder / ".target.part"));
}

TEST(Files, AFullDiskLeavesTheOldFile) {
  const ScratchFolder folder;
  write_file(folder / "f", "old");
  ASSERT_NE(std::signal(SIGXFSZ, SIG_IGN), SIG_ERR);
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
  const rlimit small{1000, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  std::string said;
  try {
    write_file(folder / "f", std::string(2000, 'x'));
  } catch (const Error& e) {
    EXPECT_EQ(e.fault, Fault::file);
    said = e.what();
  }
  ::setrlimit(RLIMIT_FSIZE, &before);
  EXPECT_NE(said.find((folder / "f").string()), std::string::npos) << said;
  EXPECT_NE(said.find("larger than"), std::string::npos) << said;
  EXPECT_EQ(read_file(folder / "f", 9), "old");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()), 1);
}

TEST(Files, ADeviceThatIsFullSaysSo) {
  if (::access("/dev/full", W_OK) != 0) GTEST_SKIP() << "there is no /dev/full on this machine";
  const Descriptor full(::open("/dev/full", O_WRONLY));
  expect_error(Fault::file, "cannot write somewhere: the disk is full",
               [&] { write_at(full, "somewhere", 0, as_bytes("x")); });
}

TEST(Files, SecondWriterIsToldOfTheFirst) {
  const ScratchFolder folder;
  const NewFile first(folder / "f");
  EXPECT_EQ(fault_of([&] { write_file(folder / "f", "x"); }), Fault::file);
}

// The examples of FIPS 180-4's companion, and lengths around the padding's edges against one long input's
// parts.
TEST(Sha256, KnownAnswers) {
  const auto of = [](const std::string& s) { return sha256(std::as_bytes(std::span<const char>(s))); };
  EXPECT_EQ(of(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(of("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(of(std::string(55, 'a')), "9f4390f8d30c2dd92ec9f095b65e2b9ae9b0a925a5258e241c9f1e910f734318");
  EXPECT_EQ(of(std::string(64, 'a')), "ffe054fe7ae0cb6dc65c3af9b61d5209f439851db43d0ba5997337df154668eb");
  EXPECT_EQ(of(std::string(1'000'000, 'a')),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  const ScratchFolder folder;
  write_file(folder / "f", "abc");
  EXPECT_EQ(sha256_file(folder / "f"), of("abc"));
  // Files are read in pieces of 2^20 bytes.
  for (const std::size_t size : {0, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, (3 << 20) + 77}) {
    std::string content(size, 'a');
    for (std::size_t i = 0; i < size; i += 1000) content[i] = static_cast<char>('a' + i / 1000 % 26);
    write_file(folder / "f", content);
    EXPECT_EQ(sha256_file(folder / "f"), of(content)) << size;
  }
}

TEST(Archive, AStageMadeOfStagesIsOneFile) {
  const ScratchFolder folder;
  const std::vector<double> one{0.1, 0.2}, two{0.3};
  ArchiveWriter inner("inner"), out("outer");
  inner.options(list_fields(SavedOptions{.k = 9}));
  inner.space({"mini@ab", 2, true});
  inner.add("x", std::span<const double>(one));
  out.add("x", std::span<const double>(two));
  out.add_part("first", inner);
  out.add_part("second", inner);
  EXPECT_THROW(out.add_part("first", inner), Error);
  out.write(folder / "file");
  const ArchiveReader in(folder / "file");
  EXPECT_EQ(in.doubles("x", 1), two);
  const ArchiveReader part = in.part("second");
  check_kind(part, "inner");
  EXPECT_EQ(part.doubles("x", 2), one);
  EXPECT_EQ(read_options<SavedOptions>(part).k, 9u);
  EXPECT_EQ(read_space(part).id, "mini@ab");
  EXPECT_THROW(in.part("third"), Error);
  EXPECT_THROW(part.doubles("x", 3), Error);
}

}  // namespace
}  // namespace shoal
