#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "shoal/adapt/personalise.h"
#include "shoal/flow/texts/texts_and_vectors.h"

namespace shoal {

/// What `personalise` may be told.
struct MakeProfileOptions {
  std::filesystem::path input;     ///< what is searched: a collection, a file of texts, or vectors
  std::filesystem::path feedback;  ///< read_feedback
  std::filesystem::path out;       ///< the profile: one .safetensors
  std::filesystem::path plot;      ///< the learning curve as SVG; empty: none
  bool overwrite = false;
  TextsAndVectorsOptions read;
  ProfileOptions how;
};

struct MakeProfileReport {
  PersonaliseReport guard;
  Strength top;                   ///< of the profile, as the guard has left it
  std::vector<CurvePoint> curve;  ///< of pairs, if a plot is wanted
  std::string shape;              ///< of the feedback
  Index corpus = 0, table_rows = 0, drawn = 0, moved = 0, folders = 0;
  std::uintmax_t bytes = 0;  ///< of the profile
  bool assumed_space = false;
};

/// Learns a profile from a table of feedback and writes it, whole or not at all. Error(argument) if `out`
/// exists and is not to be overwritten, or lies in the collection.
MakeProfileReport make_profile(const MakeProfileOptions& options, const Run& run, const Notice& notice = {});

/// A learning curve as SVG: a panel for each way and for seen and unseen clusters.
std::string curve_svg(const std::vector<CurvePoint>& curve);

/// Reads profiles; Error(format) unless they are of `space`.
std::vector<Profile> load_profiles(const std::vector<std::filesystem::path>& files);

}  // namespace shoal
