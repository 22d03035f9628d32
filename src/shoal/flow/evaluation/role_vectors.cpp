#include "shoal/flow/evaluation/role_vectors.h"

#include <algorithm>
#include <cmath>

#include "shoal/core/error.h"
#include "shoal/core/letters.h"
#include "shoal/near/select_rows.h"

namespace shoal {
namespace {

constexpr Index kBlock = 8192;

void check_finite(const Rows& rows, const Texts& texts) {
  Matrix scratch;
  for (Index first = 0; first < rows.rows(); first += kBlock) {
    const MatrixView block = rows.block(first, std::min(kBlock, rows.rows() - first), scratch);
    for (Index i = 0; i < block.rows; ++i)
      if (!std::ranges::all_of(block[i], [](float v) { return std::isfinite(v); }))
        throw Error(Fault::data, "the model gives a vector that is not finite, of the text \"" +
                                     std::string(beginning_of(texts[first + i], 80)) + "\"");
  }
}

}  // namespace

Index DistinctTexts::add(std::string_view text, TextRole role) {
  const auto [at, added] = numbers_.try_emplace(std::string(text), texts.size());
  if (added) texts.add(text), roles.push_back(0);
  roles[at->second] |= static_cast<std::uint8_t>(1 << static_cast<int>(role));
  return at->second;
}

RoleVectors::RoleVectors(const DistinctTexts& texts, const Embedders& embed) {
  const EmbedTexts* of[] = {&embed.plain, embed.query ? &embed.query : &embed.plain,
                            embed.document ? &embed.document : &embed.plain};
  for (unsigned role = 0; role < 3; ++role) {
    unsigned roles = 0;
    for (unsigned other = 0; other < 3; ++other)
      if (of[other] == of[role]) roles |= 1u << other;
    const bool done = (roles & ((1u << role) - 1)) != 0;  // with an earlier role
    if (!done) fill(texts, *of[role], roles);
  }
}

void RoleVectors::fill(const DistinctTexts& texts, const EmbedTexts& embed, unsigned roles) {
  Texts mine;
  std::vector<Index> place(texts.texts.size(), ~Index{0});
  for (Index i = 0; i < texts.texts.size(); ++i)
    if ((texts.roles[i] & roles) != 0) place[i] = mine.size(), mine.add(texts.texts[i]);
  if (mine.size() == 0) return;
  Rows rows = embed(mine);
  require(rows.rows() == mine.size(), Fault::data,
          "the model gives " + std::to_string(rows.rows()) + " vectors for " + std::to_string(mine.size()) +
              " texts");
  check_finite(rows, mine);
  dims_ = rows.cols();
  const auto part = std::make_shared<const Part>(Part{std::move(rows), std::move(place)});
  for (unsigned role = 0; role < 3; ++role)
    if ((roles >> role & 1u) != 0) parts_[role] = part;
}

Rows RoleVectors::of(TextRole role, const std::vector<Index>& texts) const {
  const auto& part = parts_[static_cast<Index>(role)];
  require(part != nullptr, Fault::argument, "no text has this role");
  std::vector<Index> rows;
  rows.reserve(texts.size());
  for (const Index text : texts) {
    rows.push_back(part->place[text]);
    require(rows.back() != ~Index{0}, Fault::argument, "a text has not the role that it is asked for");
  }
  return select_rows(part->rows, std::move(rows));
}

}  // namespace shoal
