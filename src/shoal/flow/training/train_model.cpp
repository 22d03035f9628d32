#include "shoal/flow/training/train_model.h"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <utility>

#include "shoal/core/error.h"
#include "shoal/encode/cross_folder.h"
#include "shoal/encode/encoder.h"
#include "shoal/encode/model_place.h"
#include "shoal/encode/weights.h"
#include "shoal/flow/tables/whole_table.h"
#include "shoal/flow/texts/models.h"
#include "shoal/flow/training/training_job.h"
#include "shoal/train/save_model.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

/// All names at the top of the folder that is made.
std::vector<std::string> out_names(const ModelFolder& model) {
  std::vector<std::string> names;
  const auto add = [&](const fs::path& file) {
    const std::string name = file.begin()->string();
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  };
  for (const fs::path& file : files_beside_weights(model)) add(file);
  if (model.transformer_folder != model.folder) add(fs::relative(model.transformer_folder, model.folder));
  for (const HeadStep& step : model.head)
    if (!step.folder.empty()) add(fs::relative(step.folder, model.folder));
  for (const char* name : {"model.safetensors", kTrainingReport, kTrainingLog, kTrainingPage}) add(name);
  return names;
}

/// Which task a table is for, by the loss that its columns choose.
TaskKind task_of(const TrainingTable& table) {
  switch (table.set.loss.kind) {
    case LossKind::contrastive:
      return TaskKind::pairs;
    case LossKind::mnrl:
      return table.columns.size() > 2 ? TaskKind::triplet : TaskKind::retrieval;
    case LossKind::batch_hard_soft:
      return TaskKind::classification;
    default:
      return TaskKind::sts;
  }
}

/// The columns of a table that a task of this kind takes; empty: it finds its own.
std::vector<std::string> columns_for(TaskKind task, const TrainingTable& table) {
  const bool with_target = task == TaskKind::sts || task == TaskKind::pairs || task == TaskKind::clustering ||
                           task == TaskKind::classification;
  const Index texts = task == TaskKind::triplet                                          ? 3
                      : task == TaskKind::clustering || task == TaskKind::classification ? 1
                                                                                         : 2;
  if (task == TaskKind::rerank || table.columns.size() < texts || (with_target && table.target.empty()))
    return {};
  std::vector<std::string> out(table.columns.begin(),
                               table.columns.begin() + static_cast<std::ptrdiff_t>(texts));
  if (with_target) out.push_back(table.target);
  return out;
}

class TrainRun {
 public:
  TrainRun(const TrainModelOptions& options, const Run& run, const TrainNotices& notices)
      : o_(options), run_(run), notices_(notices) {}

  TrainModelReport finish() {
    check_training(o_);
    check_options(o_.loss);
    const fs::path given = find_model(o_.model, o_.models_folder);
    if (is_cross_folder(given))
      throw Error(Fault::unsupported,
                  o_.model + " is a cross-encoder or a classifier, whose last layer would not fit any more",
                  "'shoal train --cross' trains it with that layer");
    const ModelFolder folder = read_trainable_folder(given, run_);
    report_.model = model_name(folder.folder);
    std::optional<TrainableEncoder> model;
    TrainingJob job;
    job.model = folder.folder;
    job.model_files = files_of(folder);
    job.fields = training_fields(o_, true);
    if (!o_.teacher.empty()) {
      job.teacher = find_model(o_.teacher, o_.models_folder);
      job.fields.push_back({"teacher", teacher().space().id});
    }
    job.out_names = out_names(folder);
    job.read = [&] {
      model = TrainableEncoder::load(given, run_);
      read_sets();
      check_use();
      dev_ = read_task(o_.dev, o_.dev_task);
      general_ = read_task(o_.general, o_.general_task);
    };
    job.train = [&](TrainingLog& log, const Checkpoint& checkpoint) { train(*model, log, checkpoint); };
    job.save = [&](const fs::path& out) { model->save(out); };
    run_training(job, o_, report_, run_);
    return std::move(report_);
  }

