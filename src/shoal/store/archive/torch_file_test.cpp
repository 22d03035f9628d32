// Files as torch.save writes them, and hostile ones (tests/golden/make_torch.py).
#include "shoal/store/archive/torch_file.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "shoal/core/error.h"
#include "shoal/store/archive/state_dict_impl.h"
#include "tests/error_of.h"
#include "tests/scratch_folder.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

const fs::path kGolden = SHOAL_SOURCE "/tests/golden/torch";

void expect_same(const ArchiveReader& a, const ArchiveReader& b) {
  ASSERT_EQ(a.tensors().size(), b.tensors().size());
  for (const auto& [name, tensor] : b.tensors()) {
    SCOPED_TRACE(name);
    ASSERT_TRUE(a.has(name));
    EXPECT_EQ(a.tensor(name).type, tensor.type);
    EXPECT_EQ(a.tensor(name).shape, tensor.shape);
    EXPECT_TRUE(std::ranges::equal(a.tensor(name).bytes, tensor.bytes));
  }
}

TEST(TorchFile, TensorsAreThoseThatWereSaved) {
  const ArchiveReader want(kGolden / "state.safetensors");
  ASSERT_EQ(want.tensors().size(), 18u);
  for (const char* name : {"protocol2.bin", "protocol3.bin", "protocol4.bin", "protocol5.bin", "dict.bin"}) {
    SCOPED_TRACE(name);
    expect_same(open_torch_file(kGolden / name), want);
  }
}

TEST(TorchFile, ATensorInOrderIsNotCopied) {
  const fs::path path = kGolden / "protocol2.bin";
  const std::string bytes = read_file(path, 1 << 20);
  const auto all = std::as_bytes(std::span(bytes));
  const ArchiveReader in = read_torch_file(all, path, nullptr);
  const auto inside = [&](const char* name) {
    const std::byte* at = in.tensor(name).bytes.data();
    return at >= all.data() && at < all.data() + all.size();
  };
  for (const char* name : {"FloatStorage", "part", "same storage", "one row", "parameter"})
    EXPECT_TRUE(inside(name)) << name;
  for (const char* name : {"turned", "every second"}) EXPECT_FALSE(inside(name)) << name;
}

TEST(TorchFile, TiedTensorsAndAFewCopiesAreFine) {
  const ArchiveReader tied = open_torch_file(kGolden / "tied.bin");
  ASSERT_EQ(tied.tensors().size(), 100u);
  EXPECT_EQ(tied.floats("w99", 3), std::vector<float>(3, 1.0f));
  const ArchiveReader some = open_torch_file(kGolden / "expanded_some.bin");
  for (const auto& [name, tensor] : some.tensors())
    EXPECT_EQ(some.floats(name, 1 << 20), std::vector<float>(1 << 20, 1.0f)) << name;
}

TEST(TorchFile, WhatIsNoDictionaryOfTensorsIsRefusedByName) {
  const fs::path mark = "/tmp/shoal-was-run";
  fs::remove(mark);
  const std::pair<const char*, std::vector<const char*>> cases[] = {
      {"runs_system.bin", {"'posix.system'", "runs nothing"}},
      {"runs_eval.bin", {"'builtins.eval'", "runs nothing"}},
      {"big.bin", {"big-endian"}},
      {"script.bin", {"TorchScript", "state_dict()"}},
      {"list.bin", {"no dictionary of tensors"}},
      {"no_tensors.bin", {"no tensors"}},
      {"set.bin", {"opcode 0x8f"}},
      {"sides.bin", {"65 sides", "at most 64"}},
      {"old.bin", {"before version 1.6", "torch.save(torch.load("}}};
  for (const auto& [name, words] : cases) {
    const Error e = error_of([&, name = name] { open_torch_file(kGolden / name); });
    EXPECT_EQ(e.fault, Fault::unsupported) << name << e.what();
    const std::string said = e.text([](std::string_view option) { return std::string(option); });
    EXPECT_EQ(said.rfind((kGolden / name).string(), 0), 0u) << said;
    for (const char* part : words) EXPECT_NE(said.find(part), std::string::npos) << part << " in: " << said;
  }
  EXPECT_FALSE(fs::exists(mark));
}

TEST(TorchFile, WhatDoesNotFitIsDamaged) {
  const std::pair<const char*, const char*> cases[] = {
      {"beyond.bin", "beyond its storage of 3 numbers"},
      {"beyond_strided.bin", "beyond its storage of 3 numbers"},
      {"expanded.bin", "repeats the numbers"},
      {"expanded_often.bin", "more than 4 times the bytes of the file"},
      {"text.bin", "does not start as a zip archive"},
      {"state.safetensors", "does not start as a zip archive"}};
  for (const auto& [name, words] : cases) {
    const Error e = error_of([&, name = name] { open_torch_file(kGolden / name); });
    EXPECT_EQ(e.fault, Fault::format) << name << e.what();
    EXPECT_NE(std::string(e.what()).find(words), std::string::npos) << e.what();
  }
}

