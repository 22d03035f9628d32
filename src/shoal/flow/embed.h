#pragma once

#include <filesystem>

#include "shoal/core/run.h"
#include "shoal/encode/encoder.h"
#include "shoal/read/source.h"
#include "shoal/store/collection.h"

namespace shoal {

/// Texts embedded between two commits: what an interruption can lose.
inline constexpr Index kEmbedBatch = 2048;

/// Embeds the collection's rows that have no vector yet and appends to its vectors.safetensors, a commit a
/// batch. Step "embed", in rows.
void embed_collection(const Encoder& encoder, const EncodeOptions& options, Collection& collection,
                      const Run& run);

struct EmbedReport {
  Index rows = 0;
  Index dims = 0;
  Index resumed = 0;  ///< rows that an earlier, interrupted run had done
};

/// Embeds every row of `source` into `out` (.npy or .safetensors). Until it is whole, the work is kept in
/// out.part, and the same call goes on from there; `out` appears whole. Error(argument) if `out` exists and
/// not `overwrite`, Error(file) if another process is writing it.
EmbedReport embed_file(Source& source, const Encoder& encoder, const EncodeOptions& options,
                       const std::filesystem::path& out, bool overwrite, const Run& run);

}  // namespace shoal
