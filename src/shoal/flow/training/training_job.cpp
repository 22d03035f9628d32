#include "shoal/flow/training/training_job.h"

#include "shoal/core/error.h"
#include "shoal/flow/receipt.h"
#include "shoal/store/files/new_folder.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;

constexpr const char* kCheckpoint = "checkpoint.safetensors";

nlohmann::ordered_json options_json(const std::vector<Field>& fields) {
  nlohmann::ordered_json out;
  for (const Field& field : fields) out[field.name] = text_of(field.value);
  return out;
}

std::string key_of(const TrainingJob& job, const TrainModelOptions& o, const Run& run) {
  TrainingInputs given = training_inputs(o);
  std::vector<Field> list = job.fields;
  list.insert(list.end(), given.roles.begin(), given.roles.end());
  given.files.insert(given.files.end(), job.model_files.begin(), job.model_files.end());
  return result_key("train", list, given.files, run);
}

}  // namespace

fs::path training_place(const fs::path& out) {
  const fs::path path = out.has_filename() ? out : out.parent_path();
  return path.parent_path() / ("." + path.filename().string() + ".training");
}

void check_training(const TrainModelOptions& o) {
  check_options(o);
  check_options(o.train);
  require(!o.inputs.empty(), Fault::argument, "there is nothing to train on");
  require(o.losses.size() <= 1 || o.losses.size() == o.inputs.size(), Fault::argument,
          option_name("loss") + " names " + std::to_string(o.losses.size()) + " losses for " +
              std::to_string(o.inputs.size()) + " tables; one, or one each, is needed");
  for (const fs::path& input : o.inputs)
    require(input != "-", Fault::argument,
            "training reads its rows more than once; give a file instead of -");
  require(!o.dev_task || !o.dev.empty(), Fault::argument,
          option_name("dev_task") + " goes with " + option_name("dev"));
  require(!o.general_task || !o.general.empty(), Fault::argument,
          option_name("general_task") + " goes with " + option_name("general"));
  for (const auto& [given, option] :
       {std::pair(o.train.learn.patience, "patience"), std::pair(o.train.learn.score_every, "score_every")})
    require(given == 0 || !o.dev.empty(), Fault::argument,
            option_name(option) + " is about scores; " + option_name("dev") + " gives them");
  require(o.train.mixing == Mixing{} || o.inputs.size() > 1, Fault::argument,
          option_name("mixing") + " is of several tables");
}

std::vector<Field> training_fields(const TrainModelOptions& o, bool loss_options) {
  std::vector<Field> list;
  const auto add = [&](const std::vector<Field>& fields) {
    for (const Field& field : fields)
      if (field.name != "checkpoint_seconds" && field.name != "loss") list.push_back(field);
  };
  add(list_fields(o));
  add(list_fields(o.train));
  if (loss_options) add(list_fields(o.loss));
  add(list_fields(o.read));
  std::string losses, columns;
  for (const std::string& name : o.losses) losses += name + ",";
  for (const std::string& name : o.columns) columns += name + "\n";
  list.push_back({"loss", losses});
  list.push_back({"columns", columns});
  list.push_back({"target", o.target});
  return list;
}

void tell_begun_anew(const TrainModelOptions& o, const TrainNotices& notices) {
  if (notices.remark)
    notices.remark("the work in " + training_place(o.out).string() +
                   " is of other options or other data; it is begun anew");
}

void run_training(const TrainingJob& job, const TrainModelOptions& o, TrainModelReport& report,
                  const Run& run) {
  report.out = o.out;
  std::vector<const char*> names;
  for (const std::string& name : job.out_names) names.push_back(name.c_str());
  const std::string key = key_of(job, o, run);
  const fs::path place = training_place(o.out);
  if (fs::exists(o.out) && has_mark(o.out, kTrainingMark) && has_receipt(o.out, kTrainingReport, key)) {
    report.done_before = true;
    return clean_up_training(o.out, names, place / kCheckpoint, key);
  }
  NewFolder out(o.out, kTrainingMark, o.overwrite, names);
  for (const std::vector<fs::path>& needed : {o.inputs, {job.model, job.teacher, o.dev, o.general}})
    for (const fs::path& path : needed)
      if (!path.empty()) out.keep_off(path);
  job.read();

  std::error_code failed;
  fs::create_directories(place, failed);
  require(!failed, Fault::file, "cannot write " + place.string() + ": " + failed.message());
  TrainingLog log(place / kTrainingLog);
  try {
    job.train(log, {.file = place / kCheckpoint, .seconds = o.checkpoint_seconds, .made_by = key});
  } catch (...) {
    if (!fs::exists(place / kCheckpoint)) fs::remove_all(place, failed);  // nothing to go on from
    throw;
  }
  job.save(out / "");
  write_training_files(out / "", report, log, options_json(job.fields), key);
  out.keep();
  fs::remove_all(place, failed);
}

}  // namespace shoal
