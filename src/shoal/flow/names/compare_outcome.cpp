#include "shoal/flow/names/compare_outcome.h"

#include <algorithm>

#include "shoal/core/error.h"
#include "shoal/flow/names/explain.h"
#include "shoal/flow/tables/csv_field.h"

namespace shoal {

Texts compared_column(const Collection& collection, const std::string& column) {
  const auto columns = collection.columns();
  std::string known;
  for (const auto& name : columns) known += (known.empty() ? "" : ", ") + name;
  require(std::ranges::find(columns, column) != columns.end(), Fault::argument,
          "no column " + column + "; there are: " + (known.empty() ? "none" : known));
  finished_clusters(collection);
  return collection.column(column, 0, collection.rows());
}

Association compare_outcome(const Collection& collection, const std::string& column,
                            const OutcomeOptions& options, Correction correction) {
  const Texts values = compared_column(collection, column);
  try {
    return associate(collection.labels(), read_outcome(values, options), correction);
  } catch (const Error& e) {
    throw Error(e.fault, "column " + column + ": " + e.marked, e.hint);
  }
}

std::string association_csv(const Association& found, const std::vector<ClusterRecord>& clusters) {
  const bool numbers = found.kind == OutcomeKind::numbers;
  std::string out = numbers
                        ? "cluster,cluster_name,rows,mean,mean_elsewhere,difference,difference_low,"
                          "difference_high,t,df,cohens_d,hedges_g,r,p,corrected_p\n"
                        : "cluster,cluster_name,category,rows,rate,rate_elsewhere,odds_ratio,odds_ratio_low,"
                          "odds_ratio_high,r,p,corrected_p\n";
  for (const ClusterTest& test : found.tests) {
    out += std::to_string(test.cluster) + ',';
    add_csv_field(out, clusters[static_cast<Index>(test.cluster)].name);
    if (!numbers) {
      out += ',';
      add_csv_field(out, found.categories[static_cast<Index>(test.category)]);
    }
    out += ',' + std::to_string(test.rows);
    for (double x : {test.here, test.elsewhere, test.effect, test.low, test.high}) out += ',' + csv_number(x);
    if (numbers)
      for (double x : {test.t, test.df, test.cohens_d, test.hedges_g}) out += ',' + csv_number(x);
    for (double x : {test.r, test.p, test.corrected_p}) out += ',' + csv_number(x);
    out += '\n';
  }
  return out;
}

}  // namespace shoal
