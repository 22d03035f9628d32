#include "shoal/flow/training/train_model.h"

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <utility>

#include "shoal/core/error.h"
#include "shoal/encode/encoder.h"
#include "shoal/encode/model_place.h"
#include "shoal/encode/weights.h"
#include "shoal/flow/receipt.h"
#include "shoal/flow/texts/models.h"
#include "shoal/flow/training/training_report.h"
#include "shoal/store/archive/archive.h"
#include "shoal/store/files/new_folder.h"
#include "shoal/train/save_model.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCheckpoint = "checkpoint.safetensors";

/// All names at the top of the folder that is made.
struct OutFiles {
  std::vector<std::string> names;
  std::vector<const char*> list;
  explicit OutFiles(const ModelFolder& model) {
    for (const fs::path& file : files_beside_weights(model)) add(file.begin()->string());
    if (model.transformer_folder != model.folder)
      add(fs::relative(model.transformer_folder, model.folder).begin()->string());
    for (const HeadStep& step : model.head)
      if (!step.folder.empty()) add(fs::relative(step.folder, model.folder).begin()->string());
    for (const char* name : {"model.safetensors", kTrainingReport, kTrainingLog, kTrainingPage}) add(name);
    for (const std::string& name : names) list.push_back(name.c_str());
  }
  void add(const std::string& name) {
    if (std::ranges::find(names, name) == names.end()) names.push_back(name);
  }
};

