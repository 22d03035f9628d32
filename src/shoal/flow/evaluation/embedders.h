#pragma once

#include <optional>
#include <string>

#include "shoal/core/fields.h"
#include "shoal/core/run.h"
#include "shoal/encode/encoder.h"
#include "shoal/flow/embed_texts.h"

namespace shoal {

/// How texts become vectors: as they are, as queries, as passages. `query` and `document` may be empty: then
/// they are as `plain`.
struct Embedders {
  EmbedTexts plain, query, document;
};

/// Prompts of queries and passages.
struct RolePrompts {
  std::optional<std::string> query_prompt, document_prompt;
};
template <class V>
void fields(RolePrompts& o, V&& visit) {
  visit("query_prompt", o.query_prompt,
        "name of the model's prompt for queries and anchors. Default: query, if the model has it");
  visit("document_prompt", o.document_prompt,
        "the same for passages. Default: document, passage or corpus, whichever the model has first");
}

/// A model's functions, as sentence-transformers' encode, encode_query and encode_document. A prompt in
/// `options` is that of all three unless `prompts` says other. Where a prompt changes nothing, the function
/// is empty. They refer to `encoder`; `counts`, if given, adds up what becomes of texts. Error(argument) if
/// the model has no prompt of a name that is given.
Embedders embedders_of(const Encoder& encoder, const EncodeOptions& options, const RolePrompts& prompts,
                       const Run& run, EncodeCounts* counts = nullptr);

}  // namespace shoal
