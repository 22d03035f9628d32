#include "shoal/core/error.h"
#include "shoal/flow/texts/models.h"
#include "verbs/verbs.h"

namespace shoal::cli {
namespace {

nlohmann::ordered_json to_json(const ModelEntry& model) {
  if (!model.problem.empty())
    return {{"name", model.name}, {"path", model.folder.string()}, {"problem", model.problem}};
  return {{"name", model.name},
          {"path", model.folder.string()},
          {"dims", model.dims},
          {"max_tokens", model.max_tokens},
          {"id", model.id}};
}

std::string to_text(const ModelEntry& model) {
  if (!model.problem.empty()) return model.name + "  cannot be used: " + model.problem + "\n";
  return model.name + "  " + std::to_string(model.dims) + " dimensions, " + std::to_string(model.max_tokens) +
         " tokens  " + model.folder.string() + "\n";
}

void run_list(const Session& session) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  std::string text;
  for (const ModelEntry& model : list_models(models_folder())) {
    list.push_back(to_json(model));
    text += to_text(model);
  }
  session.answer(
      {{"folder", models_folder().string()}, {"models", list}},
      text.empty() ? "no models in " + models_folder().string() + "; add one with 'shoal model add FOLDER'\n"
                   : text);
}

}  // namespace

void add_model(CLI::App& app, Session& session) {
  auto* verb = app.add_subcommand("model", "The models that shoal knows by name");
  verb->footer(
      "Models stand in $SHOAL_MODELS, by default ~/.local/share/shoal/models. Nothing is ever fetched: a "
      "model is a\n"
      "sentence-transformers folder that you have. Supported: BERT, RoBERTa and XLM-R, DistilBERT, MPNet.");
  verb->require_subcommand(1);

  auto* list = verb->add_subcommand("list", "Names, sizes and folders");
  add_shared(*list, session);
  list->callback([&session] { run_list(session); });

  auto source = std::make_shared<std::string>(), name = std::make_shared<std::string>();
  auto* add_verb = verb->add_subcommand("add", "Check a model's folder and copy it to where the names are");
  add_verb->add_option("folder", *source, "A sentence-transformers folder")->required()->type_name("DIR");
  add_verb->add_option("--name", *name, "Its name. Default: the folder's")->type_name("NAME");
  add_shared(*add_verb, session);
  add_verb->callback([source, name, &session] {
    const ModelEntry model = shoal::add_model(*source, *name, models_folder());
    session.answer(to_json(model), to_text(model));
  });

  auto wanted = std::make_shared<std::string>(kDefaultModel);
  auto* path = verb->add_subcommand("path", "The folder of a model");
  path->add_option("name", *wanted, "Name of a model")->type_name("NAME")->capture_default_str();
  add_shared(*path, session);
  path->callback([wanted, &session] {
    const auto folder = find_model(*wanted, models_folder());
    session.answer({{"name", *wanted}, {"path", folder.string()}}, folder.string() + "\n");
  });
}

}  // namespace shoal::cli
