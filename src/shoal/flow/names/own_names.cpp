#include "shoal/flow/names/own_names.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/core/utf8.h"
#include "shoal/flow/names/explain.h"
#include "shoal/measure/assignment.h"
#include "shoal/read/columns.h"
#include "shoal/read/source.h"

namespace shoal {
namespace {

constexpr double kSame = 0.3;  // Jaccard index of the rows from which two clusters are one
constexpr std::size_t kLongest = 200;

void store(Collection& collection, const NamedRows& named) {
  // Names that have no rows left go, and the others move up.
  const CompactLabels compact = compact_labels(named.rows);
  std::vector<ClusterRecord> names;
  const auto sizes = label_sizes(compact.labels);
  Index all = 0;
  for (Index i = 0; i < compact.original.size(); ++i) {
    names.push_back(named.names[static_cast<Index>(compact.original[i])]);
    names.back().id = static_cast<Label>(i);
    names.back().size = sizes[i];
    all += sizes[i];
  }
  if (names.empty()) {
    if (collection.result(kOwnNames)) collection.drop_result(kOwnNames);
    return;
  }
  collection.set_labels(compact.labels, {.name = kOwnNames, .stage = "rename"});
  collection.set_clusters(names, {{.id = 0, .name = "own", .size = all}}, kOwnNames);
}

/// Names, and the clusters that bear them: a kill leaves both or neither.
void keep(Collection& collection, const NamedRows& named, const std::vector<ClusterRecord>& clusters) {
  collection.together([&] {
    const auto groups = collection.groups();
    store(collection, named);
    collection.set_clusters(clusters, groups);
  });
}

bool is_plain(std::string_view name) {
  return first_invalid_utf8(name) == std::string_view::npos &&
         std::ranges::none_of(name, [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

}  // namespace

NamedRows named_rows(const Collection& collection) {
  NamedRows none{.rows = {std::vector<Label>(collection.rows(), kNoise), 0}, .names = {}};
  if (!collection.result(kOwnNames)) return none;
  NamedRows out{.rows = collection.labels_so_far(kOwnNames), .names = collection.clusters(kOwnNames)};
  return out.names.size() == out.rows.count ? out : none;  // not so: it was changed by hand
}

void keep_named_rows(Collection& collection, const NamedRows& named) {
  collection.together([&] { store(collection, named); });
}

void check_own_names(const std::vector<OwnName>& names, std::optional<Index> clusters) {
  std::set<Label> seen;
  for (const OwnName& own : names) {
    const std::string number = std::to_string(own.cluster);
    require(own.cluster >= 0 && (!clusters || static_cast<Index>(own.cluster) < *clusters), Fault::argument,
            "there is no cluster " + number +
                (clusters ? "; the collection has 0.." + std::to_string(*clusters - 1) : std::string()));
    require(seen.insert(own.cluster).second, Fault::argument, "cluster " + number + " is named twice");
    require(own.name.size() <= kLongest && is_plain(own.name), Fault::argument,
            "the name of cluster " + number + " must be one line of at most " + std::to_string(kLongest) +
                " bytes of UTF-8, without control characters");
  }
}

namespace {

/// Which of the user's names each cluster bears now; none where it bears the one from its words.
std::vector<std::optional<Index>> borne(const NamedRows& named, const std::vector<ClusterRecord>& clusters,
                                        const Labels& labels) {
  std::vector<Index> both(named.names.size() * clusters.size());
  for (Index row = 0; row < labels.of.size(); ++row)
    if (labels.of[row] != kNoise && named.rows.of[row] != kNoise)
      ++both[static_cast<Index>(named.rows.of[row]) * clusters.size() + static_cast<Index>(labels.of[row])];
  Matrix jaccard(named.names.size(), clusters.size());
  for (Index n = 0; n < jaccard.rows(); ++n)
    for (Index c = 0; c < jaccard.cols(); ++c) {
      const Index common = both[n * clusters.size() + c],
                  either = named.names[n].size + clusters[c].size - common;
      const double index = either > 0 ? static_cast<double>(common) / static_cast<double>(either) : 0;
      jaccard[n][c] = index < kSame ? 0.0F : static_cast<float>(index);
    }
  std::vector<std::optional<Index>> out(clusters.size());
  const auto found = best_assignment(jaccard.view());
  for (Index n = 0; n < found.size(); ++n)
    if (found[n] && jaccard[n][*found[n]] > 0) out[*found[n]] = n;
  return out;
}

}  // namespace

void name_own_clusters(Collection& collection, const std::vector<OwnName>& names) {
  auto clusters = finished_clusters(collection);
  check_own_names(names, clusters.size());
  const Labels labels = collection.labels_so_far(kMainClustering);
  NamedRows named = named_rows(collection);
  const auto bears = borne(named, clusters, labels);
  for (const OwnName& own : names) {
    const auto c = static_cast<Index>(own.cluster);
    std::string before = clusters[c].name;
    if (bears[c]) {
      before = named.names[*bears[c]].words.front();
      std::ranges::replace(named.rows.of, static_cast<Label>(*bears[c]), kNoise);
    }
    clusters[c].name = own.name.empty() ? before : own.name;
    if (own.name.empty()) continue;
    const auto id = static_cast<Label>(named.names.size());
    named.names.push_back({.id = id, .name = own.name, .words = {before}});
    for (Index row = 0; row < labels.of.size(); ++row)
      if (labels.of[row] == own.cluster) named.rows.of[row] = id;
  }
  named.rows.count = named.names.size();
  keep(collection, named, clusters);
}

std::vector<Label> clusters_with_own_names(const Collection& collection) {
  const NamedRows named = named_rows(collection);
  std::vector<Label> out;
  if (named.names.empty()) return out;
  const auto bears = borne(named, collection.clusters(), collection.labels());
  for (Index c = 0; c < bears.size(); ++c)
    if (bears[c]) out.push_back(static_cast<Label>(c));
  return out;
}

KeptNames apply_own_names(Collection& collection) {
  NamedRows named = named_rows(collection);
  KeptNames out;
  if (named.names.empty()) return out;
  auto clusters = collection.clusters();
  const auto bears = borne(named, clusters, collection.labels());
  std::vector<char> found(named.names.size());
  for (Index c = 0; c < clusters.size(); ++c) {
    if (!bears[c]) continue;
    ClusterRecord& own = named.names[*bears[c]];
    found[*bears[c]] = 1;
    own.words = {clusters[c].name};
    clusters[c].name = own.name;
    out.kept.push_back({static_cast<Label>(c), own.name});
  }
  for (Index n = 0; n < found.size(); ++n)
    if (!found[n]) out.lost.push_back(named.names[n].name);
  keep(collection, named, clusters);
  return out;
}

std::vector<OwnName> read_own_names(const std::filesystem::path& path, const Run& run) {
  Source source({path}, {.text_columns = {"name"}}, run.stop);
  const auto& others = source.other_columns();
  const auto at = std::ranges::find(others, "cluster");
  require(
      at != others.end(), Fault::data,
      path.string() + " needs the columns cluster and name; it has " + list_names(others) + " and \"name\"");
  std::vector<OwnName> out;
  Texts names;
  std::vector<Texts> columns;
  while (source.next(1024, names, columns)) {
    const Texts& clusters = columns[static_cast<Index>(at - others.begin())];
    for (Index i = 0; i < names.size(); ++i) {
      const std::string_view cell = clusters[i];
      OwnName own{.name = std::string(names[i])};
      const auto [end, fault] = std::from_chars(cell.data(), cell.data() + cell.size(), own.cluster);
      require(fault == std::errc() && end == cell.data() + cell.size(), Fault::data,
              path.string() + ", row " + std::to_string(out.size() + 1) + ": cluster is '" +
                  std::string(cell) + "', which is no number");
      out.push_back(std::move(own));
    }
  }
  return out;
}

}  // namespace shoal
