#include <algorithm>

#include "shoal/core/error.h"
#include "shoal/encode/encoder_impl.h"

namespace shoal {
std::string prompt_of(const ModelFolder& model, const EncodeOptions& options) {
  const auto& name = options.prompt ? options.prompt : model.default_prompt;
  if (!name) return {};
  const auto found = model.prompts.find(*name);
  if (found != model.prompts.end()) return found->second;
  std::string known;
  for (const auto& item : model.prompts) known += (known.empty() ? "" : ", ") + item.first;
  throw Error(Fault::argument, option_name("prompt") + " is " + *name + "; the model " +
                                   (known.empty() ? "has no prompts" : "has the prompts " + known));
}

namespace {

Index limit_of(const ModelFolder& model, const EncodeOptions& options) {
  if (!options.max_tokens) return model.limit;
  check_options(options);
  if (*options.max_tokens > model.limit)
    throw Error(Fault::argument, option_name("max_tokens") + " is " + std::to_string(*options.max_tokens) +
                                     "; allowed for this model: 1.." + std::to_string(model.limit));
  return *options.max_tokens;
}

}  // namespace

EncodePlan make_plan(const Tokenizer& tokenizer, const ModelFolder& model, const EncodeOptions& options) {
  EncodePlan plan;
  plan.limit = limit_of(model, options);
  plan.prompt = prompt_of(model, options);
  plan.chunk = options.long_texts == LongTexts::chunk;
  Index taken = tokenizer.prefix().size() + tokenizer.suffix().size();
  if (!plan.prompt.empty()) {
    Texts prompt;
    prompt.add(plan.prompt);
    plan.prompt_ids = tokenizer.encode_plain(prompt, 0, 1).ids.size();
    // sentence-transformers tokenizes the prompt as a text and leaves off one special token behind it.
    if (!model.pooling.include_prompt)
      plan.left_out = plan.prompt_ids + taken - (tokenizer.suffix().empty() ? 0 : 1);
    taken += plan.prompt_ids;
  }
  if (taken >= plan.limit)
    throw Error(Fault::argument, "special tokens and prompt take " + std::to_string(taken) + " of " +
                                     std::to_string(plan.limit) +
                                     " tokens, so that none is left for the text; a larger " +
                                     option_name("max_tokens") + " is needed");
  if (plan.chunk) {
    plan.room = plan.limit - taken;
    plan.overlap = options.overlap;
    if (plan.overlap >= plan.room)
      throw Error(Fault::argument, option_name("overlap") + " is " + std::to_string(plan.overlap) +
                                       "; allowed: 0.." + std::to_string(plan.room - 1) + ", below the " +
                                       std::to_string(plan.room) +
                                       " tokens of a text that fit into a window");
  }
  return plan;
}

}  // namespace shoal
