#include <algorithm>

#include "shoal/core/error.h"
#include "shoal/core/rounded.h"
#include "shoal/core/with_commas.h"
#include "shoal/flow/scoring/train_cross_model.h"
#include "shoal/flow/texts/models.h"
#include "shoal/flow/training/train_model.h"
#include "shoal/flow/training/training_report.h"
#include "verbs/verbs.h"

namespace shoal::cli {
namespace {

std::string set_in_words(const TrainModelReport::Set& set) {
  std::string columns;
  for (const std::string& name : set.columns) columns += (columns.empty() ? "" : ", ") + one_line(name, 40);
  if (!set.target.empty()) columns += ", " + one_line(set.target, 40);
  std::string out =
      one_line(set.file, 80) + ": " + counted(set.rows, "row") + " of " + columns + "; loss " + set.loss;
  if (set.blank > 0)
    out += "; " + counted(set.blank, "row") + " left out as a cell is empty, the first is " +
           one_line(set.first_blank, 80);
  if (!set.unused.empty()) out += "; the column " + one_line(set.unused, 40) + " is not used by this loss";
  return out;
}

std::string in_words(const TrainModelReport& report, const Progress& progress) {
  if (report.done_before) return done_before(report.out);
  const Learnt& learnt = report.train.learnt;
  std::string out = with_commas(learnt.steps) + " of " + counted(learnt.n_steps, "step");
  if (report.resumed_from > 0) out += ", from step " + with_commas(report.resumed_from) + " on in this run";
  if (learnt.stopped_early) out += "; stopped as nothing got better";
  out += "; mean loss of each epoch:";
  for (const double loss : learnt.losses) out += " " + rounded(loss, "%.4f");
  out += "\n";
  if (!learnt.harm.empty()) out += "STOPPED: " + learnt.harm + ". The model is as it was when all was well\n";
  out += states_text(report);
  if (!report.dev_metric.empty() || !report.general_metric.empty()) out += "[low, high]: 95% intervals\n";
  const auto& states = report.states;
  if (states.size() > 1 && states[1].dev && states[0].dev && states[1].dev->value < states[0].dev->value)
    out += "the model was better on dev before it was trained\n";
  return out + time_line(progress) + "\nwrote " + report.out.string() +
         "; training.html in it shows the course\n";
}

/// Flags that say nothing to a cross-encoder.
void refuse_for_cross(const TrainModelOptions& o, const CLI::App& verb) {
  std::vector<std::string> flags{"--teacher", "--merge",       "--batching",
                                 "--alarms",  "--watch-every", "--any-margin"};
  LossOptions loss = o.loss;
  for (const OptionRef& ref : option_refs(loss))
    if (ref.name != "loss") flags.push_back(flag_of(ref.name));
  for (const std::string& flag : flags)
    require(verb.get_option_no_throw(flag) == nullptr || verb.count(flag) == 0, Fault::argument,
            flag + " is of sentence encoders; --cross trains a model that reads two texts as one input");
}

void run_train(TrainModelOptions& o, bool cross, CLI::App& verb, Session& session) {
  require(!o.out.empty(), Fault::argument, "--out is empty; it names the folder to make");
  o.models_folder = models_folder();
  if (cross) refuse_for_cross(o, verb);
  TrainNotices notices;
  notices.remark = [&](const std::string& text) { session.remark(text); };
  notices.begins = [&](const TrainModelReport& report, double seconds) {
    for (const auto& set : report.sets) session.remark(set_in_words(set));
    if (report.train.left_out > 0)
      session.remark(
          counted(report.train.left_out, "row") +
          " in no batch of the first epoch: batches of no_duplicates and group_by_label cannot take all "
          "rows each time (docs/training.md)");
    const auto& learn = o.train.learn;
    session.remark(
        "training " + report.model + ": " + counted(learn.n_epochs, "epoch") + " in batches of " +
        std::to_string(learn.batch_size) + ", learning rate " +
        text_of(FieldValue(report.train.learning_rate)) +
        (report.resumed_from > 0 ? "; it goes on from step " + with_commas(report.resumed_from) : "") +
        "; it will take about " + duration(seconds));
  };
  const TrainModelReport report =
      cross ? train_cross_model(o, session.run(), notices) : train_model(o, session.run(), notices);
  session.progress().finish();
  auto json = to_json(report);
  json["train_seconds"] = report.train.seconds;
  json["seconds_total"] = session.progress().seconds();
  session.answer(json, in_words(report, session.progress()));
}

}  // namespace

void add_train(CLI::App& app, Session& session) {
  auto options = std::make_shared<TrainModelOptions>();
  auto cross = std::make_shared<bool>(false);
  TrainModelOptions& o = *options;
  auto* verb = app.add_subcommand("train", "Train a model on pairs, triplets or labels");
  verb->footer(
      "DATA are tables. Columns are found by their names:\n"
      "  sentence1, sentence2, score    how alike two texts are, 0 to 1   loss cosine\n"
      "  sentence1, sentence2, label    1: they belong together, 0: not   loss contrastive\n"
      "  anchor, positive               they belong together              loss mnrl\n"
      "  anchor, positive, negative...  and these do not                  loss mnrl, or triplet\n"
      "  text, label                                                      loss batch_hard_soft\n"
      "  text, with --teacher MODEL     its vectors are to be learnt      loss mse\n"
      "DIR becomes a sentence-transformers folder of MODEL's kind, a transformer or a static model: for "
      "--model of\n"
      "every verb, and for Python. The same data, options and seed give the same bytes. Killed or stopped "
      "by\n"
      "Ctrl-C, the same command goes on where it was. A collapse of the space stops it and takes back what "
      "led\n"
      "there.\n\n"
      "With --cross DIR becomes a cross-encoder (see 'shoal score --help'), which reads two texts as one "
      "input.\n"
      "It learns from two texts and a label or score (loss bce, mse, or ce of named labels), or from "
      "anchor,\n"
      "positive and negatives.\n\n"
      "Examples:\n"
      "  shoal train pairs.csv --out tuned\n"
      "  shoal train labelled-pairs.csv --cross --dev dev.csv --dev-task rerank --out reranker\n"
      "  shoal train stsb.csv --score-range 0,5 --dev stsb_dev.csv --epochs 4 --batch-size 16 --out tuned\n"
      "  shoal train triplets.csv --loss triplet --margin 0.5 --dev dev.csv --general sts.csv --merge 0.5 "
      "--out "
      "tuned");
  verb->add_option_function<std::vector<std::string>>(
          "data", [&o](const std::vector<std::string>& all) { o.inputs.assign(all.begin(), all.end()); },
          "CSV, TSV, JSONL or Parquet, a set each")
      ->required()
      ->type_name("DATA");
  verb->add_option_function<std::string>(
          "--out", [&o](const std::string& path) { o.out = path; }, "The folder to make")
      ->required()
      ->type_name("DIR");
  verb->add_flag("--overwrite", o.overwrite, "Replace a folder that this command has made");
  verb->add_flag("--cross", *cross, "Train a cross-encoder: a new last layer on MODEL, or on with one");
  o.model = kDefaultModel;
  verb->add_option("--model", o.model,
                   "What to begin with, a transformer or a static model, default all-MiniLM-L6-v2")
      ->type_name("NAME|DIR");
  verb->add_option("--loss", o.losses,
                   "What is made small, one for all tables or one each; sentence-transformers' names too. "
                   "docs/training.md lists them")
      ->delimiter(',')
      ->take_all()
      ->allow_extra_args(false)
      ->type_name("LOSS,...");
  verb->add_option("--columns", o.columns, "Columns of texts, in their order. Default: found")
      ->delimiter(',')
      ->take_all()
      ->allow_extra_args(false)
      ->type_name("COLUMN,...");
  verb->add_option("--target", o.target, "Column of scores or labels. Default: found")->type_name("COLUMN");
  verb->add_option("--teacher", o.teacher, "Model to learn from, for mse, margin_mse and distill_kl")
      ->type_name("NAME|DIR");
  verb->add_option_function<std::string>(
          "--dev", [&o](const std::string& path) { o.dev = path; },
          "Held-out rows, as 'shoal evaluate' takes them: the best model on them is kept")
      ->type_name("FILE");
  verb->add_option_function<std::string>(
          "--general", [&o](const std::string& path) { o.general = path; },
          "Rows of another kind, tried before and after: is anything forgotten?")
      ->type_name("FILE");
  add_options(*verb, session, option_refs(o));
  add_options(*verb, session, option_refs(o.train), {}, "Training");
  OptionRefs loss;
  for (OptionRef& ref : option_refs(o.loss))
    if (ref.name != "loss") loss.push_back(ref);
  add_options(*verb, session, loss, {}, "Loss");
  add_options(*verb, session, option_refs(o.read), {}, "Reading");
  add_shared(*verb, session);
  session.goes_on = nullptr;
  verb->callback([options, cross, verb, &session] {
    session.goes_on = [options] { return std::filesystem::exists(training_place(options->out)); };
    run_train(*options, *cross, *verb, session);
  });
}

}  // namespace shoal::cli
