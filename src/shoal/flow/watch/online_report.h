#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "shoal/flow/texts/texts_and_vectors.h"
#include "shoal/watch/online.h"

namespace shoal {

struct OnlineReportOptions {
  std::filesystem::path reference;  ///< rows of when all was as it should be
  std::filesystem::path stream;     ///< the rows to watch, in their order; "-": texts from standard input
  std::filesystem::path stream_vectors;  ///< as read.vectors, of the stream
  OnlineOptions how;
  TextsAndVectorsOptions read;  ///< of the reference, and of the stream but for its vectors
};

/// A row at which the stream was called changed.
struct OnlineAlarm {
  Index row = 0;  ///< of the stream, from 1
  double statistic = 0;
  std::string text;
};

struct OnlineReport {
  Index reference_rows = 0, rows = 0, scores = 0;
  double threshold = 0;
  std::vector<OnlineAlarm> alarms;  ///< after each the watch begins anew
  std::vector<double> statistic;    ///< after each row
  bool assumed_space = false;
};

/// Watches a stream against a reference (OnlineDrift). Standard input is taken text by text as it comes;
/// `heard` is told of each alarm at once. Errors as read_texts_and_vectors and OnlineDrift. Step "watch", in
/// rows.
OnlineReport watch_stream(const OnlineReportOptions& options, const Run& run, const Notice& notice,
                          const std::function<void(const OnlineAlarm&)>& heard);

/// The statistic by row.
std::string online_svg(const OnlineReport& report, OnlineMethod method);

}  // namespace shoal
