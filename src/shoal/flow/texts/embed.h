#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string_view>

#include "shoal/core/run.h"
#include "shoal/encode/encoder.h"
#include "shoal/flow/texts/model_fit.h"
#include "shoal/read/source.h"
#include "shoal/store/collection/collection.h"

namespace shoal {

/// The first version of shoal that makes the vectors that this one makes: what it has embedded is kept.
inline constexpr std::string_view kVectorsVersion = "0.1.0";

/// What of a collection is embedded.
struct Embedded {
  Index rows = 0;            ///< whose vectors are safe
  std::optional<Index> cut;  ///< texts among them that were truncated; absent: not known
  /// Texts of which the model's tokenizer knows nothing, and the row of the first; absent: not known.
  std::optional<Index> unknown;
  Index first_unknown = 0;
};
/// Error(format) if the collection's own record of it is damaged.
Embedded embedded(const Collection& collection);

/// Embeds the collection's rows, a commit every few seconds and when it is stopped, beside its
/// vectors.safetensors, which is replaced when all are there. Goes on where an earlier call stopped. Step
/// "embed", in rows.
void embed_collection(const Encoder& encoder, const EncodeOptions& options, Collection& collection,
                      const Run& run);

struct EmbedReport {
  Index rows = 0;
  Index dims = 0;
  Index resumed = 0;         ///< rows that an earlier, interrupted run had done
  Index cut = 0;             ///< texts that were truncated
  Index unknown = 0;         ///< texts of which the model's tokenizer knows nothing
  Index first_unknown = 0;   ///< the row of the first of them
  bool done_before = false;  ///< `out` was there, made from the same texts with the same options
};

/// Embeds every row of `source` into `out` (.npy or .safetensors; or .parquet, with columns row, text, the
/// others, each of the type of ColumnTypes, and vector; the rows are put aside in its folder meanwhile).
/// Until it is whole, the work is kept in out.part, and the same call goes on from there; `out` appears
/// whole, with a receipt (receipt.h), by which the same call knows that it is done. Error(argument) if `out`
/// exists, is anything else and not to be overwritten, Error(file) if another process is writing it. `notice`
/// hears of languages that the model does not know (poor_fit). Step "embed", in bytes of the input.
EmbedReport embed_file(Source& source, const Encoder& encoder, const EncodeOptions& options,
                       const std::filesystem::path& out, bool overwrite, const Run& run,
                       const Notice& notice = {});

}  // namespace shoal