/// Which task a table is for, by the loss that its columns would choose.
TaskKind task_of(const fs::path& file, const TrainModelOptions& o, const ReadOptions& read, const Run& run) {
  if (fs::is_directory(file)) return TaskKind::retrieval;
  ReadTrainingOptions as_it_is;
  as_it_is.file = file;
  as_it_is.columns = o.columns;
  as_it_is.target = o.target;
  as_it_is.any_score = true;
  as_it_is.read = read;
  const TrainingTable table = read_training_table(as_it_is, run);
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

class TrainRun {
 public:
  TrainRun(const TrainModelOptions& options, const Run& run, const TrainNotices& notices)
      : o_(options), run_(run), notices_(notices) {}

  TrainModelReport finish() {
    check();
    report_.out = o_.out;
    const fs::path given = find_model(o_.model, o_.models_folder);
    if (static_table_folder(given))
      throw Error(Fault::unsupported,
                  o_.model + " is a static model: it has a vector for each token and no network",
                  "'shoal train' trains transformers");
    const ModelFolder folder = read_model_folder(given);
    report_.model = model_name(folder.folder);
    const OutFiles files(folder);
    const std::string key = key_of(folder);
    if (fs::exists(o_.out) && has_mark(o_.out, kTrainingMark) && has_receipt(o_.out, kTrainingReport, key)) {
      report_.done_before = true;
      clean_up_training(o_.out, files.list);
      return std::move(report_);
    }
    NewFolder out(o_.out, kTrainingMark, o_.overwrite, files.list);
    out.keep_off(folder.folder);
    for (const fs::path& input : inputs()) out.keep_off(input);
    TrainableEncoder model = TrainableEncoder::load(given, run_);
    read_sets();
    check_use();
    read_tasks();

    const fs::path place = training_place(o_.out);
    std::error_code failed;
    fs::create_directories(place, failed);
    require(!failed, Fault::file, "cannot write " + place.string() + ": " + failed.message());
    TrainingLog log(place / kTrainingLog);
    train(model, log, {.file = place / kCheckpoint, .seconds = o_.checkpoint_seconds, .made_by = key});

    model.save(out / "");
    write_training_files(out / "", report_, log, options_json(), key);
    out.keep();
    fs::remove_all(place, failed);
    return std::move(report_);
  }

 private:
  void check() const {
    check_options(o_);
    check_options(o_.train);
    check_options(o_.loss);
    require(!o_.inputs.empty(), Fault::argument, "there is nothing to train on");
    require(o_.losses.size() <= 1 || o_.losses.size() == o_.inputs.size(), Fault::argument,
            option_name("loss") + " names " + std::to_string(o_.losses.size()) + " losses for " +
                std::to_string(o_.inputs.size()) + " tables; one, or one each, is needed");
    for (const fs::path& input : o_.inputs)
      require(input != "-", Fault::argument,
              "training reads its rows more than once; give a file instead of -");
    require(!o_.dev_task || !o_.dev.empty(), Fault::argument,
            option_name("dev_task") + " goes with " + option_name("dev"));
    require(!o_.general_task || !o_.general.empty(), Fault::argument,
            option_name("general_task") + " goes with " + option_name("general"));
    for (const auto& [given, option] : {std::pair(o_.train.learn.patience, "patience"),
                                        std::pair(o_.train.learn.score_every, "score_every")})
      require(given == 0 || !o_.dev.empty(), Fault::argument,
              option_name(option) + " is about scores; " + option_name("dev") + " gives them");
    require(o_.train.mixing == Mixing{} || o_.inputs.size() > 1, Fault::argument,
            option_name("mixing") + " is of several tables");
  }

  std::vector<fs::path> inputs() const {
    std::vector<fs::path> out = o_.inputs;
    for (const fs::path& file : {o_.dev, o_.general})
      if (!file.empty()) out.push_back(file);
    return out;
  }

  std::vector<Field> all_fields() const {
    std::vector<Field> list;
    const auto add = [&](const std::vector<Field>& fields) {
      for (const Field& field : fields)
        if (field.name != "checkpoint_seconds") list.push_back(field);
    };
    add(list_fields(o_));
    add(list_fields(o_.train));
    for (const Field& field : list_fields(o_.loss))
      if (field.name != "loss") list.push_back(field);
    add(list_fields(o_.read));
    std::string losses, columns;
    for (const std::string& name : o_.losses) losses += name + ",";
    for (const std::string& name : o_.columns) columns += name + "\n";
    list.push_back({"loss", losses});
    list.push_back({"columns", columns});
    list.push_back({"target", o_.target});
    return list;
  }

  nlohmann::ordered_json options_json() const {
    nlohmann::ordered_json out;
    for (const Field& field : all_fields()) out[field.name] = text_of(field.value);
    return out;
  }

  std::string key_of(const ModelFolder& folder) const {
    std::vector<Field> list = all_fields();
    std::vector<fs::path> files;
    const TrainingInputs given = training_inputs(o_);
    files = given.files;
    list.insert(list.end(), given.roles.begin(), given.roles.end());
    for (const fs::path& file : files_beside_weights(folder)) files.push_back(folder.folder / file);
    const auto weights = [&](const fs::path& of) {
      const Weights found(of);
      files.insert(files.end(), found.files().begin(), found.files().end());
    };
    weights(folder.transformer_folder);
    for (const HeadStep& step : folder.head)
      if (!step.folder.empty()) weights(step.folder);
    if (!o_.teacher.empty()) list.push_back({"teacher", teacher().space().id});
    return result_key("train", list, files, run_);
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

  std::optional<EvaluationTask> read_task(const fs::path& file, std::optional<TaskKind> kind) const {
    if (file.empty()) return {};
    ReadTaskOptions read;
    read.file = file;
    read.read = o_.read;
    read.read.limit.reset();
    read.task = kind ? *kind : task_of(file, o_, read.read, run_);
    // A table like those that are trained on, if columns are named.
    const bool with_target = read.task == TaskKind::sts || read.task == TaskKind::pairs ||
                             read.task == TaskKind::clustering || read.task == TaskKind::classification;
    if (!o_.columns.empty() && !fs::is_directory(file)) {
      read.columns = o_.columns;
      if (with_target && !o_.target.empty()) read.columns.push_back(o_.target);
      if (with_target && o_.target.empty()) read.columns.clear();
    }
    return read_evaluation(read, run_);
  }

  void read_tasks() {
    dev_ = read_task(o_.dev, o_.dev_task);
    general_ = read_task(o_.general, o_.general_task);
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
    hooks.begun_anew = [&] {
      if (notices_.remark)
        notices_.remark("the work in " + training_place(o_.out).string() +
                        " is of other options or other data; it is begun anew");
    };
    hooks.begins = [&](Index step, double seconds) {
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

fs::path training_place(const fs::path& out) {
  const fs::path path = out.has_filename() ? out : out.parent_path();
  return path.parent_path() / ("." + path.filename().string() + ".training");
}

TrainModelReport train_model(const TrainModelOptions& options, const Run& run, const TrainNotices& notices) {
  return TrainRun(options, run, notices).finish();
}

}  // namespace shoal
