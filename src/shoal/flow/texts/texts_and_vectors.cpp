#include "shoal/flow/texts/texts_and_vectors.h"

#include <algorithm>
#include <system_error>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/flow/neutral/neutral.h"
#include "shoal/flow/receipt.h"
#include "shoal/flow/texts/embed.h"
#include "shoal/flow/texts/models.h"
#include "shoal/flow/through_profile.h"
#include "shoal/linear/norms.h"
#include "shoal/store/collection/collection.h"
#include "shoal/store/vectors/rows_file.h"
#include "shoal/store/vectors/vector_files.h"

namespace shoal {
namespace fs = std::filesystem;
namespace {

constexpr Index kBatch = 8192;

[[noreturn]] void no_column(const fs::path& input, const std::string& name,
                            const std::vector<std::string>& there) {
  std::string known;
  for (const auto& column : there) known += (known.empty() ? "" : ", ") + column;
  throw Error(Fault::argument,
              input.string() + " has no column " + name + "; there are: " + (known.empty() ? "none" : known));
}

/// Of each name its place among `there`, the first of equal ones.
std::vector<Index> places(const fs::path& input, const std::vector<std::string>& names,
                          const std::vector<std::string>& there) {
  std::vector<Index> out;
  for (const auto& name : names) {
    const auto at = std::ranges::find(there, name);
    if (at == there.end()) no_column(input, name, there);
    out.push_back(static_cast<Index>(at - there.begin()));
  }
  return out;
}

void take_collection(const fs::path& input, const std::vector<std::string>& names, TextsAndVectors& out) {
  const Collection collection = Collection::open(input, true);
  const auto wanted = places(input, names, collection.columns());
  for (const Index column : wanted) out.columns.push_back(collection.column_at(column, 0, collection.rows()));
  out.texts = collection.texts(0, collection.rows());
  out.vectors = map_vectors(collection);
}

void take_table(Source& source, const fs::path& input, const std::vector<std::string>& names, const Run& run,
                TextsAndVectors& out) {
  // A column of texts may be asked for too: as the only one, its values are the texts.
  std::vector<std::string> there = source.other_columns();
  if (source.text_columns().size() == 1) there.push_back(source.text_columns().front());
  const auto wanted = places(input, names, there);
  out.columns.resize(names.size());
  Texts texts;
  std::vector<Texts> others;
  while (source.next(kBatch, texts, others)) {
    check_stop(run);
    for (Index i = 0; i < texts.size(); ++i) {
      out.texts.add(texts[i]);
      for (Index c = 0; c < wanted.size(); ++c)
        out.columns[c].add(wanted[c] < others.size() ? others[wanted[c]][i] : texts[i]);
    }
    if (run.progress)
      run.progress("read", static_cast<double>(source.bytes_read()),
                   static_cast<double>(source.bytes_total().value_or(0)));
  }
  out.text_columns = source.text_columns();
  out.read = source.report();
}

/// Vectors of its rows that a Parquet file has beside its texts.
std::optional<Rows> own_vectors(const fs::path& input) {
  if (input.extension() != ".parquet") return std::nullopt;
  try {
    return open_rows(input);
  } catch (const Error&) {  // it has none
    return std::nullopt;
  }
}

/// The vectors of a file of texts, from where they are kept, or made now.
void embed_table(const fs::path& input, const TextsAndVectorsOptions& options, const Run& run,
                 const Notice& notice, TextsAndVectors& out) {
  const Encoder encoder =
      options.encoder ? *options.encoder : load_model(options.model, options.models_folder, run, options.use);
  if (input == "-") {
    EncodeCounts counts;
    if (notice)
      for (const auto& line : poor_fit(model_fit(encoder, out.texts, run), encoder.name())) notice(line);
    out.vectors = encoder.encode(out.texts, 0, out.texts.size(), options.encode, run, &counts);
    out.embedded = out.texts.size();
    out.cut = counts.cut, out.unknown = counts.unknown, out.first_unknown = counts.first_unknown;
    return;
  }
  out.vectors_file = options.vectors.empty()
                         ? fs::path(input.string() + "." + encoder.name() + ".safetensors")
                         : options.vectors;
  const auto embed = [&](bool overwrite) {
    Source source({input}, options.read, run.stop);
    return embed_file(source, encoder, options.encode, out.vectors_file, overwrite, run, notice);
  };
  EmbedReport made;
  try {
    made = embed(false);
  } catch (const Error& e) {
    // Vectors of what the file was before, or made with other options, are made anew; what is anything else
    // stays.
    if (e.fault == Fault::file && options.vectors.empty() && !fs::exists(out.vectors_file))
      throw Error(e.fault, e.marked, option_name("vectors") + " FILE keeps the vectors elsewhere");
    if (e.fault != Fault::argument || receipt_key(out.vectors_file).empty()) throw;
    made = embed(true);
  }
  if (!made.done_before) out.embedded = made.rows - made.resumed;
  out.cut = made.cut, out.unknown = made.unknown, out.first_unknown = made.first_unknown;
  out.vectors = open_rows(out.vectors_file);
}

}  // namespace

TextsAndVectors read_texts_and_vectors(const fs::path& input, const std::vector<std::string>& columns,
                                       const TextsAndVectorsOptions& options, const Run& run,
                                       const Notice& notice) {
  TextsAndVectors out;
  const bool folder = fs::is_directory(input);
  const bool numbers = is_vector_file(input) && input.extension() != ".parquet";
  if (Collection::exists(input)) {
    require(options.vectors.empty(), Fault::argument,
            option_name("vectors") + " is for files of texts; " + input.string() + " is a collection");
    take_collection(input, columns, out);
  } else if (folder || numbers) {
    require(columns.empty(), Fault::argument,
            input.string() + " holds vectors and no column " + (columns.empty() ? "" : columns.front()) +
                "; give the table, and its vectors as " + option_name("vectors"));
    require(options.vectors.empty(), Fault::argument,
            option_name("vectors") + " is for files of texts; " + input.string() + " is vectors itself");
    out.vectors = open_vectors_at(input);
  } else {
    std::optional<Rows> own;
    if (options.vectors.empty()) own = own_vectors(input);
    std::optional<Source> source;
    try {
      source.emplace(std::vector<fs::path>{input}, options.read, run.stop);
    } catch (const Error&) {
      if (!own || !columns.empty()) throw;
    }
    if (source) take_table(*source, input, columns, run, out);
    std::error_code ignored;
    if (own)
      out.vectors = *own;
    else if (!options.vectors.empty() && fs::exists(options.vectors, ignored))
      out.vectors = open_vectors_at(options.vectors), out.vectors_file = options.vectors;
    else
      embed_table(input, options, run, notice, out);
    if (out.has_texts())
      require(out.vectors.rows() == out.texts.size(), Fault::data,
              (out.vectors_file.empty() ? input : out.vectors_file).string() + " has " +
                  std::to_string(out.vectors.rows()) + " vectors, " + input.string() + " " +
                  std::to_string(out.texts.size()) + " rows");
  }
  require(out.vectors.rows() > 0, Fault::data, input.string() + " has no rows");
  try {
    check_finite(out.vectors, run);
  } catch (const Error& e) {
    throw Error(e.fault, (out.vectors_file.empty() ? input : out.vectors_file).string() + ": " + e.what());
  }
  out.vectors = through_profile(options.profile, out.vectors);
  return out;
}

std::string load_encoder(const fs::path& input, TextsAndVectorsOptions& options, const Run& run) {
  const bool given = !options.vectors.empty() && fs::exists(options.vectors);
  if (given || fs::is_directory(input) || is_vector_file(input) || !fs::exists(input)) return {};
  if (!options.encoder) options.encoder = load_model(options.model, options.models_folder, run, options.use);
  return options.encoder->space().id;
}

std::string text_of_row(const TextsAndVectors& rows, Index row) {
  return rows.has_texts() ? std::string(rows.texts[row]) : "row " + std::to_string(row);
}

}  // namespace shoal
