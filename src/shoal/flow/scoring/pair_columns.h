#pragma once

#include "shoal/flow/tables/whole_table.h"

namespace shoal {

/// What the two columns of a table of pairs may be called.
inline const WantedColumn kFirstText{"the first text",
                                     {"query", "sentence1", "sentence_1", "sentence_a", "text_a", "text1",
                                      "text_1", "question1", "question_1", "question", "anchor", "premise"}};
inline const WantedColumn kSecondText{
    "the second text",
    {"passage", "sentence2", "sentence_2", "sentence_b", "text_b", "text2", "text_2", "question2",
     "question_2", "document", "answer", "positive", "hypothesis", "text"}};

/// Names of a first text whose second one is of the same kind: neither is a query.
inline const std::vector<std::string> kLikeTexts{"sentence1", "sentence_1", "sentence_a", "text_a", "text1",
                                                 "text_1",    "question1",  "question_1", "premise"};
inline bool is_one_of_like_texts(const std::string& name) {
  WholeTable table;
  table.names = {name};
  return column_named(table, kLikeTexts).has_value();
}

}  // namespace shoal
