#include "shoal/flow/classes/label_weights.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <filesystem>
#include <utility>

#include "shoal/core/error.h"
#include "shoal/core/fields.h"
#include "shoal/core/texts.h"
#include "shoal/read/columns.h"
#include "shoal/read/source.h"

namespace shoal {
namespace {

using NamedWeights = std::vector<std::pair<std::string, std::string>>;

NamedWeights of_text(const std::string& given) {
  NamedWeights out;
  for (std::size_t first = 0; first <= given.size();) {
    const std::size_t last = std::min(given.find(',', first), given.size());
    const std::string part = given.substr(first, last - first);
    const std::size_t equals = part.rfind('=');
    require(
        equals != std::string::npos, Fault::argument,
        option_name("class_weights") + ": '" + part + "' is not NAME=WEIGHT, and there is no file " + given);
    out.emplace_back(part.substr(0, equals), part.substr(equals + 1));
    first = last + 1;
  }
  return out;
}

NamedWeights of_table(const std::string& file) {
  ReadOptions read;
  read.text_columns = {"label"};
  Source source({file}, read);
  const auto& others = source.other_columns();
  const auto weight = std::ranges::find(others, "weight");
  require(weight != others.end(), Fault::argument,
          file + " has no column weight; there are: label, " + list_names(others));
  const auto at = static_cast<std::size_t>(weight - others.begin());
  NamedWeights out;
  Texts labels;
  std::vector<Texts> values;
  while (source.next(4096, labels, values))
    for (std::size_t i = 0; i < labels.size(); ++i) out.emplace_back(labels[i], values[at][i]);
  return out;
}

}  // namespace

std::vector<double> read_label_weights(const std::string& given, const std::vector<std::string>& names) {
  if (given.empty()) return {};
  std::error_code ignored;
  const bool file = std::filesystem::is_regular_file(given, ignored);
  std::vector<double> out(names.size(), 1.0);
  std::vector<bool> named(names.size());
  for (const auto& [name, text] : file ? of_table(given) : of_text(given)) {
    const auto found = std::ranges::find(names, name);
    require(
        found != names.end(), Fault::argument,
        option_name("class_weights") + ": there is no label '" + name + "'; there are: " + list_names(names));
    const auto c = static_cast<std::size_t>(found - names.begin());
    require(!named[c], Fault::argument, option_name("class_weights") + " names the label " + name + " twice");
    named[c] = true;
    double weight = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), weight);
    require(error == std::errc() && end == text.data() + text.size() && std::isfinite(weight) && weight > 0,
            Fault::argument,
            option_name("class_weights") + ": the weight of " + name + " is '" + text +
                "'; it must be a number above 0");
    out[c] = weight;
  }
  return out;
}

}  // namespace shoal
