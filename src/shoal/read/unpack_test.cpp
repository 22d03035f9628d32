#include "shoal/read/unpack.h"

#include <zlib.h>
#include <zstd.h>

#include "tests/reading.h"

namespace shoal {
namespace {

using Strings = std::vector<std::string>;

std::string gzip(const std::string& text) {
  z_stream stream{};
  EXPECT_EQ(::deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string out(text.size() + 1000, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  stream.avail_in = static_cast<uInt>(text.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(::deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  ::deflateEnd(&stream);
  return out;
}

std::string zstd(const std::string& text) {
  std::string out(::ZSTD_compressBound(text.size()), '\0');
  out.resize(::ZSTD_compress(out.data(), out.size(), text.data(), text.size(), 3));
  return out;
}

class UnpackTest : public ReadingTest {
 protected:
  std::string table() const {
    std::string out = "id,text\n";
    for (int i = 0; i < 8000; ++i)
      out += std::to_string(i) + ",\"line one of " + std::to_string(i * 7919 % 10007) + "\nline two\"\n";
    return out;
  }
};

TEST_F(UnpackTest, GzipAndZstdByAnyName) {
  const std::string text = table();
  const Strings plain = read("a.csv", text).texts;
  ASSERT_EQ(plain.size(), 8000u);
  for (const char* name : {"a.csv.gz", "a.csv.GZ", "a.gz", "a.csv", "a.csv.zst", "a"}) {
    const WholeFile g = read(name, gzip(text));
    EXPECT_EQ(g.texts, plain) << name;
    EXPECT_EQ(g.how().compression, "gzip");
    EXPECT_EQ(g.how().remark, "");
    const WholeFile z = read(name, zstd(text));
    EXPECT_EQ(z.texts, plain) << name;
    EXPECT_EQ(z.how().compression, "zstd");
  }
  const std::size_t half = text.size() / 2;
  const std::string first = text.substr(0, half), second = text.substr(half);
  EXPECT_EQ(read("b.gz", gzip(first) + gzip(second)).texts, plain) << "two members";
  EXPECT_EQ(read("b.gz", gzip(first) + gzip(second) + std::string(600, '\0')).texts, plain)
      << "filled with zeros";
  EXPECT_EQ(read("b.zst", zstd(first) + zstd(second)).texts, plain) << "two frames";
  EXPECT_EQ(read("b.gz", gzip(zstd(text))).how().compression, "gzip, zstd");
  EXPECT_EQ(read("one.csv.gz", gzip("only\nx y z\n")).text_columns, Strings{"only"})
      << "the inner ending counts";
  EXPECT_EQ(unpacked_name("x/a.csv.gz"), "x/a.csv");
  EXPECT_EQ(unpacked_name(".gz"), ".gz");
}

TEST_F(UnpackTest, ProgressCountsTheBytesOnDisk) {
  const auto path = file("a.csv.gz", gzip(table()));
  Source source({path}, {});
  EXPECT_EQ(source.bytes_total(), std::filesystem::file_size(path));
  Texts texts;
  std::vector<Texts> others;
  while (source.next(1000, texts, others)) EXPECT_LE(source.bytes_read(), *source.bytes_total());
  EXPECT_EQ(source.bytes_read(), *source.bytes_total());
}

TEST_F(UnpackTest, CutAndDamagedAreToldWithTheirPlace) {
  const std::string text = table(), packed = gzip(text), frames = zstd(text);
  std::string message = refusal("a.gz", packed.substr(0, packed.size() / 2));
  EXPECT_NE(message.find("a.gz is cut short: its gzip data end in the middle, after " +
                         std::to_string(packed.size() / 2) + " bytes"),
            std::string::npos)
      << message;
  message = refusal("a.gz", packed.substr(0, packed.size() - 4));
  EXPECT_NE(message.find("cut short"), std::string::npos) << message;
  std::string damaged = packed;
  damaged[damaged.size() - 6] ^= 1;  // of the checksum
  message = refusal("a.gz", damaged);
  EXPECT_NE(message.find("a.gz is damaged: incorrect data check, after"), std::string::npos) << message;
  message = refusal("a.gz", packed + "more");
  EXPECT_NE(message.find("what follows the gzip data is no gzip"), std::string::npos) << message;
  message = refusal("a.zst", frames.substr(0, frames.size() - 9));
  EXPECT_NE(message.find("a.zst is cut short: its zstd data"), std::string::npos) << message;
  message = refusal("a.zst", frames + "more");
  EXPECT_NE(message.find("a.zst is damaged: zstd says"), std::string::npos) << message;
  EXPECT_NE(refusal("a.gz", gzip("")).find("is empty"), std::string::npos);
  std::string tar(600, '\0');
  tar.replace(0, 5, "a.csv").replace(257, 5, "ustar");
  EXPECT_NE(refusal("a.tar.gz", gzip(tar)).find("tar archive"), std::string::npos);
}

}  // namespace
}  // namespace shoal