 private:
  static std::vector<fs::path> files_of(const ModelFolder& folder) {
    std::vector<fs::path> files;
    for (const fs::path& file : files_beside_weights(folder)) files.push_back(folder.folder / file);
    const auto weights = [&](const fs::path& of) {
      const Weights found(of);
      files.insert(files.end(), found.files().begin(), found.files().end());
    };
    weights(folder.transformer_folder);
    for (const HeadStep& step : folder.head)
      if (!step.folder.empty()) weights(step.folder);
    return files;
  }

  Encoder teacher() const {
    if (!teacher_) teacher_ = load_model(o_.teacher, o_.models_folder, run_);
    return *teacher_;
  }

  void read_sets() {
    for (Index i = 0; i < o_.inputs.size(); ++i) {
      ReadTrainingOptions read{.file = o_.inputs[i],
                               .loss = o_.losses.empty() ? "" : o_.losses[o_.losses.size() == 1 ? 0 : i],
                               .columns = o_.columns,
                               .target = o_.target,
                               .score_range = o_.score_range,
                               .any_score = false,
                               .options = o_.loss,
                               .teacher = {},
                               .read = o_.read};
      if (!o_.teacher.empty())
        read.teacher = [this](const Texts& texts) { return teacher().encode(texts, {}, run_); };
      TrainingTable table = read_training_table(read, run_);
      report_.sets.push_back({.file = table.set.name,
                              .loss = name_of(table.set.loss.kind),
                              .columns = table.columns,
                              .target = table.target,
                              .unused = table.unused,
                              .rows = table.set.rows(),
                              .blank = table.blank,
                              .first_blank = table.first_blank});
      sets_.push_back(std::move(table.set));
    }
  }

  /// Error(argument) for an option that nothing uses.
  void check_use() const {
    const auto some = [&](auto&& uses) {
      return std::ranges::any_of(sets_, [&](const TrainingSet& set) { return uses(set.loss.kind); });
    };
    const auto unused = [](const char* option, const std::string& of) {
      throw Error(Fault::argument,
                  option_name(option) + " is of " + of + "; no table is trained on with that");
    };
    const auto is = [](std::initializer_list<LossKind> kinds) {
      return [kinds = std::vector<LossKind>(kinds)](LossKind kind) {
        return std::ranges::find(kinds, kind) != kinds.end();
      };
    };
    const auto targets = [](LossKind kind) { return needs_of(kind).targets; };
    const bool margins = some(is({LossKind::triplet, LossKind::contrastive, LossKind::online_contrastive,
                                  LossKind::batch_hard, LossKind::batch_semi_hard, LossKind::batch_all}));
    if (o_.loss.margin && !margins) unused("margin", "triplets and contrastive losses");
    if (o_.loss.distance && !margins && !some(is({LossKind::batch_hard_soft})))
      unused("distance", "triplets and contrastive losses");
    if (o_.loss.scale != LossOptions{}.scale &&
        !some(is({LossKind::mnrl, LossKind::cosent, LossKind::angle})))
      unused("scale", "the losses mnrl, cosent and angle");
    if (o_.loss.directions != LossOptions{}.directions && !some(is({LossKind::mnrl})))
      unused("directions", "the loss mnrl");
    if (o_.loss.temperature != LossOptions{}.temperature && !some(is({LossKind::distill_kl})))
      unused("temperature", "the loss distill_kl");
    const auto of_teacher = [&](LossKind kind) {
      return targets(kind) == LossTargets::teacher_vectors || targets(kind) == LossTargets::teacher_scores;
    };
    if (!o_.teacher.empty() && !some(of_teacher))
      unused("teacher", "the losses mse, margin_mse and distill_kl");
    if (!o_.score_range.empty() && !some([&](LossKind kind) { return targets(kind) == LossTargets::score; }))
      unused("score_range", "losses of scores");
  }

