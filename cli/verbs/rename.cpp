#include "shoal/core/error.h"
#include "shoal/flow/mapping/show.h"
#include "shoal/flow/names/explain.h"
#include "shoal/flow/names/own_names.h"
#include "shoal/flow/search/search.h"
#include "verbs/verbs.h"

namespace shoal::cli {
namespace {

struct RenameFlags {
  std::string collection, name, names;
  Label cluster = kNoise;
};

void run_rename(const CLI::App& verb, const RenameFlags& flags, Session& session) {
  const bool one = verb.count("cluster") > 0 && verb.count("name") > 0;
  const bool some = verb.count("cluster") + verb.count("name") > 0;
  require(one != !flags.names.empty() && (flags.names.empty() || !some), Fault::argument,
          "give the number of a cluster and its name, or --names FILE");
  const std::vector<OwnName> names =
      one ? std::vector<OwnName>{{flags.cluster, flags.name}} : read_own_names(flags.names, session.run());
  Collection collection = Collection::open(flags.collection, false);
  const auto before = finished_clusters(collection);
  check_own_names(names, before.size());
  begin_change(collection);
  name_own_clusters(collection, names);
  redraw_page(collection);
  collection.settle(words_of_index());
  session.progress().finish();
  const auto after = collection.clusters();
  auto list = nlohmann::ordered_json::array();
  std::string text;
  for (const OwnName& own : names) {
    const auto c = static_cast<std::size_t>(own.cluster);
    list.push_back({{"cluster", own.cluster}, {"before", before[c].name}, {"name", after[c].name}});
    text += "cluster " + std::to_string(own.cluster) + ": " + before[c].name + " -> " + after[c].name + "\n";
  }
  session.answer({{"collection", flags.collection}, {"renamed", list}}, text);
}

}  // namespace

void add_rename(CLI::App& app, Session& session) {
  auto flags = std::make_shared<RenameFlags>();
  auto* verb = app.add_subcommand("rename", "Give clusters your own names");
  verb->footer(
      "The names stand in the collection, on the page and in what 'shoal export' writes. A cluster's number\n"
      "is the one that 'shoal explain' and 'shoal export' show. Mapped again, the collection gives your\n"
      "names to the clusters that hold the same texts, and says which found none: names and clusters are\n"
      "matched so that as many texts as possible agree. An empty name brings the cluster's own words "
      "back.\n\n"
      "Examples:\n"
      "  shoal rename reviews.shoal 12 \"late deliveries\"\n"
      "  shoal rename reviews.shoal --names names.csv      columns cluster and name");
  verb->add_option("collection", flags->collection, "A collection")->required()->type_name("NAME.shoal");
  verb->add_option("cluster", flags->cluster, "Number of the cluster")->type_name("CLUSTER");
  verb->add_option("name", flags->name, "Its name; \"\" brings the one from its words back")
      ->type_name("NAME");
  verb->add_option("--names", flags->names,
                   "Names of many clusters: a file with the columns cluster and name (CSV, TSV or JSONL)")
      ->type_name("FILE");
  add_shared(*verb, session);
  verb->callback([verb, flags, &session] { run_rename(*verb, *flags, session); });
}

}  // namespace shoal::cli
