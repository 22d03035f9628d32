
#include "shoal/core/error.h"
#include "shoal/flow/words/word_space.h"
#include "shoal/flow/words/words_folder_impl.h"
#include "shoal/flow/words/words_record_impl.h"
#include "shoal/store/archive/archive.h"

namespace shoal {

namespace fs = std::filesystem;

namespace {

/// Throws an exception of nlohmann if something that is read of it later is not there.
void check(const nlohmann::ordered_json& mark) {
  const auto numbers = [](const auto& of, std::initializer_list<const char*> names) {
    for (const char* name : names) static_cast<void>(of.at(name).template get<double>());
  };
  numbers(mark.at("start"), {"uniformity", "mean_cosine"});
  for (const auto& epoch : mark.at("epochs")) numbers(epoch, {"epoch", "loss", "uniformity", "mean_cosine"});
  for (const char* name : {"harm", "heads", "layers"})
    static_cast<void>(mark.at(name).template get<std::string>());
  for (const auto& [name, value] : mark.at("options").items())
    static_cast<void>(value.template get<std::string>());
}

}  // namespace

WordsRecord open_words_record(const fs::path& folder) {
  require(fs::exists(folder), Fault::file, "there is no " + folder.string());
  require(is_words_folder(folder), Fault::argument, folder.string() + " is no folder of 'shoal words train'");
  if (!fs::exists(folder / kCourseFile))
    throw Error(Fault::argument, folder.string() + " keeps no course of its words",
                "'shoal words train' keeps one, unless told " + option_name("course_words") + " 0 or " +
                    option_name("space") + " closed_form; train again");
  WordsRecord out{folder, {}, {}};
  try {
    out.mark = nlohmann::ordered_json::parse(read_file(folder / kWordsMarkFile, std::size_t{1} << 26));
    check(out.mark);
  } catch (const nlohmann::json::exception& e) {
    throw Error(Fault::format, (folder / kWordsMarkFile).string() + " is damaged: " + e.what());
  }
  out.words = read_words(folder);
  return out;
}

void check_course(const WordCourse& course, const WordsRecord& space) {
  require(course.start.rows() == space.words.size() && !course.frames.empty(), Fault::format,
          (space.folder / kCourseFile).string() + " is of " + std::to_string(course.start.rows()) +
              " words, and " + (space.folder / kWordsFile).string() + " has " +
              std::to_string(space.words.size()));
}

}  // namespace shoal
