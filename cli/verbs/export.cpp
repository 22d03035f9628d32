#include "shoal/flow/export.h"

#include <cstdio>

#include "shoal/core/error.h"
#include "shoal/flow/features.h"
#include "shoal/store/files/new_file.h"
#include "shoal/store/vectors/rows_file.h"
#include "verbs/verbs.h"

namespace shoal::cli {
namespace {

namespace fs = std::filesystem;

enum class FileKind : std::uint8_t { csv, jsonl, npy, safetensors };
constexpr auto names_of(FileKind) { return std::array{"csv", "jsonl", "npy", "safetensors"}; }

struct ExportFlags {
  std::string collection, out;
  std::optional<FileKind> format;
  std::optional<FeatureKind> features;
  bool overwrite = false;
};

FileKind format_of(const ExportFlags& flags) {
  if (flags.format) return *flags.format;
  const std::string extension = fs::path(flags.out).extension().string();
  if (extension.starts_with("."))
    if (const auto known = named<FileKind>(extension.substr(1))) return *known;
  if (flags.out == "-") return FileKind::csv;
  throw Error(
      Fault::argument,
      "--out " + flags.out + ": the ending says no format; use .csv, .jsonl, .npy, .safetensors or --format");
}

/// Writes what `make` gives its sink; a file is whole or absent. Returns what `make` returns: whether all was
/// known.
bool write_pieces(const std::string& out, const std::function<bool(const Sink&)>& make) {
  if (out != "-") {
    NewFile file(out);
    const bool finished = make([&](std::string_view piece) { file.write(piece); });
    file.keep();
    return finished;
  }
  const bool finished = make([](std::string_view piece) {
    require(std::fwrite(piece.data(), 1, piece.size(), stdout) == piece.size(), Fault::file,
            "standard output cannot be written");
  });
  require(std::fflush(stdout) == 0, Fault::file, "standard output cannot be written");
  return finished;
}

/// The vectors, or the features that were asked for.
Rows numbers_of(const Collection& collection, const ExportFlags& flags, const Run& run) {
  return flags.features ? cluster_features(collection, *flags.features, run)
                        : open_rows(collection.file("vectors.safetensors"));
}

void remark_unfinished(const Collection& collection, const Session& session) {
  const std::string name = collection.folder().string();
  const bool all_read = !collection.manifest("input").value_or("").empty();
  session.remark("note: the map of " + name + " is not finished, and what it lacks was left out; " +
                 (all_read ? "'shoal map " + name + "' finishes it"
                           : "the 'shoal map' command that began it, with its input, finishes it"));
}

void run_export(const ExportFlags& flags, Session& session) {
  const Collection collection = Collection::open(flags.collection, true);
  const FileKind format = format_of(flags);
  const bool vectors = format == FileKind::npy || format == FileKind::safetensors;
  require(!flags.features || format != FileKind::jsonl, Fault::argument,
          "--features are written as csv, npy or safetensors, not as jsonl");
  require(!vectors || flags.out != "-", Fault::argument,
          std::string("vectors are written to a file: --out NAME.") + name_of(format));
  require(!session.json || flags.out != "-", Fault::argument,
          "--json with --out -: standard output holds the rows already");
  require(flags.out == "-" || flags.overwrite || !fs::exists(flags.out), Fault::argument,
          flags.out + " exists; --overwrite replaces it");
  if (flags.out != "-") keep_out_of(flags.collection, flags.out);
  const Run run = session.run();
  const ExportFormat text_format = format == FileKind::csv ? ExportFormat::csv : ExportFormat::jsonl;
  Index rows = collection.rows();
  bool finished = false;
  if (vectors) {
    const Rows found = numbers_of(collection, flags, run);
    write_rows(flags.out, found, run);
    finished = found.rows() == rows;
    rows = found.rows();
  } else {
    finished = write_pieces(flags.out, [&](const Sink& sink) {
      if (!flags.features) return export_rows(collection, text_format, sink, run);
      export_features(numbers_of(collection, flags, run), sink, run);
      return true;
    });
  }
  session.progress().finish();
  if (!finished) remark_unfinished(collection, session);
  if (flags.out == "-") return;
  session.answer({{"out", flags.out}, {"format", name_of(format)}, {"rows", rows}},
                 "wrote " + counted(rows, "row") + " to " + flags.out + "\n");
}

}  // namespace

void add_export(CLI::App& app, Session& session) {
  auto flags = std::make_shared<ExportFlags>();
  auto* verb = app.add_subcommand(
      "export",
      "The rows of a collection with clusters and places, its vectors, or its clusters as features");
  verb->footer(
      "Columns: row, text, your own, cluster, cluster_name, group_name, x, y. One of your own that has the\n"
      "name of another comes out as 'NAME (2)'. Cells are written as they are: a spreadsheet may run one "
      "that\n"
      "begins with = + - or @ as a formula (the CSV that the page saves guards against it).\n"
      "A row in no cluster has none there.\n"
      "--features gives a column a cluster instead, for other models to learn from: 1 for the row's cluster\n"
      "and 0 else (one-hot); the distance to each centroid after PCA, by the metric of the method\n"
      "(distances); or, of a map by vmf_mixture, how probable each cluster is, and by hdbscan, how firmly\n"
      "the row lies in its own (membership).\n\nExamples:\n"
      "  shoal export reviews.shoal --out reviews-clustered.csv\n"
      "  shoal export reviews.shoal --out reviews.npy          the vectors\n"
      "  shoal export reviews.shoal --features distances --out features.npy\n"
      "  shoal export reviews.shoal --out - --format jsonl | head");
  verb->add_option("collection", flags->collection, "A collection")->required()->type_name("NAME.shoal");
  verb->add_option("--out", flags->out, "A .csv, .jsonl, .npy or .safetensors file; - is standard output")
      ->required()
      ->type_name("FILE");
  add_options(*verb, session,
              {OptionRef("format", flags->format, "how it is written. Default: by the file's ending", {}),
               OptionRef("features", flags->features,
                         "a column a cluster: the cluster of a row, distances to the centroids, or soft "
                         "membership; as csv, npy or safetensors",
                         {})});
  verb->add_flag("--overwrite", flags->overwrite, "Replace the file if it exists");
  add_shared(*verb, session);
  verb->callback([flags, &session] { run_export(*flags, session); });
}

}  // namespace shoal::cli
