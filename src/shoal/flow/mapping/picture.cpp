#include "shoal/flow/mapping/picture.h"

#include <algorithm>
#include <map>
#include <optional>

#include "shoal/core/error.h"
#include "shoal/core/utf8.h"
#include "shoal/flow/find_clusters.h"
#include "shoal/flow/mapping/show.h"
#include "shoal/map/fonts.h"
#include "shoal/map/picture.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace {

constexpr std::uint32_t kPixels = 3200;  // across: 27 cm at 300 dots an inch

bool is_png(const std::filesystem::path& path) { return path.extension() == ".png"; }

std::vector<std::string> letters_of(const std::string& text) {
  std::vector<std::string> out;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = code_point_at(text, at).length;
    out.push_back(text.substr(at, length));
    at += length;
  }
  return out;
}

/// Takes out of names what no font has, and keeps account.
class Drawable {
 public:
  Drawable(Fonts& fonts, PictureReport& report) : fonts_(fonts), report_(report) {}

  void mend(std::string& name, const std::string& number) {
    name = repair_utf8(name);
    const std::string missing = fonts_.missing(name);
    if (missing.empty()) return;
    std::map<std::string, std::string> scripts;
    for (const std::string& letter : letters_of(missing))
      scripts[script_name(code_point_at(letter, 0).value)] += letter;
    for (const auto& [script, letters] : scripts) count(script, letters);
    std::string rest;
    Index letters = 0, left = 0;
    for (const std::string& letter : letters_of(name)) {
      const bool there = missing.find(letter) == missing.npos;
      const bool counts = letter != " " && letter != "\xc2\xb7";
      letters += counts;
      left += counts && there;
      if (there) rest += letter;
    }
    const bool number_it = left * 2 < letters && !number.empty();
    report_.numbered += number_it;
    name = number_it ? number : rest;
  }

 private:
  void count(const std::string& script, const std::string& letters) {
    auto found = std::ranges::find(report_.missing, script, &PictureReport::Missing::script);
    if (found == report_.missing.end()) found = report_.missing.insert(found, {script, "", 0});
    ++found->names;
    for (const std::string& letter : letters_of(letters))
      if (found->letters.find(letter) == std::string::npos) found->letters += letter;
  }

  Fonts& fonts_;
  PictureReport& report_;
};

}  // namespace

void check_picture(const std::filesystem::path& path) {
  require(path.extension() == ".svg" || is_png(path), Fault::argument,
          option_name("picture") + " is " + path.string() + "; pictures are written as .svg and as .png");
}

PictureReport write_picture(const Collection& collection, const PictureOptions& options) {
  check_picture(options.path);
  const Matrix points = collection.points();
  require(points.rows() > 0, Fault::data, collection.folder().string() + " has no map yet");
  PictureReport report;
  PictureData data;
  data.title = options.title.empty() ? name_of_collection(collection.folder()) : options.title;
  data.points = points.view();
  data.labels = collection.labels();
  data.clusters = collection.clusters();
  data.groups = collection.groups();
  data.dark = options.dark;
  data.made_by = "Made by shoal " SHOAL_VERSION ", " + collection.manifest("model_name").value_or("") + ", " +
                 std::string(saved_method(collection.file("clusters.safetensors")).title()) + ".";
  if (!is_png(options.path)) {
    write_file(options.path, map_picture(data));
    return report;
  }
  Fonts fonts = Fonts::load(options.fonts);
  report.no_fonts = fonts.family().empty();
  if (!report.no_fonts) {
    Drawable drawable(fonts, report);
    drawable.mend(data.title, "");
    drawable.mend(data.made_by, "");
    for (ClusterRecord& c : data.clusters) drawable.mend(c.name, "cluster " + std::to_string(c.id));
    for (Index g = 0; g < data.groups.size(); ++g)
      drawable.mend(data.groups[g].name, "group " + std::to_string(g));
  }
  write_file(options.path, fonts.png(map_picture(data), kPixels));
  return report;
}

}  // namespace shoal
