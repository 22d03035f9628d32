#include "shoal/flow/folders/predict_clusters.h"

#include "shoal/flow/classes/head_folder.h"
#include "shoal/flow/folders/cluster_folder.h"
#include "verbs/classify_heads.h"
#include "verbs/verbs.h"

namespace shoal::cli {
namespace {

std::string in_words(const PredictReport& report, const Progress& progress) {
  std::string out =
      with_commas(report.rows) + " rows placed into " + with_commas(report.clusters.size()) + " clusters, " +
      with_commas(report.unlike) +
      (report.by_method ? " in none"
                        : " unlike any; mean probability " + short_number(report.mean_probability, 4)) +
      "\n";
  if (report.by_method && report.placement < 1)
    out += "by the method's own rule, which agrees with " + short_number(100 * *report.placement, 4) +
           "% of the labels of the rows that the clusters were made of\n";
  out += "largest:\n";
  auto largest = report.clusters;
  std::ranges::stable_sort(largest, std::greater{}, &PredictReport::Found::size);
  for (std::size_t i = 0; i < std::min<std::size_t>(10, largest.size()); ++i) {
    const std::string size = with_commas(largest[i].size);
    out += std::string(size.size() < 9 ? 9 - size.size() : 0, ' ') + size + "  " +
           (largest[i].name.empty() ? "cluster " + std::to_string(largest[i].id) : largest[i].name) + "\n";
  }
  return out + "time: " + duration(progress.seconds()) + "\nwrote " + report.out.string() +
         ": predictions.csv, predictions.json and plots\n";
}

void run_predict(PredictOptions& options, Session& session) {
  const PredictReport report = predict_clusters(options, session.run());
  session.progress().finish();
  auto object = made_json(report.out, "predictions.json", session);
  object["done_before"] = report.done_before;
  if (report.done_before) return session.answer(object, done_before(report.out));
  remark_converted(session, report.converted_from);
  if (report.assumed_space) session.remark(kAssumedSpace);
  session.answer(object, in_words(report, session.progress()));
}

}  // namespace

void add_classify(CLI::App& app, Session& session) {
  auto* verb = app.add_subcommand("classify", "Labels for texts: learnt from examples, or of clusters");
  verb->require_subcommand(1);
  add_fit(*verb, session);
  auto options = std::make_shared<PredictOptions>();
  auto reading = std::make_shared<TextsAndVectorsOptions>();
  auto input = std::make_shared<std::string>(), model = std::make_shared<std::string>(),
       out = std::make_shared<std::string>();
  auto* predict = verb->add_subcommand("predict", "Labels or clusters for new rows");
  predict->footer(
      "MODEL is a head of 'shoal classify fit', a folder of 'shoal cluster', or a model that gives labels "
      "itself\n"
      "(BERT, RoBERTa and their kin as ...ForSequenceClassification). Vectors must come from the encoder "
      "that it\n"
      "was made with.\n\n"
      "A head takes texts too: a table, a collection, or vectors. Each row gets its label (none where it is\n"
      "unlike all that is known), the likeliest one, its probability, a p-value (small where the row is "
      "unlike\n"
      "the known), and its nearest training row. Among many rows of none of the known, clusters are "
      "proposed.\n\n"
      "Clusters: vectors are prepared as the model's own were (PCA, standardising), then each row gets a\n"
      "cluster, its probability, its distance to the nearest centroid, and whether it is unlike any cluster\n"
      "(then cluster is -1, and likeliest still says which it would be).\n"
      "--by method asks the method itself instead: spherical_kmeans, kmeans, minibatch_kmeans, vmf_mixture\n"
      "and som give each row of their own the cluster that it has; agglomerative and hdbscan place rows by\n"
      "a rule whose agreement with their clusters is measured and printed; dbscan has none.\n\n"
      "Examples:\n"
      "  shoal classify predict teams new.csv              new.predictions/predictions.csv and plots\n"
      "  shoal cluster january/ --out topics\n"
      "  shoal classify predict topics february/           february.predictions/predictions.csv and plots");
  predict
      ->add_option("model", *model,
                   "A folder that 'shoal classify fit' or 'shoal cluster' made, or a model that gives labels")
      ->required()
      ->type_name("MODEL");
  predict
      ->add_option("input", *input,
                   "Vectors: a file, a folder of files, or a collection; of a head texts too")
      ->required()
      ->type_name("INPUT");
  predict
      ->add_option("--out", *out,
                   "The folder to make. Default: the input's name with .predictions, in the current folder")
      ->type_name("DIR");
  predict->add_flag("--overwrite", options->overwrite, "Replace a folder that this command has made");
  add_options(*predict, session, option_refs(*options), {}, "Options of clusters");
  add_head_reading(*predict, session, *reading);
  add_shared(*predict, session);
  predict->callback([=, &session] {
    options->input = *input;
    options->out = out->empty() ? beside_input(*input, ".predictions") : std::filesystem::path(*out);
    const std::filesystem::path head = head_place(*model);
    if (!head.empty())
      return run_predict_head({head, options->input, options->out, options->overwrite, *reading}, *predict,
                              session);
    refuse_head_reading(*predict, *model);
    options->model = *model;
    run_predict(*options, session);
  });
  add_evaluate_head(*verb, session);
}

}  // namespace shoal::cli
