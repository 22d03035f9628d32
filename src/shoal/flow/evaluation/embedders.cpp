#include "shoal/flow/evaluation/embedders.h"

#include <algorithm>
#include <initializer_list>

namespace shoal {
namespace {

std::optional<std::string> first_known(const Encoder& encoder, std::initializer_list<const char*> names) {
  const auto known = encoder.prompts();
  for (const char* name : names)
    if (std::ranges::find(known, name) != known.end()) return name;
  return std::nullopt;
}

}  // namespace

Embedders embedders_of(const Encoder& encoder, const EncodeOptions& options, const RolePrompts& prompts,
                       const Run& run, EncodeCounts* counts) {
  const auto with = [&](const std::optional<std::string>& prompt) -> EmbedTexts {
    EncodeOptions how = options;
    how.prompt = prompt;
    return [&encoder, how, run, counts](const Texts& texts) {
      EncodeCounts found;
      Rows out = encoder.encode(texts, how, run, &found);
      if (counts != nullptr) counts->cut += found.cut, counts->unknown += found.unknown;
      return out;
    };
  };
  const auto role = [&](const std::optional<std::string>& given,
                        std::initializer_list<const char*> names) -> EmbedTexts {
    const auto prompt = given ? given : options.prompt ? options.prompt : first_known(encoder, names);
    if (!given && encoder.prompt_text(prompt) == encoder.prompt_text(options.prompt)) return {};
    return with(prompt);
  };
  return {with(options.prompt), role(prompts.query_prompt, {"query"}),
          role(prompts.document_prompt, {"document", "passage", "corpus"})};
}

}  // namespace shoal
