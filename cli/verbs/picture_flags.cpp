#include "verbs/picture_flags.h"

#include <cstdlib>

#include "shoal/core/error.h"

namespace shoal::cli {

void PictureFlags::add(CLI::App& verb) {
  verb.add_option(
          "--picture", file,
          "Also draw the map for print, as .svg or .png, with the system's fonts or those of the folder "
          "in SHOAL_FONTS")
      ->type_name("FILE");
  verb.add_flag("--dark", dark, "The picture is on dark ground");
}

void PictureFlags::check(const std::filesystem::path& collection) const {
  require(!file.empty() || !dark, Fault::argument, "--dark is for the picture: give --picture FILE too");
  if (file.empty()) return;
  check_picture(file);
  keep_out_of(collection, file, "--picture");
  const auto folder = std::filesystem::path(file).parent_path();
  require(folder.empty() || std::filesystem::is_directory(folder), Fault::file,
          folder.string() + ": no such folder");
}

nlohmann::ordered_json PictureFlags::draw(const std::filesystem::path& collection, const std::string& title,
                                          Session& session) const {
  if (file.empty()) return nullptr;
  const char* folder = std::getenv("SHOAL_FONTS");
  const PictureReport report =
      write_picture(Collection::open(collection, true),
                    {.path = file, .title = title, .dark = dark, .fonts = folder == nullptr ? "" : folder});
  if (report.no_fonts)
    session.remark("note: no font is installed, so " + file +
                   " has no names: install one, such as DejaVu Sans or Noto Sans, or draw a .svg");
  auto missing = nlohmann::ordered_json::array();
  for (const auto& m : report.missing) {
    session.remark("note: no installed font has the letters " + m.letters + " (" + m.script + ", in " +
                   counted(m.names, "name") + "): they are left out of " + file +
                   "; a font such as Noto Sans " + m.script + " has them, and a .svg needs none");
    missing.push_back({{"script", m.script}, {"letters", m.letters}, {"names", m.names}});
  }
  if (report.numbered > 0)
    session.remark("note: " + counted(report.numbered, "name") + " of which hardly a letter could be drawn " +
                   (report.numbered == 1 ? "is drawn as its number" : "are drawn as their numbers"));
  return {
      {"file", file}, {"fonts", !report.no_fonts}, {"missing", missing}, {"numbered_names", report.numbered}};
}

}  // namespace shoal::cli
