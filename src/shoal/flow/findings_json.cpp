#include <cmath>

#include "shoal/flow/findings_json_impl.h"
#include "shoal/store/archive/json_value_impl.h"

namespace shoal {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const Separation& s) {
  return {{"n_clusters", s.n_clusters},
          {"silhouette", number_json(s.silhouette)},
          {"davies_bouldin", number_json(s.davies_bouldin)},
          {"davies_bouldin_cosine", number_json(s.davies_bouldin_cosine)},
          {"calinski_harabasz", number_json(s.calinski_harabasz)},
          {"inertia", number_json(s.inertia)},
          {"smallest", s.smallest},
          {"largest", s.largest},
          {"balance", number_json(s.balance)}};
}

Json to_json(const Stability& s) {
  Json jaccard = Json::array();
  for (const double v : s.jaccard) jaccard.push_back(number_json(v));
  return {{"resamples", s.adjusted_rand.size()},
          {"adjusted_rand_mean", number_json(s.mean)},
          {"adjusted_rand_spread", number_json(s.spread)},
          {"jaccard", jaccard}};
}

Json to_json(const ChosenK& c) {
  Json picks = Json::array();
  for (const Pick& p : c.picks)
    picks.push_back(
        {{"criterion", name_of(p.criterion)}, {"n_clusters", p.n_clusters}, {"value", number_json(p.value)}});
  return {{"criterion", name_of(c.criterion)},
          {"n_clusters", c.n_clusters},
          {"value", number_json(c.value)},
          {"tried_min", c.tried_min},
          {"tried_max", c.tried_max},
          {"why", c.why},
          {"against", c.against},
          {"picks", picks}};
}

Json to_json(const std::vector<TriedK>& tried) {
  Json out = Json::array();
  for (const TriedK& t : tried) {
    Json one = to_json(t.measures);
    one["found"] = t.measures.n_clusters;  // a method may leave a cluster empty
    one["n_clusters"] = t.n_clusters;
    if (t.stability) one["stability"] = to_json(*t.stability);
    out.push_back(one);
  }
  return out;
}

}  // namespace

Json number_json(const std::optional<double>& v) { return v && std::isfinite(*v) ? Json(*v) : Json(nullptr); }

Json to_json(const std::vector<Field>& fields) {
  Json out = Json::object();
  for (const Field& f : fields) out[f.name] = json_value<Json>(f.value);
  return out;
}

Json to_json(const ClusterFindings& found) {
  Json out{{"method", found.method.kind()},
           {"title", found.method.title()},
           {"options", to_json(found.method.list())},
           {"n_clusters", found.n_clusters},
           {"noise", found.noise},
           {"measures", nullptr}};
  if (found.measures) out["measures"] = to_json(*found.measures);
  out["against"] = found.against;
  if (found.chosen) out["chosen"] = to_json(*found.chosen), out["tried"] = to_json(found.tried);
  if (found.stability) out["stability"] = to_json(*found.stability);
  out["placement_agreement"] = number_json(found.placement);
  return out;
}

}  // namespace shoal
