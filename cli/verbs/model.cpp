#include "shoal/core/error.h"
#include "shoal/core/fields.h"
#include "shoal/flow/texts/models.h"
#include "verbs/verbs.h"

namespace shoal::cli {
namespace {

nlohmann::ordered_json to_json(const ModelEntry& model) {
  if (!model.problem.empty())
    return {{"name", model.name}, {"path", model.folder.string()}, {"problem", model.problem}};
  nlohmann::ordered_json out{{"name", model.name}};
  if (!model.folder.empty()) out["path"] = model.folder.string();
  const bool cross = !model.labels.empty();
  out["kind"] = cross ? "cross_encoder" : name_of(model.kind);
  if (cross)
    out["labels"] = model.labels;
  else
    out["dims"] = model.dims;
  out["max_tokens"] = nullptr;
  if (model.max_tokens > 0) out["max_tokens"] = model.max_tokens;
  out["id"] = model.id;
  if (model.pool) {
    out["pool"] = name_of(*model.pool);
    out["parts"] = nlohmann::ordered_json::array();
    for (const ModelEntry& part : model.parts) {
      out["parts"].push_back(to_json(part));
      out["parts"].back()["weight"] = part.weight;
    }
  }
  return out;
}

std::string tokens_of(const ModelEntry& model) {
  return model.max_tokens > 0 ? std::to_string(model.max_tokens) + " tokens" : "texts of any length";
}

/// What it makes of texts.
std::string made_by(const ModelEntry& model) {
  if (model.labels.empty()) return std::to_string(model.dims) + " dimensions";
  return "scores pairs of texts" +
         (model.labels.size() == 1 ? std::string() : ", " + std::to_string(model.labels.size()) + " labels");
}

/// " of all-MiniLM-L6-v2 and 0.5 tfidf"
std::string parts_of(const ModelEntry& model) {
  std::string out;
  for (const ModelEntry& part : model.parts) {
    out += out.empty() ? " of " : &part == &model.parts.back() ? " and " : ", ";
    out += (part.weight == 1 ? "" : text_of(FieldValue(part.weight)) + " ") + part.name;
  }
  return out;
}

std::string in_full(const ModelEntry& model) {
  std::string out = model.name + ": " + (model.labels.empty() ? name_of(model.kind) : "cross-encoder");
  if (model.pool) out += " by " + std::string(name_of(*model.pool)) + parts_of(model);
  out += "\n" + made_by(model) + ", " + tokens_of(model) + (model.unit ? ", vectors of length 1\n" : "\n");
  if (model.labels.size() > 1) {
    out += "labels";
    for (const std::string& label : model.labels) out += " " + label;
    out += "\n";
  }
  out += "id " + model.id + "\n";
  if (!model.prompts.empty()) {
    out += "prompts";
    for (const std::string& name : model.prompts) out += " " + name;
    out += "\n";
  }
  for (const ModelEntry& part : model.parts)
    out += "part " + part.name + ": weight " + text_of(FieldValue(part.weight)) + ", " +
           std::string(name_of(part.kind)) + ", " + std::to_string(part.dims) + " dimensions, " +
           tokens_of(part) + ", id " + part.id + "\n";
  return out + model.folder.string() + "\n";
}

std::string to_text(const ModelEntry& model) {
  if (!model.problem.empty()) return model.name + "  cannot be used: " + model.problem + "\n";
  return model.name + "  " + made_by(model) + ", " + tokens_of(model) +
         (model.pool ? ", ensemble" + parts_of(model) : "") + "  " + model.folder.string() + "\n";
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
      "sentence-transformers folder that you have, or what 'shoal train', 'shoal distil' or 'shoal ensemble\n"
      "fit' makes. Supported: BERT, RoBERTa and XLM-R, DistilBERT, MPNet, static models (StaticEmbedding,\n"
      "Model2Vec), and cross-encoders, which 'shoal score' and 'shoal negatives --judge' take.");
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

  auto shown_one = std::make_shared<std::string>(kDefaultModel);
  auto* show =
      verb->add_subcommand("show", "What a model is: kind, sizes, prompts, and parts of an ensemble");
  show->add_option("name", *shown_one, "Name or folder of a model")
      ->type_name("NAME|DIR")
      ->capture_default_str();
  add_shared(*show, session);
  show->callback([shown_one, &session] {
    const ModelEntry model = show_model(*shown_one, models_folder());
    nlohmann::ordered_json out = to_json(model);
    if (model.labels.empty()) out["unit"] = model.unit;
    out["prompts"] = model.prompts;
    session.answer(out, in_full(model));
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
