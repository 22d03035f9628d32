#include "shoal/flow/scoring/train_cross_model.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "shoal/core/error.h"
#include "shoal/encode/model_place.h"
#include "shoal/encode/weights.h"
#include "shoal/flow/evaluation/evaluate.h"
#include "shoal/flow/scoring/cross_rows.h"
#include "shoal/flow/texts/models.h"
#include "shoal/flow/training/training_job.h"
#include "shoal/measure/bootstrap.h"
#include "shoal/train/cross_trainer.h"
#include "shoal/train/save_model.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

constexpr const char* kFiles[] = {"config.json",
                                  "tokenizer.json",
                                  "tokenizer_config.json",
                                  "vocab.txt",
                                  "special_tokens_map.json",
                                  "added_tokens.json",
                                  "vocab.json",
                                  "merges.txt",
                                  "sentencepiece.bpe.model",
                                  "modules.json",
                                  "config_sentence_transformers.json",
                                  "sentence_bert_config.json",
                                  "model.safetensors",
                                  kTrainingReport,
                                  kTrainingLog,
                                  kTrainingPage};

/// What a model is tried on: a task of pairs, or pairs with one of several labels.
struct Trial {
  std::optional<EvaluationTask> task;
  std::optional<CrossRows> labelled;
};

class TrainCrossRun {
 public:
  TrainCrossRun(const TrainModelOptions& options, const Run& run, const TrainNotices& notices)
      : o_(options), run_(run), notices_(notices) {}

  TrainModelReport finish() {
    check_training(o_);
    require(o_.teacher.empty(), Fault::argument,
            option_name("teacher") +
                " is of sentence encoders; scores of another model are a column of "
                "scores ('shoal score' makes it), learnt by mse");
    require(o_.merge == 0, Fault::argument, option_name("merge") + " is of sentence encoders");
    given_ = find_model(o_.model, o_.models_folder);
    is_cross_ = is_cross_folder(given_);
    const ModelFolder folder =
        is_cross_ ? read_cross_folder(given_).model : new_cross_folder(given_, 1).model;
    report_.model = model_name(folder.folder);
    std::optional<CrossNetwork> model;
    TrainingJob job;
    job.model = folder.folder;
    job.model_files = files_of(folder);
    job.fields = training_fields(o_, false);
    job.fields.push_back({"cross", true});
    job.out_names.assign(std::begin(kFiles), std::end(kFiles));
    job.read = [&] {
      read_sets();
      model = load();
      dev_ = read_trial(o_.dev, o_.dev_task);
      general_ = read_trial(o_.general, o_.general_task);
    };
    job.train = [&](TrainingLog& log, const Checkpoint& checkpoint) { train(*model, log, checkpoint); };
    job.save = [&](const fs::path& out) { model->save(out); };
    run_training(job, o_, report_, run_);
    return std::move(report_);
  }

 private:
  static std::vector<fs::path> files_of(const ModelFolder& folder) {
    std::vector<fs::path> files;
    const auto add = [&](const fs::path& file) {
      if (fs::is_regular_file(file) && std::ranges::find(files, file) == files.end()) files.push_back(file);
    };
    // The root has files of its own where the transformer lies in 0_Transformer.
    for (const fs::path& from : {folder.folder, folder.transformer_folder})
      for (const std::string_view name : kFiles)
        if (!name.starts_with("training.") && name != "model.safetensors") add(from / name);
    if (!folder.sentence_config.empty()) add(folder.sentence_config);
    const Weights weights(folder.transformer_folder);
    files.insert(files.end(), weights.files().begin(), weights.files().end());
    return files;
  }

  ReadCrossOptions reading(const fs::path& file, std::optional<CrossLoss> loss) const {
    ReadCrossOptions out;
    out.file = file;
    out.columns = o_.columns;
    out.target = o_.target;
    out.loss = loss;
    out.read = o_.read;
    // Names of labels are those of the first table, or of the model.
    if (is_cross_ && !sets_named_ && read_cross_folder(given_).labels.size() > 1)
      out.labels = read_cross_folder(given_).labels;
    else
      out.labels = labels_;
    return out;
  }

  void read_sets() {
    for (Index i = 0; i < o_.inputs.size(); ++i) {
      std::optional<CrossLoss> loss;
      if (!o_.losses.empty()) loss = cross_loss_named(o_.losses[o_.losses.size() == 1 ? 0 : i]);
      ReadCrossOptions how = reading(o_.inputs[i], loss);
      how.score_range = o_.score_range;
      CrossRows rows = read_cross_rows(how, run_);
      if (i > 0 && (rows.set.loss == CrossLoss::ce) == labels_.empty())
        throw Error(Fault::argument, rows.set.name + " has another kind of labels than " +
                                         sets_.front().name + ": a model has one label, or several");
      if (i == 0) labels_ = rows.labels, sets_named_ = true;
      report_.sets.push_back({.file = rows.set.name,
                              .loss = name_of(rows.set.loss),
                              .columns = rows.columns,
                              .target = rows.target,
                              .unused = {},
                              .rows = rows.set.rows(),
                              .blank = rows.blank,
                              .first_blank = rows.first_blank});
      sets_.push_back(std::move(rows.set));
    }
    const bool scored = std::ranges::any_of(
        report_.sets, [](const TrainModelReport::Set& set) { return !set.target.empty(); });
    require(o_.score_range.empty() || scored, Fault::argument,
            option_name("score_range") + " is of pairs with a score, and " + sets_.front().name +
                " has anchors, positives and negatives");
  }

