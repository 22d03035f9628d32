#pragma once

#include <functional>
#include <string>
#include <vector>

#include "shoal/core/run.h"
#include "shoal/core/texts.h"
#include "shoal/encode/encoder.h"

namespace shoal {

/// How well a model's tokenizer knows a language.
struct LanguageFit {
  std::string code;      ///< ISO 639-1
  double share = 0;      ///< of the texts that are in it
  double letters = 0;    ///< letters and marks that a token stands for, on average
  double reference = 0;  ///< the same of the language that the tokenizer knows best, English if it is that
  double unknown = 0;    ///< share of the tokens that stand for something unknown
  bool known = true;     ///< the vocabulary was made for it, among others
};

/// The languages of the texts, at most 1,000 of them spread evenly, that are those of a twentieth of them or
/// more; most frequent first. A language is not known if more than a twentieth of its tokens are unknown, or
/// its tokens are short: fewer than 0.72 of the reference's letters (Chinese, Japanese and Korean: fewer than
/// 1.05 letters). Measured on sib200: of MiniLM's languages English alone passes, of a multilingual model's
/// vocabulary all fifteen (docs/languages.md). Models with tokens of bytes are judged in the same way.
/// Of an ensemble the first part with a tokenizer is judged; nothing is said of a model without any.
std::vector<LanguageFit> model_fit(const Encoder& encoder, const Texts& texts, const Run& run);

/// Hears, before the work, what the user should know of it.
using Notice = std::function<void(const std::string&)>;

/// What there is to say of languages that the model does not know and that a tenth of the texts are in, one
/// line each. Empty: all is well.
std::vector<std::string> poor_fit(const std::vector<LanguageFit>& fit, const std::string& model);

}  // namespace shoal
