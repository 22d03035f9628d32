#include "shoal/flow/embed.h"

#include <charconv>
#include <nlohmann/json.hpp>
#include <string>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/flow/fingerprint.h"
#include "shoal/store/archive.h"
#include "shoal/store/rows_file.h"

namespace shoal {
namespace fs = std::filesystem;
namespace {

/// What an interrupted `embed_file` left: how many rows are safe, and what they were made from.
struct Partial {
  Index rows = 0;
  std::string key;
  std::string fingerprint = Fingerprint().text();
};

Partial read_partial(const fs::path& state, const fs::path& part, const std::string& key) {
  if (!fs::exists(state) || !fs::exists(part)) return {.key = key};
  try {
    const auto json = nlohmann::json::parse(read_file(state, 1 << 16));
    Partial partial{json.at("rows"), json.at("key"), json.at("fingerprint")};
    if (partial.key == key) return partial;
  } catch (const nlohmann::json::exception&) {  // written by something else: start anew
  }
  return {.key = key};
}

void write_partial(const fs::path& state, const Partial& p) {
  write_file(state,
             nlohmann::json{{"rows", p.rows}, {"key", p.key}, {"fingerprint", p.fingerprint}}.dump() + "\n");
}

/// How many of the collection's vectors are safe.
Index vectors_kept(const Collection& collection) {
  const std::string text = collection.manifest("vectors").value_or("0");
  Index kept = 0;
  const auto [end, fault] = std::from_chars(text.data(), text.data() + text.size(), kept);
  if (fault != std::errc() || end != text.data() + text.size() || kept > collection.rows())
    throw damaged_collection(collection.folder(),
                             "'" + text + "' vectors for " + std::to_string(collection.rows()) + " rows");
  return kept;
}

void finish(const fs::path& part, const fs::path& state, const fs::path& out, const Run& run) {
  if (out.extension() == ".npy") {
    write_rows(out, open_rows(part), run);
    fs::remove(part);
  } else {
    fs::rename(part, out);
  }
  fs::remove(state);
}

}  // namespace

void embed_collection(const Encoder& encoder, const EncodeOptions& options, Collection& collection,
                      const Run& run) {
  const Index rows = collection.rows();
  const Index kept = vectors_kept(collection);
  RowsFile file(collection.file("vectors.safetensors"), encoder.space().dims, encoder.space(), kept);
  for (Index first = kept; first < rows;) {
    check_stop(run);
    const Index count = std::min(kEmbedBatch - first % kEmbedBatch, rows - first);
    const Texts texts = collection.texts(first, count);
    file.append(encoder.encode(texts, options, run).view());
    file.commit();
    first += count;
    collection.set_manifest("vectors", std::to_string(first));
    if (run.progress) run.progress("embed", static_cast<double>(first), static_cast<double>(rows));
  }
}

EmbedReport embed_file(Source& source, const Encoder& encoder, const EncodeOptions& options,
                       const fs::path& out, bool overwrite, const Run& run) {
  const auto extension = out.extension();
  require(extension == ".npy" || extension == ".safetensors", Fault::argument,
          "--out " + out.string() + ": vectors are written as .npy or .safetensors");
  require(overwrite || !fs::exists(out), Fault::argument, out.string() + " exists; --overwrite replaces it");
  const fs::path part = out.string() + ".part.safetensors", state = out.string() + ".part.json";

  encoder.encode(Texts(), options);  // whatever is wrong with the options is said before a file is made
  Partial kept = read_partial(state, part, step_key(encoder.space().id, "embed", list_fields(options)));
  EmbedReport report{.dims = encoder.space().dims, .resumed = kept.rows};
  RowsFile file(part, encoder.space().dims, encoder.space(), kept.rows);
  if (kept.rows == 0) fs::remove(state);  // it may tell of what was in the part before

  Fingerprint print;
  Texts texts;
  std::vector<Texts> others;
  for (;;) {
    check_stop(run);
    const Index most = report.rows < kept.rows ? std::min(kEmbedBatch, kept.rows - report.rows) : kEmbedBatch;
    if (!source.next(most, texts, others)) break;
    for (Index i = 0; i < texts.size(); ++i)
      print.add(texts, {}, i);  // only the texts decide about the vectors
    report.rows += texts.size();
    if (report.rows == kept.rows) {
      require(print.text() == kept.fingerprint, Fault::argument,
              part.string() + " was begun with another input; delete it or choose another --out");
    }
    if (report.rows > kept.rows) {
      file.append(encoder.encode(texts, options, run).view());
      file.commit();
      write_partial(state, {.rows = report.rows, .key = kept.key, .fingerprint = print.text()});
    }
    if (run.progress) {
      run.progress("embed", static_cast<double>(source.bytes_read()),
                   static_cast<double>(source.bytes_total().value_or(0)));
    }
  }
  require(report.rows >= kept.rows, Fault::argument,
          part.string() + " was begun with a longer input; delete it or choose another --out");
  finish(part, state, out, run);
  return report;
}

}  // namespace shoal