  CrossNetwork load() const {
    if (is_cross_) return CrossNetwork::load(given_);
    CrossNetwork out =
        CrossNetwork::create(given_, std::max<Index>(1, labels_.size()), o_.train.seed.child(7));
    if (!labels_.empty()) out.name_labels(labels_);
    // What learnt numbers as they are gives them as they are: a sigmoid would make 1 of all that are large.
    if (std::ranges::all_of(sets_, [](const CrossTrainingSet& set) { return set.loss == CrossLoss::mse; }))
      out.set_activation(ScoreActivation::identity);
    return out;
  }

  Trial read_trial(const fs::path& file, std::optional<TaskKind> kind) const {
    if (file.empty()) return {};
    ReadCrossOptions read = reading(file, {});
    read.read.limit.reset();
    if (!labels_.empty()) {
      require(!kind, Fault::argument,
              "a model of several labels is tried on labels; " + option_name("dev_task") + " and " +
                  option_name("general_task") + " are of models of one");
      return {.task = {}, .labelled = read_cross_rows(read, run_)};
    }
    ReadTaskOptions task;
    task.file = file;
    task.read = read.read;
    // Of scores and labels as they stand: what is tried reads no score_range.
    const bool asked = !o_.columns.empty() || !o_.target.empty();
    if (kind == TaskKind::triplet) {
      task.columns = o_.columns;
    } else if (!kind || asked) {
      const CrossRows rows = read_cross_rows(read, run_);
      task.task = rows.target.empty() ? TaskKind::triplet : rows.yes_or_no ? TaskKind::pairs : TaskKind::sts;
      task.columns = rows.columns;
      if (!rows.target.empty()) task.columns.push_back(rows.target);
      if (rows.target.empty()) task.columns.resize(3);
    }
    if (kind) task.task = *kind;
    return {.task = read_evaluation(task, run_), .labelled = {}};
  }

  /// Scores as CrossEncoder gives them.
  static std::vector<float> scores(const CrossNetwork& model, const Texts& firsts, const Texts& seconds,
                                   const Run& run) {
    const Matrix logits = model.logits(model.tokenize(firsts, seconds, run), run);
    std::vector<float> out;
    for (Index i = 0; i < logits.rows(); ++i) {
      const auto z = static_cast<double>(logits[i][0]);
      out.push_back(static_cast<float>(model.folder().activation == ScoreActivation::sigmoid
                                           ? 1 / (1 + std::exp(-z))
                                       : model.folder().activation == ScoreActivation::tanh ? std::tanh(z)
                                                                                            : z));
    }
    return out;
  }

  /// The value of the main metric, and its name into `metric`.
  Measured try_on(const Trial& trial, const CrossNetwork& model, Index resamples, std::string& metric,
                  const Run& run) const {
    const Run quiet = run.quiet();
    if (trial.task) {
      EvaluateOptions how;
      how.resamples = resamples;
      const Evaluation found = evaluate_pairs(
          *trial.task,
          [&](const Texts& firsts, const Texts& seconds) { return scores(model, firsts, seconds, quiet); },
          quiet, how);
      metric = found.main;
      return found.value;
    }
    metric = "accuracy";
    const CrossTrainingSet& set = trial.labelled->set;
    const Matrix logits = model.logits(model.tokenize(set.firsts, set.seconds, quiet), quiet);
    std::vector<double> right;
    for (Index i = 0; i < logits.rows(); ++i)
      right.push_back(std::ranges::max_element(logits[i]) - logits[i].begin() ==
                      static_cast<std::ptrdiff_t>(set.targets[i][0]));
    const Measurable accuracy{{right.size()}, [right](DrawCounts times) {
                                double sum = 0, all = 0;
                                for (Index i = 0; i < right.size(); ++i)
                                  sum += times[i] * right[i], all += times[i];
                                return all > 0 ? sum / all : 0;
                              }};
    return measured(resample(accuracy, resamples, Seed{42}.child(2), quiet, "evaluate"));
  }

  TrainedState state(const std::string& name, const CrossNetwork& model, const Run& run) {
    constexpr Index kResamples = 1000;
    TrainedState out{.name = name, .health = {}, .dev = {}, .general = {}};
    if (!o_.dev.empty()) out.dev = try_on(dev_, model, kResamples, report_.dev_metric, run);
    if (!o_.general.empty()) out.general = try_on(general_, model, kResamples, report_.general_metric, run);
    return out;
  }

  void train(CrossNetwork& model, TrainingLog& log, const Checkpoint& checkpoint) {
    const Run whole{.threads = run_.threads, .stop = {}, .progress = {}, .pool = run_.pool};
    CrossTrainHooks hooks;
    std::string metric;
    if (!o_.dev.empty())
      hooks.score = [&](const CrossNetwork& now) { return try_on(dev_, now, 0, metric, whole).value; };
    hooks.log = [&](const LearnStep& step) { log.add(step); };
    hooks.begun_anew = [&] { tell_begun_anew(o_, notices_); };
    hooks.begins = [&](const TrainReport& so_far, Index step, double seconds) {
      report_.train.learning_rate = so_far.learning_rate;
      report_.resumed_from = step;
      log.resume(step);
      if (notices_.begins) notices_.begins(report_, seconds);
    };
    report_.states.push_back(state("before", model, run_));
    report_.train = train_cross(model, sets_, o_.train, hooks, run_, checkpoint);
    report_.states.push_back(state("after", model, run_));
  }

  const TrainModelOptions& o_;
  const Run& run_;
  const TrainNotices& notices_;
  fs::path given_;
  bool is_cross_ = false, sets_named_ = false;
  std::vector<std::string> labels_;
  std::vector<CrossTrainingSet> sets_;
  Trial dev_, general_;
  TrainModelReport report_;
};

}  // namespace

TrainModelReport train_cross_model(const TrainModelOptions& options, const Run& run,
                                   const TrainNotices& notices) {
  return TrainCrossRun(options, run, notices).finish();
}

}  // namespace shoal
