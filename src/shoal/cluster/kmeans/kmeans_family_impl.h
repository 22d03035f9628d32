#pragma once

#include <span>
#include <string>
#include <string_view>

#include "shoal/cluster/kmeans/kmeans_options.h"
#include "shoal/cluster/kmeans/lloyd_impl.h"
#include "shoal/core/error.h"
#include "shoal/core/labels.h"
#include "shoal/core/rows.h"
#include "shoal/store/archive/archive.h"

// What k-means, spherical k-means, mini-batches and the von Mises-Fisher mixture do alike.
namespace shoal {

/// Error(data) if there are fewer rows than clusters.
void check_rows(const Rows& x, Index n_clusters);
/// Error(argument) unless empty, or one finite number >= 0 a row, not all of them 0.
void check_weights(std::span<const float> weights, Index rows);
/// Error(argument) unless the start is n_clusters x cols.
void check_start(const Matrix& start, Index n_clusters, Index cols);

/// The best of options.n_init runs of Lloyd's rounds.
template <Metric by>
LloydResult best_of_starts(const MetricRows& rows, const LloydKMeansOptions<by>& options,
                           std::span<const float> weights, const Run& run);

/// Fault::format, with the file's name before `what`.
Error bad_file(const ArchiveReader& in, const std::string& what);
/// n_clusters x d, finite, under cosine of length 1; else Error(format).
Matrix read_centers(const ArchiveReader& in, std::string_view name, Index n_clusters, Metric metric);
Labels read_labels(const ArchiveReader& in, Index n_clusters);
std::vector<double> read_doubles(const ArchiveReader& in, std::string_view name, Index count);
Index read_count(const ArchiveReader& in, std::string_view name);
void write_count(ArchiveWriter& out, std::string_view name, Index count);
void write_frame(ArchiveWriter& out, const ShiftScale& frame);
ShiftScale read_frame(const ArchiveReader& in, Index cols);
/// Centers of the frame in the rows' units.
Matrix out_of(const ShiftScale& frame, const Matrix& centers);

}  // namespace shoal
