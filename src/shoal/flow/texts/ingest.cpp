#include "shoal/flow/texts/ingest.h"

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/flow/fingerprint.h"
#include "shoal/read/columns.h"

namespace shoal {
namespace {

constexpr Index kBatch = 8192;

void report_bytes(const Source& source, const Run& run) {
  if (!run.progress) return;
  const auto total = source.bytes_total();
  run.progress("read", static_cast<double>(source.bytes_read()), static_cast<double>(total.value_or(0)));
}

}  // namespace

std::string ingest(Source& source, Collection& collection, const Run& run) {
  const Index kept = collection.rows();
  const std::string kept_print = collection.manifest("rows_fingerprint").value_or(Fingerprint().text());
  const Error changed(Fault::argument, "the input is not the one that " + collection.folder().string() +
                                           " was begun with; choose another " + option_name("out") + ", or " +
                                           option_name("overwrite") + " to start it anew");
  const auto columns = collection.manifest("columns_defined");
  if (!columns) {
    collection.define_columns(source.other_columns());
    collection.set_manifest("columns_defined", "1");
  } else if (collection.columns() != source.other_columns()) {
    throw changed;
  }

  Fingerprint print;
  Index seen = 0;
  bool blank = true;
  Texts texts;
  std::vector<Texts> others;
  for (;;) {
    report_bytes(source, run);
    check_stop(run);
    // The first batch after the kept rows is shorter, so that batches end at the same rows after an
    // interruption.
    const Index most = seen < kept ? std::min(kBatch, kept - seen) : kBatch - seen % kBatch;
    if (!source.next(most, texts, others)) break;
    for (Index i = 0; i < texts.size(); ++i) {
      print.add(texts, others, i);
      blank = blank && texts[i].find_first_not_of(" \t\r\n") == std::string_view::npos;
    }
    seen += texts.size();
    if (seen == kept && print.text() != kept_print) throw changed;
    if (seen > kept)
      collection.append(texts, others, {{"rows_fingerprint", print.text()}, {"input", ""}}, source.kinds());
  }
  if (seen < kept) throw changed;
  if (blank)
    throw Error(Fault::data, "every text is blank; they were taken from " +
                                 list_names(source.text_columns()) + ". " + option_name("text_columns") +
                                 " NAME takes another column");
  return print.text();
}

}  // namespace shoal
