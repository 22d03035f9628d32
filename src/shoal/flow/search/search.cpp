#include "shoal/flow/search/search.h"

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/flow/names/explain.h"
#include "shoal/flow/neutral/neutral.h"
#include "shoal/flow/stage_file.h"
#include "shoal/kernels/kernels.h"
#include "shoal/linear/norms.h"
#include "shoal/linear/topk.h"
#include "shoal/read/columns.h"
#include "shoal/store/vectors/rows_file.h"
#include "shoal/tokenize/words.h"

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

/// The same in the order of profiles: the first hits by the scores of the top, the others by those of the
/// order.
std::vector<TopK::Item> rank_personal(const Rows& x, std::span<const float> question, const Labels& labels,
                                      const SearchOptions& options, const std::vector<Profile>& profiles,
                                      const Run& run) {
  constexpr Index kGrain = 2048;
  Matrix q(1, question.size());
  std::ranges::copy(question, q[0].begin());
  unit_rows(q.span());
  Index keep = 0;
  std::vector<Profile::Query> queries;
  for (const Profile& profile : profiles) {
    check_input(Rows(q, x.space()), profile.space().dims, profile.space(), "the profile");
    keep = std::max(keep, profile.options().keep);
    queries.push_back(profile.ask(q[0]));
  }
  struct Part {
    TopK top, order;
  };
  const Index wanted = std::min(keep, options.top);
  std::vector<Part> parts(chunk_count(x.rows(), kGrain), Part{TopK(wanted), TopK(options.top)});
  std::vector<float> cosine(x.rows());
  for_chunks(run, x.rows(), kGrain, [&](Index chunk, Index first, Index last) {
    Matrix scratch;
    const MatrixView raw = x.block(first, last - first, scratch);
    Matrix block(raw.rows, raw.cols);
    for (Index i = 0; i < raw.rows; ++i) std::ranges::copy(raw[i], block[i].begin());
    unit_rows(block.span());
    std::vector<float> order(raw.rows), top(raw.rows);
    for (Index i = 0; i < raw.rows; ++i)
      order[i] = top[i] = cosine[first + i] = kernels().dot(block[i].data(), q[0].data(), raw.cols);
    for (Index p = 0; p < profiles.size(); ++p)
      if (!profiles[p].identity()) profiles[p].add(queries[p], profiles[p].prepare(block.view()), order, top);
    for (Index i = 0; i < raw.rows; ++i) {
      if (options.cluster && labels.of[first + i] != *options.cluster) continue;
      if (options.threshold && cosine[first + i] < *options.threshold) continue;
      parts[chunk].top.offer(top[i], static_cast<std::uint32_t>(first + i));
      parts[chunk].order.offer(order[i], static_cast<std::uint32_t>(first + i));
    }
  });
  TopK top(wanted), order(options.top);
  for (const Part& part : parts) {
    for (const auto& item : part.top.sorted()) top.offer(item.score, item.id);
    for (const auto& item : part.order.sorted()) order.offer(item.score, item.id);
  }
  std::vector<TopK::Item> out = top.sorted();
  for (const auto& item : order.sorted()) {
    const bool there = std::ranges::find(out, item.id, &TopK::Item::id) != out.end();
    if (!there && out.size() < options.top) out.push_back(item);
  }
  for (auto& item : out) item.score = cosine[item.id];
  return out;
}

/// What is wrong with the options is said before the work.
void check_search(const Collection& collection, const SearchOptions& options, Index clusters) {
  check_options(options);
  if (!options.cluster) return;
  if (clusters == 0) finished_clusters(collection);  // says why
  require(static_cast<Index>(*options.cluster) < clusters, Fault::argument,
          option_name("cluster") + " is " + std::to_string(*options.cluster) +
              "; the collection has clusters 0.." + std::to_string(clusters - 1));
}

/// The collection's vectors, one for each row, as long as `dims`.
Rows whole_vectors(const Collection& collection, Index dims) {
  Rows x = map_vectors(collection);
  require(x.cols() == dims, Fault::argument,
          collection.folder().string() + " has vectors of " + std::to_string(x.cols()) +
              " numbers, and the model makes " + std::to_string(dims));
  return x;
}

