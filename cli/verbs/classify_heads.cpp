#include "verbs/classify_heads.h"

#include <algorithm>
#include <array>

#include "shoal/encode/sequence_head.h"
#include "shoal/flow/classes/evaluate_head.h"
#include "shoal/flow/classes/fit_head.h"
#include "shoal/flow/classes/head_folder.h"
#include "shoal/flow/folders/cluster_folder.h"
#include "shoal/flow/mapping/show.h"
#include "shoal/flow/texts/models.h"
#include "shoal/read/columns.h"
#include "shoal/store/archive/archive.h"
#include "shoal/store/collection/collection.h"
#include "verbs/verbs.h"

namespace shoal::cli {
namespace {

std::string percent(double share) { return short_number(100 * share, 4) + "%"; }

std::string between(const Interval& i) { return percent(i.low) + " to " + percent(i.high); }

/// "NAME" and others, as they are many.
std::string some_of(std::vector<std::string> names) {
  const Index all = names.size();
  if (all > 5) names.resize(5);
  return list_names(names) + (all > 5 ? " and " + with_commas(all - 5) + " more" : "");
}

std::string as_rows(Index n) { return with_commas(n) + (n == 1 ? " row" : " rows"); }

std::string in_words(const FitHeadReport& report, const FitHeadOptions& o, const Progress& progress) {
  std::string out = as_rows(report.rows) + ", " + counted(report.names.size(), "label");
  out += report.task == HeadTask::multilabel ? ", any number a row\n" : "\n";
  if (o.zero_shot)
    return out + "by what the labels are called: nothing was learnt from examples\n" + time_line(progress) +
           "\nwrote " + report.out.string() + "\n";
  if (o.add)
    return out + "new labels: " + (report.added.empty() ? "none" : some_of(report.added)) +
           "\nwhat was known of the old ones stays, and so do calibration and the limit of the known\n" +
           time_line(progress) + "\nwrote " + report.out.string() + "\n";
  if (report.head == HeadKind::mlp) {
    out += "mlp of " + with_commas(o.head.mlp.hidden) + " hidden units, " + counted(report.n_iter, "epoch") +
           "\n";
  } else {
    out += "logistic regression, C " + short_number(report.c, 4);
    out += o.head.c ? "\n" : report.judged > 0 ? ", chosen on held-out folds\n" : "\n";
  }
  if (report.judged == 0) {
    out += "too few rows a label to hold any out: how well it does is not known\n";
  } else {
    const ClassificationScores& s = report.scores;
    out += "held-out rows: ";
    out += report.task == HeadTask::multiclass
               ? percent(s.accuracy) + " right (95%: " + between(s.accuracy_interval) + "), macro F1 " +
                     short_number(s.macro_f1, 3)
               : "macro F1 " + short_number(s.macro_f1, 3) + ", micro F1 " + short_number(s.micro_f1, 3) +
                     (report.thresholds == ThresholdKind::per_label ? ", a threshold a label"
                      : report.thresholds == ThresholdKind::one     ? ", one threshold for all labels"
                                                                    : ", threshold 0.5");
    out += "\nprobabilities are off by " + short_number(100 * report.ece, 2) + " points on average (" +
           short_number(100 * report.ece_before, 2) + " before calibration)\n";
    out += "labels in doubt: " + as_rows(report.suspects) + ", in labels_in_doubt.csv\n";
  }
  return out + time_line(progress) + "\nwrote " + report.out.string() + "\n";
}

/// Options that would change nothing.
void refuse_useless(FitHeadOptions& o, CLI::App& verb) {
  const auto given = [&](const std::string& option) { return verb.count(flag_of(option)) > 0; };
  if (o.add || o.zero_shot) {
    std::vector<std::string> options{"task", "class_weights"};
    if (o.zero_shot) options.emplace_back("separator");
    for (const OptionRef& option : option_refs(o.head))
      if (option.name != "task") options.push_back(option.name);
    for (const std::string& option : options)
      require(!given(option), Fault::argument, flag_of(option) + " is of a head that is fitted anew");
  }
  require(!o.head.balanced || o.class_weights.empty(), Fault::argument,
          "--balanced weighs all labels; --class-weights some of them by hand: give one of the two");
  const bool mlp = o.head.head == HeadKind::mlp;
  for (const OptionRef& option : option_refs(o.head.mlp))
    require(mlp || !given(option.name), Fault::argument, flag_of(option.name) + " is of --head mlp");
  for (const char* option : {"c", "tol", "max_iter"})
    require(!mlp || !given(option), Fault::argument,
            flag_of(option) + " is of logistic regression, not of --head mlp");
}

void run_fit(FitHeadOptions& o, CLI::App& verb, Session& session) {
  require(!o.out.empty(), Fault::argument, "--out is empty; it names the folder to make");
  check_encoding(verb, o.read.encode);
  o.read.models_folder = models_folder();
  if (o.add) {
    const HeadFolder old = open_head(*o.add);
    require(!old.encoder, Fault::argument,
            o.add->string() + " is a model; --add takes a head of 'shoal classify fit', --from a model");
    o.read.use = old.use;
    if (verb.count("--model") == 0) o.read.model = old.model;
  }
  if (verb.count("--from") > 0) {
    require(!o.add && !o.zero_shot && verb.count("--model") == 0, Fault::argument,
            "--from names the model: it does not go with --model, --add or --zero-shot");
    o.read.use = EncoderUse::features;
  }
  if (o.read.model.empty()) o.read.model = kDefaultModel;
  refuse_useless(o, verb);
  const FitHeadReport report = fit_head(o, session.run(), language_notice(session));
  session.progress().finish();
  auto object = made_json(report.out, kHeadMark, session);
  object["done_before"] = report.done_before;
  if (report.done_before) return session.answer(object, done_before(report.out));
  if (report.assumed_space) session.remark(kAssumedSpace);
  if (report.unlabelled > 0)
    session.remark("note: " + as_rows(report.unlabelled) +
                   (report.task == HeadTask::multiclass ? " without a label: left out"
                                                        : " without any label: they have none of them"));
  if (!report.seen_once.empty())
    session.remark("warning: of " + counted(report.seen_once.size(), "label") + " there is a single row (" +
                   some_of(report.seen_once) + "): how well they are found is not known");
  if (!report.converged) session.remark("warning: the search was cut off by --max-iter; more may do better");
  session.answer(object, in_words(report, o, session.progress()));
}

std::string in_words(const EvaluateHeadReport& report, const Progress& progress) {
  const ClassificationScores& s = report.scores;
  std::string out = as_rows(s.rows) + " with labels that the head knows\n";
  out += "accuracy " + percent(s.accuracy) + " (95%: " + between(s.accuracy_interval) + "), macro F1 " +
         short_number(s.macro_f1, 4) + ", micro F1 " + short_number(s.micro_f1, 4) + "\n";
  out += "probabilities are off by " + short_number(100 * report.ece, 2) + " points on average\n";
  if (report.covered) out += percent(*report.covered) + " of them are not taken for none of the known\n";
  if (report.foreign > 0) {
    out += as_rows(report.foreign) + " with other labels (" + some_of(report.foreign_names) + ")";
    out += report.covered ? ": " + percent(report.foreign_found) + " taken for none of the known, AUROC " +
                                short_number(report.auroc, 4) + "\n"
                          : "\n";
  }
  std::vector<Index> order;
  for (Index c = 0; c < s.labels.size(); ++c)
    if (s.labels[c].support > 0) order.push_back(c);
  std::ranges::stable_sort(order, {}, [&](Index c) { return s.labels[c].f1; });
  if (order.size() > 5) order.resize(5);
  out += "hardest labels:\n";
  for (const Index c : order)
    out += "  F1 " + short_number(s.labels[c].f1, 3) + " (" + short_number(s.labels[c].f1_interval.low, 2) +
           " to " + short_number(s.labels[c].f1_interval.high, 2) + ")  " + one_line(report.names[c], 60) +
           "\n";
  return out + time_line(progress) + "\nwrote " + report.out.string() + ": " + with_commas(report.errors) +
         " errors in errors.csv, a table of labels, and plots\n";
}

/// Into the collection whose rows were judged.
void keep_judgement(const EvaluateHeadOptions& o) {
  std::vector<std::pair<KeptPlot, std::string>> plots;
  for (const KeptPlot& plot : {kConfusionPlot, kReliabilityPlot})
    if (const auto file = o.out / plot.file; std::filesystem::exists(file))
      plots.emplace_back(plot, read_file(file, std::size_t{16} << 20));
  keep_plots(o.input, plots);
}

void run_evaluate(EvaluateHeadOptions& o, bool keep, CLI::App& verb, Session& session) {
  check_encoding(verb, o.read.encode);
  o.read.models_folder = models_folder();
  if (o.out.empty()) o.out = beside_input(o.input, ".evaluation");
  if (const auto place = head_place(o.head.string()); !place.empty()) o.head = place;
  require(!keep || Collection::exists(o.input), Fault::argument,
          "--keep keeps the plots in a collection; " + o.input.string() + " is none");
  if (keep) check_has_map(o.input);
  const EvaluateHeadReport report = evaluate_head(o, session.run(), language_notice(session));
  if (keep) keep_judgement(o);
  session.progress().finish();
  auto object = made_json(report.out, "evaluation.json", session);
  object["done_before"] = report.done_before;
  if (report.done_before) return session.answer(object, done_before(report.out));
  if (report.assumed_space) session.remark(kAssumedSpace);
  if (report.unlabelled > 0) session.remark("note: " + as_rows(report.unlabelled) + " without a label");
  std::string words = in_words(report, session.progress());
  if (o.label_errors)
    words += as_rows(report.suspects) + " whose label the head contradicts, in labels_in_doubt.csv\n";
  session.answer(object, words);
}

}  // namespace

std::filesystem::path head_place(const std::string& given) {
  std::filesystem::path folder = given;
  if (!std::filesystem::exists(folder) && given.find('/') == std::string::npos)
    folder = models_folder() / given;
  return is_head(folder) || is_classifier_folder(folder) ? folder : std::filesystem::path();
}

void add_head_reading(CLI::App& verb, Session& session, TextsAndVectorsOptions& options) {
  verb.add_option_function<std::string>(
          "--vectors", [&options](const std::string& path) { options.vectors = path; },
          "Vectors of the rows, where the input is a table; made there if absent")
      ->type_name("FILE");
  verb.add_option("--model", options.model,
                  "Encoder of texts: a name from 'shoal model list', or a folder. Default: the head's own")
      ->type_name("NAME|DIR");
  add_reading(verb, session, options.read);
  add_options(verb, session, option_refs(options.encode));
}

void refuse_head_reading(CLI::App& verb, const std::string& folder) {
  refuse_reading(verb, folder, "a folder of clusters, for vectors");
  EncodeOptions encode;
  std::vector<std::string> flags{"--vectors", "--model"};
  for (const OptionRef& option : option_refs(encode)) flags.push_back(flag_of(option.name));
  for (const std::string& flag : flags)
    require(
        verb.count(flag) == 0, Fault::argument,
        flag + " is for heads of 'shoal classify fit'; " + folder + " is a folder of clusters, for vectors");
}

void run_predict_head(PredictHeadOptions options, CLI::App& verb, Session& session) {
  for (const char* flag : {"--by", "--layout", "--group", "--seed"})
    require(verb.count(flag) == 0, Fault::argument,
            std::string(flag) + " is for folders of clusters; " + options.head.string() + " is a head");
  check_encoding(verb, options.read.encode);
  options.read.models_folder = models_folder();
  const PredictHeadReport report = predict_head(options, session.run(), language_notice(session));
  session.progress().finish();
  auto object = made_json(report.out, "predictions.json", session);
  object["done_before"] = report.done_before;
  if (report.done_before) return session.answer(object, done_before(report.out));
  if (report.assumed_space) session.remark(kAssumedSpace);
  std::string out = as_rows(report.rows) + ", mean probability of the likeliest label " +
                    short_number(report.mean_probability, 4) + "\n";
  if (report.coverage)
    out += with_commas(report.unknown) + " taken for none of the known (" + percent(1 - *report.coverage) +
           " of rows of known labels would be)\n";
  out += "most frequent:\n";
  auto most = report.labels;
  std::ranges::stable_sort(most, std::greater{}, &PredictHeadReport::Found::size);
  for (Index i = 0; i < std::min<Index>(10, most.size()); ++i) {
    const std::string size = with_commas(most[i].size);
    out += std::string(size.size() < 9 ? 9 - size.size() : 0, ' ') + size + "  " +
           one_line(most[i].name, 60) + "\n";
  }
  if (!report.proposed.empty()) {
    out += "labels that may be missing, in proposed.csv:\n";
    for (Index i = 0; i < std::min<Index>(5, report.proposed.size()); ++i) {
      const std::string size = with_commas(report.proposed[i].size);
      out += std::string(size.size() < 9 ? 9 - size.size() : 0, ' ') + size +
             "  like: " + one_line(report.proposed[i].name, 60) + "\n";
    }
  }
  session.answer(object, out + time_line(session.progress()) + "\nwrote " + report.out.string() +
                             ": predictions.csv, predictions.json and plots\n");
}

void add_fit(CLI::App& classify, Session& session) {
  auto options = std::make_shared<FitHeadOptions>();
  FitHeadOptions& o = *options;
  auto* verb = classify.add_subcommand("fit", "Learns labels from labelled texts, on a frozen encoder");
  verb->footer(
      "TEXTS is a table of texts with a column of labels, a collection, or a table whose vectors are given "
      "by\n"
      "--vectors. Texts are embedded once; the vectors are kept beside the file. A cell is one label, or "
      "several:\n"
      "'a;b' or a JSON list. The result is a folder: the head, head.json with what held-out rows say of it,\n"
      "a table of labels, plots, and labels_in_doubt.csv with the rows whose label the others contradict.\n\n"
      "Five parts of the rows are held out in turn: on them the strength of the penalty is chosen, "
      "probabilities\n"
      "are calibrated, thresholds are set, and the limit below which a row is taken for none of the known.\n"
      "A few rows a label are enough to begin with. --zero-shot needs none: TEXTS say what labels are "
      "called.\n\n"
      "Examples:\n"
      "  shoal classify fit tickets.csv --label team --out teams\n"
      "  shoal classify predict teams new-tickets.csv\n"
      "  shoal classify evaluate teams checked.csv --label team\n"
      "  shoal classify fit more.csv --label team --add teams --out teams2     new labels beside the old\n"
      "  shoal classify fit names.txt --zero-shot --out first                  a line a label, no examples\n"
      "  shoal classify fit tickets.csv --label team --head mlp --out teams    a perceptron of one hidden "
      "layer\n"
      "  shoal classify fit tickets.csv --label team --from roberta-emotions --out teams\n"
      "                                                     on what a classifier's own last layer reads");
  verb->add_option_function<std::string>(
          "texts", [&o](const std::string& path) { o.input = path; },
          "A table of texts, or a collection; - is standard input")
      ->required()
      ->type_name("TEXTS");
  verb->add_option("--label", o.label, "Column that holds the labels")->type_name("COLUMN");
  session.flags[{verb, "label"}] = "--label";
  verb->add_option_function<std::string>(
          "--out", [&o](const std::string& path) { o.out = path; }, "The folder to make")
      ->required()
      ->type_name("HEAD");
  verb->add_flag("--overwrite", o.overwrite, "Replace a folder that this command has made");
  verb->add_option_function<std::string>(
          "--add", [&o](const std::string& path) { o.add = path; },
          "A head that takes in these rows and their new labels, without fitting the old ones again")
      ->type_name("HEAD");
  verb->add_option_function<std::string>(
          "--from", [&o](const std::string& model) { o.read.model = model; },
          "A model that gives labels: its last layer is fitted anew, on what it reads")
      ->type_name("NAME|DIR");
  verb->add_option_function<std::string>(
          "--profile", [&o](const std::string& path) { o.read.profile = path; },
          "See the vectors through a profile of 'shoal personalise'; so will predict and evaluate")
      ->type_name("FILE")
      ->check(CLI::ExistingFile);
  verb->add_flag("--zero-shot", o.zero_shot,
                 "TEXTS are what labels are called (or describe those of --label), not examples");
  add_options(*verb, session, option_refs(o));
  OptionRefs head = option_refs(o.head);
  std::erase_if(head, [](const OptionRef& option) { return option.name == "task"; });
  add_options(*verb, session, head);
  add_head_reading(*verb, session, o.read);
  add_shared(*verb, session);
  verb->callback([options, verb, &session] { run_fit(*options, *verb, session); });
}

void add_evaluate_head(CLI::App& classify, Session& session) {
  auto options = std::make_shared<EvaluateHeadOptions>();
  auto keep = std::make_shared<bool>(false);
  EvaluateHeadOptions& o = *options;
  auto* verb = classify.add_subcommand("evaluate", "How well a head labels rows whose labels are known");
  verb->footer(
      "The result is a folder: evaluation.json; labels.csv with precision, recall and F1 of each label and\n"
      "their 95% intervals; errors.csv with the nearest training text of each; confusion.svg and\n"
      "reliability.svg. Rows with a label that the head does not know say how well it tells none of the\n"
      "known.\n\n"
      "Example:\n"
      "  shoal classify evaluate teams checked.csv --label team --label-errors");
  verb->add_option_function<std::string>(
          "head", [&o](const std::string& path) { o.head = path; },
          "A folder that 'shoal classify fit' made, or a model that gives labels")
      ->required()
      ->type_name("HEAD");
  verb->add_option_function<std::string>(
          "labelled", [&o](const std::string& path) { o.input = path; },
          "A table of texts with labels, or a collection; - is standard input")
      ->required()
      ->type_name("LABELLED");
  verb->add_option("--label", o.label, "Column that holds the labels")->required()->type_name("COLUMN");
  verb->add_option_function<std::string>(
          "--out", [&o](const std::string& path) { o.out = path; },
          "The folder to make. Default: the input's name with .evaluation, in the current folder")
      ->type_name("DIR");
  verb->add_flag("--overwrite", o.overwrite, "Replace a folder that this command has made");
  verb->add_flag("--keep", *keep, "Also keep the plots in the collection: the report of its map shows them");
  add_options(*verb, session, option_refs(o));
  add_head_reading(*verb, session, o.read);
  add_shared(*verb, session);
  verb->callback([options, keep, verb, &session] { run_evaluate(*options, *keep, *verb, session); });
}

}  // namespace shoal::cli
