#include "shoal/flow/search.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/kernels/kernels.h"
#include "shoal/linear/topk.h"
#include "shoal/store/rows_file.h"

namespace shoal {
namespace {

float norm(std::span<const float> x) { return std::sqrt(kernels().dot(x.data(), x.data(), x.size())); }

/// Cosine of each row to `query`; rows that are not wanted get no score.
TopK rank(const Rows& x, std::span<const float> query, const Labels& labels, const SearchOptions& options,
          const Run& run) {
  constexpr Index kGrain = 8192;
  const float query_norm = norm(query);
  std::vector<TopK> parts(chunk_count(x.rows(), kGrain), TopK(options.top));
  for_chunks(run, x.rows(), kGrain, [&](Index chunk, Index first, Index last) {
    Matrix scratch;
    const MatrixView block = x.block(first, last - first, scratch);
    for (Index i = 0; i < block.rows; ++i) {
      if (options.cluster && labels.of[first + i] != *options.cluster) continue;
      const float length = x.space().unit ? 1.0f : norm(block[i]);
      const float product = kernels().dot(block[i].data(), query.data(), query.size());
      const float score = length > 0 && query_norm > 0 ? product / (length * query_norm) : 0.0f;
      if (!options.threshold || score >= *options.threshold)
        parts[chunk].offer(score, static_cast<std::uint32_t>(first + i));
    }
  });
  TopK best(options.top);
  for (const TopK& part : parts)
    for (const auto& item : part.sorted()) best.offer(item.score, item.id);
  return best;
}

}  // namespace

std::vector<SearchHit> search(const Collection& collection, const Encoder& encoder,
                              const std::string& question, const SearchOptions& options, const Run& run) {
  require(options.top >= 1, Fault::argument, "--top is 0; at least 1 hit must be asked for");
  require(!question.empty(), Fault::argument, "the question is empty");
  const auto vectors_file = collection.file("vectors.safetensors");
  require(std::filesystem::exists(vectors_file), Fault::data,
          collection.folder().string() + " has no vectors yet; run 'shoal map' on it to the end");
  const auto made_by = collection.manifest("model");
  require(!made_by || model_of(*made_by) == model_of(encoder.space().id), Fault::argument,
          collection.folder().string() + " was made by the model " + made_by.value_or("") + ", and " +
              encoder.space().id + " was given; their vectors cannot be compared");
  const auto clusters = collection.clusters();
  if (options.cluster) {
    require(*options.cluster >= 0 && static_cast<Index>(*options.cluster) < clusters.size(), Fault::argument,
            "--cluster " + std::to_string(*options.cluster) + ": the collection has clusters 0.." +
                std::to_string(clusters.size() - 1));
  }

  Texts query;
  query.add(question);
  const Matrix vector = encoder.encode(query, {}, run);
  const Labels labels = clusters.empty() ? Labels{} : collection.labels();
  const TopK best = rank(open_rows(vectors_file), vector[0], labels, options, run);

  std::vector<SearchHit> hits;
  for (const auto& item : best.sorted()) {
    SearchHit hit{.row = item.id, .score = item.score, .text = collection.text(item.id)};
    if (item.id < labels.of.size()) hit.cluster = labels.of[item.id];
    if (hit.cluster != kNoise) hit.cluster_name = clusters[static_cast<Index>(hit.cluster)].name;
    hits.push_back(std::move(hit));
  }
  return hits;
}

}  // namespace shoal
