#pragma once

#include <string>
#include <vector>

namespace shoal {

/// How much the rows of each label count: `given` is "NAME=WEIGHT,NAME=WEIGHT", or a table with the columns
/// label and weight (for names that hold a comma). Labels that are not named count 1. Empty: empty. Error
/// (argument) naming the part for a label that is not among `names`, or twice there, or a weight that is no
/// number above 0; errors of Source.
std::vector<double> read_label_weights(const std::string& given, const std::vector<std::string>& names);

}  // namespace shoal
