#include "shoal/words/course.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "shoal/core/error.h"

namespace shoal {
namespace {

[[noreturn]] void damaged(const ArchiveReader& in, const std::string& what) {
  throw Error(Fault::format, in.path().string() + ": " + what + ": was it changed?");
}

bool finite(const Matrix& x) {
  return std::all_of(x.data(), x.data() + x.rows() * x.cols(), [](float v) { return std::isfinite(v); });
}

std::vector<std::int64_t> whole(const auto& numbers) { return {numbers.begin(), numbers.end()}; }

/// Ascending numbers below `end`.
template <class T>
std::vector<T> ascending(const ArchiveReader& in, std::string_view name, std::int64_t end) {
  const std::vector<std::int64_t> numbers = in.integers(name);
  for (Index i = 0; i < numbers.size(); ++i)
    if (numbers[i] < 0 || numbers[i] >= end || (i > 0 && numbers[i] <= numbers[i - 1]))
      damaged(in, "tensor " + std::string(name) + " does not ascend from 0");
  return {numbers.begin(), numbers.end()};
}

}  // namespace

void WordCourse::add(Index epoch, const Matrix& vectors) {
  if (empty() || (!epochs.empty() && epochs.back() == epoch)) return;
  Matrix frame(ids.size(), vectors.cols());
  for (Index i = 0; i < ids.size(); ++i) std::ranges::copy(vectors[ids[i]], frame[i].begin());
  epochs.push_back(epoch);
  frames.push_back(std::move(frame));
}

void WordCourse::save(ArchiveWriter& out) const {
  const Index words = ids.size(), dims = frames.empty() ? 0 : frames[0].cols();
  Matrix all(frames.size() * words, dims);
  for (Index f = 0; f < frames.size(); ++f)
    std::copy_n(frames[f].data(), words * dims, all.data() + f * words * dims);
  for (const auto& [name, numbers] :
       {std::pair{"ids", whole(ids)}, {"watched", whole(watched)}, {"epochs", whole(epochs)}})
    out.add(name, std::span<const std::int64_t>(numbers));
  out.add_half("vectors", all.view());
  if (start.rows() == 0) return;
  out.add_half("start", start.view());
  out.add_half("end", end.view());
}

WordCourse WordCourse::load(const ArchiveReader& in) {
  constexpr std::int64_t kAny = std::int64_t{1} << 32;
  WordCourse out;
  out.ids = ascending<std::uint32_t>(in, "ids", kAny);
  out.watched = ascending<std::uint32_t>(in, "watched", kAny);
  out.epochs = ascending<Index>(in, "epochs", kAny);
  if (!std::ranges::includes(out.ids, out.watched)) damaged(in, "watched words are not among the others");
  const Matrix all = in.matrix("vectors");
  const Index words = out.ids.size();
  if (all.rows() != out.epochs.size() * words)
    damaged(in, "tensor vectors has " + std::to_string(all.rows()) + " rows for " +
                    std::to_string(out.epochs.size()) + " epochs of " + std::to_string(words) + " words");
  for (Index f = 0; f < out.epochs.size(); ++f) {
    out.frames.emplace_back(words, all.cols());
    std::copy_n(all.data() + f * words * all.cols(), words * all.cols(), out.frames.back().data());
  }
  if (!finite(all)) damaged(in, "a vector is not finite");
  if (!in.has("start")) return out;
  out.start = in.matrix("start");
  out.end = in.matrix("end", out.start.rows(), out.start.cols());
  if (!finite(out.start) || !finite(out.end)) damaged(in, "a vector is not finite");
  if (out.start.cols() != all.cols() || (words > 0 && out.ids.back() >= out.start.rows()))
    damaged(in, "words of the course are not those of start and end");
  return out;
}

WordCourse begin_course(const std::vector<std::uint8_t>& known, Index first,
                        std::vector<std::uint32_t> watched) {
  WordCourse out;
  for (Index i = 0; i < known.size() && out.ids.size() < first; ++i)
    if (known[i] != 0) out.ids.push_back(static_cast<std::uint32_t>(i));
  const auto sorted = [](std::vector<std::uint32_t>& words) {
    std::ranges::sort(words);
    words.erase(std::ranges::unique(words).begin(), words.end());
  };
  out.watched = std::move(watched);
  sorted(out.watched);
  out.ids.insert(out.ids.end(), out.watched.begin(), out.watched.end());
  sorted(out.ids);
  if (out.ids.size() > kMostCourseWords)
    throw Error(Fault::argument,
                "the course would be of " + std::to_string(out.ids.size()) + " words; at most " +
                    std::to_string(kMostCourseWords) + " are kept",
                "watch fewer words, or lower " + option_name("course_words"));
  return out;
}

WordCourse open_course(const std::filesystem::path& path) {
  const ArchiveReader in(path);
  check_kind(in, kWordCourse);
  return WordCourse::load(in);
}

}  // namespace shoal