  /// Of the columns that are named, where the file has them; else of those that are found.
  std::optional<EvaluationTask> read_task(const fs::path& file, std::optional<TaskKind> kind) const {
    if (file.empty()) return {};
    ReadTaskOptions read;
    read.file = file;
    read.read = o_.read;
    read.read.limit.reset();
    if (fs::is_directory(file)) {
      read.task = kind.value_or(TaskKind::retrieval);
      return read_evaluation(read, run_);
    }
    const std::vector<std::string> there = read_whole_table(file, read.read, run_).names;
    const auto has = [&](const std::string& name) { return std::ranges::find(there, name) != there.end(); };
    const bool named = (!o_.columns.empty() || !o_.target.empty()) && std::ranges::all_of(o_.columns, has) &&
                       (o_.target.empty() || has(o_.target));
    if (kind) read.task = *kind;
    if (named || !kind) {
      ReadTrainingOptions as_it_is;
      as_it_is.file = file;
      as_it_is.any_score = true;
      as_it_is.read = read.read;
      if (named) as_it_is.columns = o_.columns, as_it_is.target = o_.target;
      const TrainingTable table = read_training_table(as_it_is, run_);
      if (!kind) read.task = task_of(table);
      if (named) read.columns = columns_for(read.task, table);
    }
    return read_evaluation(read, run_);
  }

  Evaluation try_on(const EvaluationTask& task, const TrainableEncoder& model, Index resamples,
                    const Run& run) const {
    EvaluateOptions how;
    how.resamples = resamples;
    return evaluate(
        task, [&](const Texts& texts) { return Rows(model.encode(texts, run)); }, run, how);
  }

  TrainedState state(const std::string& name, const TrainableEncoder& model, const Health& health,
                     const Run& run) {
    TrainedState out{.name = name, .health = health, .dev = {}, .general = {}};
    constexpr Index kResamples = 1000;
    if (dev_) {
      const Evaluation found = try_on(*dev_, model, kResamples, run);
      report_.dev_metric = found.main;
      out.dev = found.value;
    }
    if (general_) {
      const Evaluation found = try_on(*general_, model, kResamples, run);
      report_.general_metric = found.main;
      out.general = found.value;
    }
    return out;
  }

  void train(TrainableEncoder& model, TrainingLog& log, const Checkpoint& checkpoint) {
    TrainHooks hooks;
    const Run whole{.threads = run_.threads, .stop = {}, .progress = {}, .pool = run_.pool};
    if (dev_)
      hooks.score = [&](const TrainableEncoder& now) { return try_on(*dev_, now, 0, whole).value.value; };
    hooks.log = [&](const LearnStep& step) { log.add(step); };
    // The look at step 0 is made again when training goes on.
    std::optional<Health> before;
    hooks.health = [&](Index step, const Health& health) {
      if (step > 0) return log.add(step, health);
      before = health;
      report_.states.push_back(state("before", model, health, run_));
    };
    hooks.begun_anew = [&] { tell_begun_anew(o_, notices_); };
    hooks.begins = [&](const TrainReport& so_far, Index step, double seconds) {
      report_.train.left_out = so_far.left_out;
      report_.train.learning_rate = so_far.learning_rate;
      report_.resumed_from = step;
      log.resume(step);
      if (step == 0) log.add(0, *before);
      if (notices_.begins) notices_.begins(report_, seconds);
    };
    hooks.finished = [&](const std::function<Health()>& look) {
      report_.states.push_back(state("after", model, look(), run_));
      if (o_.merge <= 0) return;
      const TrainableEncoder old = TrainableEncoder::load(find_model(o_.model, o_.models_folder), run_);
      const auto share = static_cast<float>(o_.merge);
      for (Index p = 0; p < model.parameters.size(); ++p) {
        if (!model.parameters[p].learns) continue;
        Matrix& now = model.parameters[p].value;
        const Matrix& then = old.parameters[p].value;
        for (Index i = 0; i < now.rows() * now.cols(); ++i)
          now.data()[i] = share * then.data()[i] + (1 - share) * now.data()[i];
      }
      model.prepare(run_);
      report_.states.push_back(state("merged", model, look(), run_));
    };
    report_.train = train_encoder(model, sets_, o_.train, hooks, run_, checkpoint);
  }

  const TrainModelOptions& o_;
  const Run& run_;
  const TrainNotices& notices_;
  mutable std::optional<Encoder> teacher_;
  std::vector<TrainingSet> sets_;
  std::optional<EvaluationTask> dev_, general_;
  TrainModelReport report_;
};

}  // namespace

TrainModelReport train_model(const TrainModelOptions& options, const Run& run, const TrainNotices& notices) {
  return TrainRun(options, run, notices).finish();
}

}  // namespace shoal