TEST(TorchFile, ACutOrChangedFileIsSeenOrHarmless) {
  const std::string whole = read_file(kGolden / "protocol2.bin", 1 << 20);
  const auto attempt = [](const std::string& bytes) {
    try {
      read_torch_file(std::as_bytes(std::span(bytes)), "x.bin", nullptr);
      return true;
    } catch (const Error& e) {
      EXPECT_TRUE(e.fault == Fault::format || e.fault == Fault::unsupported) << e.what();
      return false;
    }
  };
  ASSERT_TRUE(attempt(whole));
  for (std::size_t size = 0; size < whole.size(); size += 29)
    EXPECT_FALSE(attempt(whole.substr(0, size))) << size;
  for (std::size_t at = 0; at < whole.size(); at += 7) {
    std::string bytes = whole;
    bytes[at] = static_cast<char>(bytes[at] ^ 0x41);
    attempt(bytes);
  }
}

// Neither depth nor rings of values are walked through.
TEST(StateDict, NestingIsHarmless) {
  const auto refused = [](const std::string& pickle) {
    return error_of([&] { read_state_dict(std::as_bytes(std::span(pickle)), "x.pkl"); }).fault;
  };
  EXPECT_EQ(refused("\x80\x02)" + std::string(1 << 20, '\x85') + "."), Fault::unsupported);
  EXPECT_EQ(refused("\x80\x02]q" + std::string(1, '\0') + "h" + std::string(1, '\0') + "a."),
            Fault::unsupported);
  EXPECT_EQ(refused("\x80\x02}" + std::string(1 << 20, '(')), Fault::format);
  EXPECT_EQ(refused("\x80\x02]r\xff\xff\xff\x7f."), Fault::format);
  EXPECT_EQ(refused(""), Fault::format);
  EXPECT_EQ(refused("."), Fault::format);
}

// A pickle may make a value once and use it in each line after. What comes of that is limited.
TEST(StateDict, RepeatedValuesAreLimited) {
  const auto times = [](int n, const std::string& part) {
    std::string out;
    for (int i = 0; i < n; ++i) out += part;
    return out;
  };
  const std::string nul(1, '\0'), recall = "h" + nul, remember = "q" + nul;
  const auto text = [&](std::uint32_t length) {
    std::string out = "X";
    for (unsigned byte = 0; byte < 4; ++byte) out += static_cast<char>(length >> 8 * byte & 0xFF);
    return out + std::string(length, 'a');
  };
  const auto tensor = [&](const std::string& key, int sides) {
    const std::string zeros = "(" + times(sides, "K" + nul) + "t";
    return "ctorch._utils\n_rebuild_tensor_v2\n((" + ("U\7storage" + ("ctorch\nFloatStorage\n" + key)) +
           "NK" + nul + "tQK" + nul + zeros + zeros + "tR";
  };
  const auto names = [&] {
    std::string out;
    for (char a = 'a'; a <= 'z'; ++a)
      for (char b = 'a'; b <= 'z'; ++b) out += std::string("U\2") + a + b + recall;
    return out;
  };
  const std::string dictionary = "ccollections\nOrderedDict\n";
  const std::pair<const char*, std::string> hostile[] = {
      {"a list of pairs, made a dictionary again and again",
       "((" + times(4000, "NN\x86") + "lt" + remember + times(4000, dictionary + recall + "R0") + "}."},
      {"a storage with a long key, again and again", "(U\7storagectorch\nFloatStorage\n" + text(40000) +
                                                         "NK\3t" + remember + times(4000, recall + "Q0") +
                                                         "}."},
      {"a tensor with a long key, under many names",
       tensor(text(40000), 1) + remember + "}(" + names() + "u."},
      {"a tensor of many sides, under many names",
       tensor("U\1k", 64) + remember + "}(" + times(20, names()) + "u."}};
  for (const auto& [what, pickle] : hostile) {
    SCOPED_TRACE(what);
    const Error e =
        error_of([&, &pickle = pickle] { read_state_dict(std::as_bytes(std::span(pickle)), "x.pkl"); });
    EXPECT_EQ(e.fault, Fault::format) << e.what();
    EXPECT_NE(std::string(e.what()).find("128 times as much memory"), std::string::npos) << e.what();
  }
  // The densest that uses nothing twice, and one tensor under some hundred names.
  const std::string tied = tensor("U\1k", 2) + remember + "}(" + names() + "u.";
  EXPECT_EQ(read_state_dict(std::as_bytes(std::span(tied)), "x.pkl").size(), 26u * 26u);
  const std::string plain = "(" + times(200000, "N") + "l0}U\1a" + tensor("U\1k", 2) + "s.";
  EXPECT_EQ(read_state_dict(std::as_bytes(std::span(plain)), "x.pkl").size(), 1u);
}

}  // namespace
}  // namespace shoal
