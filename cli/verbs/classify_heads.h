#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <string>

#include "session.h"
#include "shoal/flow/classes/predict_head.h"

namespace shoal::cli {

/// 'classify fit' and 'classify evaluate'.
void add_fit(CLI::App& classify, Session& session);
void add_evaluate_head(CLI::App& classify, Session& session);
/// The folder of a head or of a model that gives labels, which may be named as in 'shoal model list'; empty
/// if it is neither.
std::filesystem::path head_place(const std::string& given);
/// Of 'classify predict' for a head: --vectors, --model and how texts are read.
void add_head_reading(CLI::App& verb, Session& session, TextsAndVectorsOptions& options);
/// Error(argument) if one of them was given: `folder` is of clusters.
void refuse_head_reading(CLI::App& verb, const std::string& folder);
/// Labels new rows by a head, and answers.
void run_predict_head(PredictHeadOptions options, CLI::App& verb, Session& session);

}  // namespace shoal::cli
