#pragma once

#include <optional>
#include <span>
#include <string>

#include "shoal/core/matrix.h"
#include "shoal/store/files/new_folder.h"

namespace shoal {

/// How a static model came about, for its config.json, as Model2Vec says it.
struct StaticOrigin {
  std::string made_from;            ///< the name of the model whose tokens or attention it has
  std::optional<Index> components;  ///< principal components that were taken; absent: none were
  std::optional<double> sif;        ///< a of the weights a / (a + p); absent: all tokens weigh alike
};

/// Writes model.safetensors (embeddings: a row a token; with `mapping` token i has row mapping[i], which
/// sentence-transformers does not know of), tokenizer.json, config.json and modules.json: a
/// static model that Model2Vec, sentence-transformers and TokenVectors read. A text's vector is the mean of
/// its tokens', scaled to length 1.
void write_static_model(const NewFolder& folder, const Matrix& table, const std::string& tokenizer,
                        const StaticOrigin& origin, std::span<const std::int64_t> mapping = {});

}  // namespace shoal