/// Clusters as far as there are any.
class Named {
 public:
  explicit Named(const Collection& collection)
      : collection_(collection),
        clusters_(collection.clusters()),
        labels_(clusters_.empty() ? Labels{} : collection.labels()) {}

  Index count() const { return clusters_.size(); }
  const Labels& labels() const { return labels_; }
  SearchHit hit(Index row, float score) const {
    SearchHit out{.row = row, .score = score, .text = collection_.text(row)};
    if (row < labels_.of.size()) out.cluster = labels_.of[row];
    if (out.cluster >= 0 && static_cast<Index>(out.cluster) < clusters_.size())
      out.cluster_name = clusters_[static_cast<Index>(out.cluster)].name;
    return out;
  }

 private:
  const Collection& collection_;
  std::vector<ClusterRecord> clusters_;
  Labels labels_;
};

}  // namespace

IndexWords words_of_index() { return {.form = index_form, .query = index_query}; }

std::vector<SearchHit> search(const Collection& collection, const Encoder& encoder,
                              const std::string& question, const SearchOptions& options, const Run& run,
                              const std::vector<Profile>& profiles, const std::optional<SpaceMap>& through) {
  require(!question.empty(), Fault::argument, "the question is empty");
  const auto made_by = collection.manifest("model");
  const std::string id = through ? through->to().id : encoder.space().id;
  require(!through || model_of(through->from().id) == model_of(encoder.space().id), Fault::argument,
          "the map given as " + option_name("through") + " is of vectors of " +
              (through ? through->from().id : "") + ", and " + encoder.space().id + " was given");
  require(!made_by || model_of(*made_by) == model_of(id), Fault::argument,
          collection.folder().string() + " was made by the model " + made_by.value_or("") + ", and " + id +
              " was given; their vectors cannot be compared");
  const Rows vectors = whole_vectors(collection, through ? through->to().dims : encoder.space().dims);
  const Named named(collection);
  check_search(collection, options, named.count());

  Texts query;
  query.add(question);
  Rows asked = encoder.encode(query, {}, run);
  if (through) asked = through->applied(asked, run);
  Matrix vector = asked.to_matrix();
  if (const auto file = collection.file(kNeutralFile); std::filesystem::exists(file)) {
    const auto stage = load_stage<GroupCentering>(file);
    const Label group = options.group.empty() ? group_of(stage, question) : stage.find(options.group);
    require(options.group.empty() || group != kNoise, Fault::argument,
            option_name("group") + " is " + options.group + "; the groups are " + list_names(stage.groups()));
    vector = stage.applied(Rows(vector, asked.space()).assume_space(stage.space()), {group}).to_matrix();
  } else {
    require(
        options.group.empty(), Fault::argument,
        option_name("group") + " is for collections that 'shoal map' made with " + option_name("neutral"));
  }
  std::vector<SearchHit> hits;
  const auto best = profiles.empty()
                        ? rank(vectors, vector[0], named.labels(), options, run).sorted()
                        : rank_personal(vectors, vector[0], named.labels(), options, profiles, run);
  for (const auto& item : best) hits.push_back(named.hit(item.id, item.score));
  return hits;
}

std::vector<SearchHit> search_words(const Collection& collection, const std::string& words,
                                    const SearchOptions& options) {
  require(!options.threshold, Fault::argument,
          option_name("threshold") + " is a cosine; " + option_name("words") + " has none");
  const Named named(collection);
  check_search(collection, options, named.count());
  std::vector<SearchHit> hits;
  const auto& of = named.labels().of;
  for (const Index row :
       collection.find_words(words, options.cluster ? collection.rows() : options.top, words_of_index())) {
    if (options.cluster && (row >= of.size() || of[row] != *options.cluster)) continue;
    hits.push_back(named.hit(row, 0));
    if (hits.size() == options.top) break;
  }
  return hits;
}

}  // namespace shoal
