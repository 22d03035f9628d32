#include "shoal/flow/export.h"

#include <cstdio>

#include "shoal/core/error.h"
#include "shoal/store/new_file.h"
#include "shoal/store/rows_file.h"
#include "verbs/verbs.h"

namespace shoal::cli {
namespace {

namespace fs = std::filesystem;

struct ExportFlags {
  std::string collection, out, format;
  bool overwrite = false;
};

std::string format_of(const ExportFlags& flags) {
  if (!flags.format.empty()) return flags.format;
  const std::string extension = fs::path(flags.out).extension().string();
  for (const char* known : {"csv", "jsonl", "npy", "safetensors"})
    if (extension == std::string(".") + known) return known;
  if (flags.out == "-") return "csv";
  throw Error(
      Fault::argument,
      "--out " + flags.out + ": the ending says no format; use .csv, .jsonl, .npy, .safetensors or --format");
}

/// The file is whole or absent. Returns whether all was known, as the next one.
bool export_to_file(const Collection& collection, ExportFormat format, const fs::path& out, const Run& run) {
  NewFile file(out);
  const bool finished = export_rows(
      collection, format, [&](std::string_view piece) { file.write(piece); }, run);
  file.keep();
  return finished;
}

bool export_to_stdout(const Collection& collection, ExportFormat format, const Run& run) {
  const bool finished = export_rows(
      collection, format,
      [](std::string_view piece) {
        require(std::fwrite(piece.data(), 1, piece.size(), stdout) == piece.size(), Fault::file,
                "standard output cannot be written");
      },
      run);
  require(std::fflush(stdout) == 0, Fault::file, "standard output cannot be written");
  return finished;
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
  const std::string format = format_of(flags);
  const bool vectors = format == "npy" || format == "safetensors";
  require(!vectors || flags.out != "-", Fault::argument,
          "vectors are written to a file: --out NAME." + format);
  require(!session.json || flags.out != "-", Fault::argument,
          "--json with --out -: standard output holds the rows already");
  require(flags.out == "-" || flags.overwrite || !fs::exists(flags.out), Fault::argument,
          flags.out + " exists; --overwrite replaces it");
  const Run run = session.run();
  const ExportFormat text_format = format == "csv" ? ExportFormat::csv : ExportFormat::jsonl;
  Index rows = collection.rows();
  bool finished = false;
  if (vectors) {
    const Rows found = open_rows(collection.file("vectors.safetensors"));
    write_rows(flags.out, found, run);
    finished = found.rows() == rows;
    rows = found.rows();
  } else if (flags.out == "-") {
    finished = export_to_stdout(collection, text_format, run);
  } else {
    finished = export_to_file(collection, text_format, flags.out, run);
  }
  session.progress().finish();
  if (!finished) remark_unfinished(collection, session);
  if (flags.out == "-") return;
  session.answer({{"out", flags.out}, {"format", format}, {"rows", rows}},
                 "wrote " + counted(rows, "row") + " to " + flags.out + "\n");
}

}  // namespace

void add_export(CLI::App& app, Session& session) {
  auto flags = std::make_shared<ExportFlags>();
  auto* verb =
      app.add_subcommand("export", "The rows of a collection with clusters and places, or its vectors");
  verb->footer(
      "Columns: row, text, your own, cluster, cluster_name, group_name, x, y. One of your own that has the\n"
      "name of another comes out as 'NAME (2)'. Cells are written as they are: a spreadsheet may run one "
      "that\n"
      "begins with = + - or @ as a formula (the CSV that the page saves guards against it).\n\nExamples:\n"
      "  shoal export reviews.shoal --out reviews-clustered.csv\n"
      "  shoal export reviews.shoal --out reviews.npy          the vectors\n"
      "  shoal export reviews.shoal --out - --format jsonl | head");
  verb->add_option("collection", flags->collection, "A collection")->required()->type_name("NAME.shoal");
  verb->add_option("--out", flags->out, "A .csv, .jsonl, .npy or .safetensors file; - is standard output")
      ->required()
      ->type_name("FILE");
  verb->add_option("--format", flags->format, "csv, jsonl, npy or safetensors. Default: by the file's ending")
      ->check(CLI::IsMember({"csv", "jsonl", "npy", "safetensors"}))
      ->type_name("NAME");
  verb->add_flag("--overwrite", flags->overwrite, "Replace the file if it exists");
  add_shared(*verb, session);
  verb->callback([flags, &session] { run_export(*flags, session); });
}

}  // namespace shoal::cli
