#include "shoal/core/column_kind.h"

#include <algorithm>
#include <cmath>

#include "shoal/core/cell_date_impl.h"
#include "shoal/core/cell_number_impl.h"
#include "shoal/core/cell_parts_impl.h"

namespace shoal {
namespace {

// The ways to write a value that are counted for each column.
enum Form {
  kNumberPoint,
  kNumberComma,
  kPercentPoint,
  kPercentComma,
  kMoneyPoint,
  kMoneyComma,
  kDateYear,  // first; as DateOrder
  kDateDay,
  kDateMonth,
  kTime,
  kStampYear,
  kStampDay,
  kStampMonth,
  kBoolean,
  kFormCount
};
static_assert(kFormCount == ColumnSketch::kForms);

constexpr std::size_t kLongest = 64;  // bytes of a value that is no text
constexpr std::size_t kExample = 40;  // bytes of an example
constexpr Index kExamples = 3, kMostCategories = 200, kExactDigits = 15;

std::optional<double> boolean(std::string_view s) {
  std::string word;
  for (const char c : s.substr(0, 6)) word += lower(c);
  for (const char* yes : {"true", "yes", "y", "t", "on"})
    if (word == yes) return 1;
  for (const char* no : {"false", "no", "n", "f", "off"})
    if (word == no) return 0;
  return std::nullopt;
}

std::optional<double> parse(std::string_view s, int form, std::string_view& currency) {
  switch (form) {
    case kNumberPoint:
      return cell_number(s, '.');
    case kNumberComma:
      return cell_number(s, ',');
    case kPercentPoint:
      return cell_percent(s, '.');
    case kPercentComma:
      return cell_percent(s, ',');
    case kMoneyPoint:
      return cell_money(s, '.', currency);
    case kMoneyComma:
      return cell_money(s, ',', currency);
    case kDateYear:
    case kDateDay:
    case kDateMonth:
      return cell_date(s, static_cast<DateOrder>(form - kDateYear));
    case kTime:
      return cell_time(s);
    case kStampYear:
    case kStampDay:
    case kStampMonth:
      return cell_timestamp(s, static_cast<DateOrder>(form - kStampYear));
    default:
      return boolean(s);
  }
}

ColumnKind kind_of(int form) {
  if (form <= kNumberComma) return ColumnKind::number;
  if (form <= kPercentComma) return ColumnKind::percent;
  if (form <= kMoneyComma) return ColumnKind::money;
  if (form <= kDateMonth) return ColumnKind::date;
  if (form == kTime) return ColumnKind::time;
  return form == kBoolean ? ColumnKind::boolean : ColumnKind::timestamp;
}

std::uint64_t hash_of(std::string_view s) {  // FNV-1a
  std::uint64_t h = 0xCBF29CE484222325u;
  for (const char c : s) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001B3u;
  return h;
}

// A code: no blanks, and a digit.
bool is_code(std::string_view s) {
  return s.size() <= kLongest && std::ranges::none_of(s, is_blank) && std::ranges::any_of(s, is_digit);
}

}  // namespace

bool is_missing(std::string_view cell) {
  while (!cell.empty() && is_blank(cell.front())) cell.remove_prefix(1);
  while (!cell.empty() && is_blank(cell.back())) cell.remove_suffix(1);
  if (cell.empty()) return true;
  for (const char* word : {"NA", "N/A", "n/a", "NaN", "nan", "NULL", "null"})
    if (cell == word) return true;
  return false;
}

bool ColumnProfile::has_values() const {
  return form >= 0 && ((kind >= ColumnKind::number && kind <= ColumnKind::boolean) || kind == ColumnKind::id);
}

std::optional<double> ColumnProfile::value(std::string_view cell) const {
  if (form < 0 || is_missing(cell)) return std::nullopt;
  cell = trimmed(cell);
  if (cell.empty() || cell.size() > kLongest) return std::nullopt;
  std::string_view currency;
  const auto found = parse(cell, form, currency);
  const bool other_currency = kind == ColumnKind::money && !written.starts_with(currency);
  if (!found || !std::isfinite(*found) || other_currency) return std::nullopt;
  return found;
}

void ColumnSketch::add(std::string_view cell) {
  if (is_missing(cell)) {
    ++missing_;
    return;
  }
  cell = trimmed(cell);
  ++filled_;
  if (different_.size() < kMostDifferent) {
    const bool is_new = different_.insert(hash_of(cell)).second;
    repeated_ = repeated_ || !is_new;
    if (is_new && examples_.size() < kExamples) {
      std::size_t n = std::min(cell.size(), kExample);
      while (n < cell.size() && n > 0 && (cell[n] & 0xC0) == 0x80) --n;
      examples_.emplace_back(cell.substr(0, n));
    }
  }
  structures_ += cell.size() > 1 &&
                 ((cell.front() == '{' && cell.back() == '}') || (cell.front() == '[' && cell.back() == ']'));
  codes_ += is_code(cell);
  if (cell.size() > kLongest) return;
  slashes_ += cell.find('/') != cell.npos;
  for (int form = 0; form < kFormCount; ++form) {
    std::string_view currency;
    const auto value = parse(cell, form, currency);
    if (!value) continue;
    if (!currency.empty()) {
      if (currency_.empty()) currency_ = currency;
      if (currency != currency_) continue;
    }
    ++fits_[form];
    if (form != kNumberPoint) continue;
    const bool whole = std::ranges::all_of(cell, is_digit);
    whole_ += whole;
    long_ += whole && cell.size() > kExactDigits;
    running_ += whole && (filled_ == 1 || *value == last_ + 1);
    last_ = *value;
  }
}

ColumnProfile ColumnSketch::profile() const {
  ColumnProfile out;
  out.filled = filled_;
  out.missing = missing_;
  out.different = different_.size();
  out.examples = examples_;
  if (filled_ == 0) return out;
  const auto enough = [&](Index fits) { return fits * 10 >= filled_ * 9; };
  int best = 0;
  for (int form = 1; form < kFormCount; ++form)
    if (fits_[form] > fits_[best]) best = form;
  // Two ways fit as many: slashes have the month first.
  const bool open = (best == kDateDay || best == kStampDay) && fits_[best] == fits_[best + 1];
  if (open && slashes_ > 0) ++best;
  const bool distinct = !repeated_ && filled_ > 1;
  if (fits_[best] > 0) out.form = best;
  if (enough(fits_[best])) {
    out.kind = kind_of(best);
    out.fits = fits_[best];
    const bool comma = best == kNumberComma || best == kPercentComma || best == kMoneyComma;
    if (out.kind == ColumnKind::money) out.written = currency_;
    if (comma) out.written += out.written.empty() ? "decimal comma" : ", decimal comma";
    if (best == kDateDay || best == kStampDay) out.written = "day first";
    if (best == kDateMonth || best == kStampMonth)
      out.written = open ? "month first or day first: no day is above 12" : "month first";
    const bool id =
        distinct && whole_ == filled_ && (long_ == filled_ || (running_ == filled_ && filled_ > 2));
    if (id) out.kind = ColumnKind::id;
    return out;
  }
  out.fits = filled_;
  if (enough(structures_)) {
    out.kind = ColumnKind::json;
    out.fits = structures_;
  } else if (different_.size() <= kMostCategories && different_.size() * 2 <= filled_) {
    out.kind = ColumnKind::category;
  } else if (distinct && codes_ == filled_) {
    out.kind = ColumnKind::id;
  } else {
    out.kind = ColumnKind::text;
  }
  return out;
}

}  // namespace shoal
