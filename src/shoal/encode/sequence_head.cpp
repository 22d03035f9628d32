#include "shoal/encode/sequence_head.h"

#include <algorithm>
#include <utility>

#include "shoal/core/error.h"
#include "shoal/encode/json_fields_impl.h"
#include "shoal/encode/model_place.h"
#include "shoal/encode/weights.h"

namespace shoal {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr Index kMostLabels = Index{1} << 20;
constexpr const char* kSuffix = "ForSequenceClassification";

/// The class that saved the model; empty if config.json names none.
std::string architecture_of(const JsonFields& config) {
  const json* list = config.find("architectures");
  if (!list || !list->is_array() || list->empty() || !list->front().is_string()) return {};
  return list->front().get<std::string>();
}

JsonFields classifier_config(const fs::path& folder) {
  JsonFields config = JsonFields::read(folder / "config.json");
  if (!architecture_of(config).ends_with(kSuffix))
    config.fail("architectures", "a model that gives labels is one ..." + std::string(kSuffix));
  return config;
}

/// As many as the weights have rows: id2label, or num_labels, or two.
std::vector<std::string> labels_of(const JsonFields& config) {
  const json* names = config.find("id2label");
  std::vector<std::string> out;
  const Index count =
      names && names->is_object() ? names->size() : config.integer("num_labels", 1, kMostLabels, 2);
  for (Index c = 0; c < count; ++c) {
    if (!names) {
      out.push_back("LABEL_" + std::to_string(c));
      continue;
    }
    const auto found = names->find(std::to_string(c));
    if (!names->is_object() || found == names->end() || !found->is_string())
      config.fail("id2label", "it must name the labels 0 to " + std::to_string(count - 1));
    out.push_back(found->get<std::string>());
  }
  if (out.empty()) config.fail("id2label", "it must name a label");
  auto sorted = out;
  std::ranges::sort(sorted);
  if (std::ranges::adjacent_find(sorted) != sorted.end())
    config.fail("id2label", "two labels have one name, " + *std::ranges::adjacent_find(sorted));
  return out;
}

}  // namespace

HeadNames head_names(Family family) {
  switch (family) {
    case Family::bert:
      return {"bert.pooler.dense", "classifier", Activation::tanh};
    case Family::distilbert:
      return {"pre_classifier", "classifier", Activation::relu};
    case Family::roberta:
    case Family::mpnet:
      break;
  }
  return {"classifier.dense", "classifier.out_proj", Activation::tanh};
}

bool is_classifier_folder(const fs::path& given) {
  if (!fs::is_directory(given)) return false;
  const fs::path folder = model_place(given);
  if (fs::exists(folder / "modules.json") || !fs::exists(folder / "config.json")) return false;
  return architecture_of(JsonFields::read(folder / "config.json")).ends_with(kSuffix);
}

HeadStep feature_step(const fs::path& folder, const BertConfig& transformer) {
  const HeadNames names = head_names(transformer.family);
  classifier_config(folder);
  return {.kind = StepKind::dense,
          .inputs = transformer.hidden,
          .outputs = transformer.hidden,
          .bias = true,
          .activation = names.activation,
          .folder = folder,
          .tensor = names.dense};
}

SequenceHead read_sequence_head(const fs::path& given, HeadUse use) {
  const fs::path folder = model_place(given);
  const BertConfig transformer = read_transformer_config(folder / "config.json");
  const JsonFields config = classifier_config(folder);
  SequenceHead out;
  out.labels = labels_of(config);
  const std::string type = config.text("problem_type", "");
  if (type == "regression" && use == HeadUse::labels)
    config.refuse("problem_type", "shoal gives labels, not numbers");
  if (!type.empty() && type != "single_label_classification" && type != "multi_label_classification" &&
      type != "regression")
    config.fail("problem_type",
                "transformers knows single_label_classification, multi_label_classification "
                "and regression");
  out.several = type == "multi_label_classification" || out.labels.size() == 1;
  const Weights weights(folder);
  const std::string last = head_names(transformer.family).last;
  out.weight = weights.matrix(last + ".weight", out.labels.size(), transformer.hidden);
  out.bias = weights.vector(last + ".bias", out.labels.size());
  return out;
}

}  // namespace shoal
