// What Python's csv, json and UTF-8 decoder make of thousands of nasty inputs: tests/golden/make_read.py.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "shoal/core/utf8.h"
#include "shoal/read/csv.h"
#include "shoal/read/input.h"
#include "shoal/read/json_scan.h"

namespace shoal {
namespace {

using Json = nlohmann::json;
using Rows = std::vector<std::vector<std::string>>;

Json golden(const std::string& name) {
  std::ifstream in(SHOAL_SOURCE "/tests/golden/read/" + name);
  EXPECT_TRUE(in) << "no golden file " << name;
  return Json::parse(in);
}

// All records of a text that comes in small blocks; nothing if a quote is open at the end.
std::optional<Rows> csv_rows(const std::string& text, const CsvDialect& dialect, std::size_t block) {
  Input input = Input::of("case", text, 1u << 20, block);
  Rows rows;
  std::vector<CsvField> fields;
  for (;;) {
    const CsvScan found = scan_csv(input.rest(), input.ended(), dialect, fields);
    if (found.end == CsvEnd::incomplete) {
      input.grow();
      continue;
    }
    if (found.end == CsvEnd::unclosed) return std::nullopt;
    if (found.length == 0) return rows;
    std::vector<std::string>& row = rows.emplace_back();
    for (const CsvField& f : fields) {
      row.emplace_back(f.tangled ? "" : f.raw);
      if (f.tangled) untangle(f, dialect, row.back());
    }
    input.take(found.length);
  }
}

TEST(Golden, CsvAsPythonReadsIt) {
  const Json cases = golden("csv.json").at("cases");
  ASSERT_EQ(cases.size(), 2000u);
  for (const Json& c : cases) {
    const std::string text = c[0];
    const CsvDialect dialect{c[1].get<std::string>()[0], c[2].get<bool>()};
    for (const std::size_t block : {1u, 3u, 1u << 16}) {
      const auto rows = csv_rows(text, dialect, block);
      ASSERT_EQ(rows.has_value(), !c[3].is_null()) << c << " in blocks of " << block;
      if (!rows) continue;
      ASSERT_EQ(*rows, c[3].get<Rows>()) << c << " in blocks of " << block;
    }
  }
}

std::string decoded(std::string_view raw, bool escaped) {
  std::string out(escaped ? "" : raw);
  if (escaped) decode_json_string(raw, out);
  return repair_utf8(out);
}

// Whether our JSON text is the value that Python read. Inside it, what nlohmann refuses is not compared.
void expect_value(const JsonMember& member, const Json& expected, const Json& whole) {
  if (member.kind == ValueKind::string) {
    EXPECT_EQ(decoded(member.value, member.value_escaped), expected) << whole;
    return;
  }
  if (member.value.find("Infinity") != std::string_view::npos ||
      member.value.find("NaN") != std::string_view::npos) {
    if (!expected.contains("number")) return;
    EXPECT_EQ(std::stod(std::string(member.value)) < 0, expected["number"] == "-inf") << whole;
    return;
  }
  const Json ours = Json::parse(member.value, nullptr, false);
  if (ours.is_discarded()) return;
  EXPECT_EQ(ours, expected) << whole;
}

TEST(Golden, JsonObjectsAsPythonReadsThem) {
  const Json cases = golden("jsonl.json").at("cases");
  ASSERT_EQ(cases.size(), 2000u);
  int good = 0;
  std::vector<JsonMember> members;
  for (const Json& c : cases) {
    const std::string text = c[0];
    const auto fault = parse_json_object(text, members);
    ASSERT_EQ(!fault, !c[1].is_null()) << c << (fault ? fault->reason : "");
    if (fault) {
      EXPECT_LE(fault->offset, text.size());
      continue;
    }
    ++good;
    EXPECT_EQ(json_extent(text.substr(text.find('{'))), text.find_last_of('}') + 1 - text.find('{'));
    std::vector<std::pair<std::string, JsonMember>> last;  // of a key that is there twice
    for (const JsonMember& m : members) {
      const std::string key = decoded(m.key, m.key_escaped);
      const auto at = std::find_if(last.begin(), last.end(), [&](const auto& p) { return p.first == key; });
      if (at == last.end()) {
        last.emplace_back(key, m);
      } else {
        at->second = m;
      }
    }
    ASSERT_EQ(last.size(), c[1].size()) << c;
    for (std::size_t i = 0; i < last.size(); ++i) {
      EXPECT_EQ(last[i].first, c[1][i][0]) << c;
      expect_value(last[i].second, c[1][i][1], c);
    }
  }
  EXPECT_GT(good, 500);
}

std::string shape(const std::string& repaired) {
  std::string out;
  for (std::size_t i = 0; i < repaired.size();) {
    const CodePoint point = code_point_at(repaired, i);
    out += point.value == 0xFFFD ? 'r' : 'c';
    i += point.length;
  }
  return out;
}

TEST(Golden, Utf8OfOneAndTwoBytes) {
  const Json pairs = golden("utf8.json").at("pairs");
  ASSERT_EQ(pairs.size(), 256u);
  for (int first = 0; first < 256; ++first) {
    const std::string one(1, static_cast<char>(first));
    EXPECT_EQ(shape(repair_utf8(one)), first < 0x80 ? "c" : "r");
    int second = 0;
    for (const Json& run : pairs[first]) {
      for (int k = 0; k < run[0]; ++k, ++second) {
        const std::string two = one + static_cast<char>(second);
        const std::string repaired = repair_utf8(two);
        ASSERT_EQ(shape(repaired), run[1]) << first << " " << second;
        ASSERT_EQ(first_invalid_utf8(two) == std::string_view::npos, repaired == two);
      }
    }
    ASSERT_EQ(second, 256);
  }
}

TEST(Golden, Utf8CraftedAndRandom) {
  const Json cases = golden("utf8.json").at("cases");
  ASSERT_GT(cases.size(), 4000u);
  for (const Json& c : cases) {
    const std::string hex = c[0];
    std::string raw;
    for (std::size_t i = 0; i < hex.size(); i += 2)
      raw += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
    const std::string expected = c[1];
    Index replaced = 0;
    EXPECT_EQ(repair_utf8(raw, &replaced), expected) << hex;
    EXPECT_EQ(replaced == 0, expected == raw) << hex;
    EXPECT_EQ(first_invalid_utf8(raw) == std::string_view::npos, expected == raw) << hex;
  }
}

}  // namespace
}  // namespace shoal
