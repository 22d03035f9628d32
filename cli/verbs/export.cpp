#include "shoal/flow/tables/export.h"

#include <cstdio>

#include "shoal/core/error.h"
#include "shoal/flow/names/features.h"
#include "shoal/flow/receipt.h"
#include "shoal/store/files/new_file.h"
#include "shoal/store/vectors/rows_file.h"
#include "verbs/verbs.h"

namespace shoal::cli {
namespace {

namespace fs = std::filesystem;

enum class FileKind : std::uint8_t { csv, jsonl, npy, safetensors, parquet };
constexpr auto names_of(FileKind) { return std::array{"csv", "jsonl", "npy", "safetensors", "parquet"}; }

struct ExportFlags {
  std::string collection, out;
  std::optional<FileKind> format;
  std::optional<FeatureKind> features;
  std::vector<std::string> results;
  bool overwrite = false, vectors = false;
};

FileKind format_of(const ExportFlags& flags) {
  if (flags.format) return *flags.format;
  const std::string extension = fs::path(flags.out).extension().string();
  if (extension.starts_with("."))
    if (const auto known = named<FileKind>(extension.substr(1))) return *known;
  if (flags.out == "-") return FileKind::csv;
  throw Error(Fault::argument,
              "--out " + flags.out +
                  ": the ending says no format; use .csv, .jsonl, .parquet, .npy, .safetensors or --format");
}

/// Writes what `make` gives its sink to standard output. Returns what `make` returns: whether all was known.
bool print_pieces(const std::function<bool(const Sink&)>& make) {
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

/// Names all that the file depends on.
std::string key_of(const Collection& collection, FileKind format, const ExportFlags& flags, const Run& run) {
  const bool vectors = (format == FileKind::npy || format == FileKind::safetensors) && !flags.features;
  std::vector<fs::path> inputs;
  for (const char* name :
       {"vectors.safetensors", "rows.sqlite", "reduced.safetensors", "clusters.safetensors"})
    if (fs::exists(collection.file(name)) &&
        (flags.vectors || vectors == (name == std::string_view("vectors.safetensors"))))
      inputs.push_back(collection.file(name));
  const std::int64_t features = flags.features ? static_cast<std::int64_t>(*flags.features) : -1;
  std::vector<Field> options{{"format", std::string(name_of(format))}, {"features", features}};
  for (const std::string& name : flags.results) options.push_back({"result", name});
  if (flags.vectors) options.push_back({"vectors", true});
  return result_key("export", options, inputs, run);
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
  require(!flags.features || (format != FileKind::jsonl && format != FileKind::parquet), Fault::argument,
          std::string("--features are written as csv, npy or safetensors, not as ") + name_of(format));
  require(!flags.vectors || format == FileKind::parquet, Fault::argument,
          "--vectors puts the vectors beside the rows of a .parquet file; --out NAME.npy writes them alone");
  require(flags.results.empty() || (!vectors && !flags.features), Fault::argument,
          option_name("result") + ": further results are written with the rows, as csv, jsonl or parquet");
  require(!vectors || flags.out != "-", Fault::argument,
          std::string("vectors are written to a file: --out NAME.") + name_of(format));
  require(!session.json || flags.out != "-", Fault::argument,
          "--json with --out -: standard output holds the rows already");
  const Run run = session.run();
  const auto make = [&](const Sink& sink) {
    if (!flags.features)
      return export_rows(collection,
                         format == FileKind::csv     ? ExportFormat::csv
                         : format == FileKind::jsonl ? ExportFormat::jsonl
                                                     : ExportFormat::parquet,
                         sink, run, flags.results, flags.vectors);
    export_features(numbers_of(collection, flags, run), sink, run);
    return true;
  };
  if (flags.out == "-") {
    const bool finished = print_pieces(make);
    session.progress().finish();
    if (!finished) remark_unfinished(collection, session);
    return;
  }
  keep_out_of(flags.collection, flags.out);
  const std::string key = key_of(collection, format, flags, run);
  Facts facts;
  const bool exists = fs::exists(flags.out) && !flags.overwrite;
  if (exists) {
    const auto made = read_receipt(flags.out, key);
    require(made.has_value(), Fault::argument, flags.out + " exists; --overwrite replaces it");
    facts = *made;
    NewFile::clean_up(flags.out);
  } else {
    NewFile file(flags.out);
    facts["rows"] = collection.rows();
    if (vectors) {
      const Rows found = numbers_of(collection, flags, run);
      write_rows(file, flags.out, found, run);
      facts["finished"] = found.rows() == collection.rows();
      facts["rows"] = found.rows();
    } else {
      facts["finished"] = make([&](std::string_view piece) { file.write(piece); });
    }
    write_receipt(flags.out, file.part(), key, facts);
    file.keep();
  }
  session.progress().finish();
  if (facts["finished"] == 0) remark_unfinished(collection, session);
  session.answer(
      {{"out", flags.out}, {"format", name_of(format)}, {"rows", facts["rows"]}, {"done_before", exists}},
      (exists ? "done before: " : "wrote ") + counted(facts["rows"], "row") + (exists ? " in " : " to ") +
          flags.out + "\n");
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
      "A row in no cluster has none there. jsonl keeps numbers, true, null and lists as they were in JSONL "
      "or\n"
      "Parquet; parquet has a type for each column, and with --vectors the vectors too.\n"
      "--features gives a column a cluster instead, for other models to learn from: 1 for the row's cluster\n"
      "and 0 else (one-hot); the distance to each centroid after PCA, by the metric of the method\n"
      "(distances); or, of a map by vmf_mixture, how probable each cluster is, and by hdbscan, how firmly\n"
      "the row lies in its own (membership).\n\nExamples:\n"
      "  shoal export reviews.shoal --out reviews-clustered.csv\n"
      "  shoal export reviews.shoal --out reviews.npy          the vectors\n"
      "  shoal export reviews.shoal --out reviews.parquet --vectors\n"
      "  shoal export reviews.shoal --features distances --out features.npy\n"
      "  shoal export reviews.shoal --out - --format jsonl | head");
  verb->add_option("collection", flags->collection, "A collection")->required()->type_name("NAME.shoal");
  verb->add_option("--out", flags->out,
                   "A .csv, .jsonl, .parquet, .npy or .safetensors file; - is standard output")
      ->required()
      ->type_name("FILE");
  add_options(*verb, session,
              {OptionRef("format", flags->format, "how it is written. Default: by the file's ending", {}),
               OptionRef("features", flags->features,
                         "a column a cluster: the cluster of a row, distances to the centroids, or soft "
                         "membership; as csv, npy or safetensors",
                         {})});
  verb->add_option("--result", flags->results,
                   "A further result of the collection, as 'shoal inspect' lists them; may be given again")
      ->take_all()
      ->allow_extra_args(false)
      ->type_name("NAME");
  verb->add_flag("--vectors", flags->vectors,
                 "With a .parquet file: a column \"vector\" with each row's vector");
  verb->add_flag("--overwrite", flags->overwrite, "Replace the file if it exists");
  add_shared(*verb, session);
  verb->callback([flags, &session] { run_export(*flags, session); });
}

}  // namespace shoal::cli
