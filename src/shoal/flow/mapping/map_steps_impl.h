#pragma once

#include <vector>

#include "shoal/encode/encoder.h"
#include "shoal/flow/mapping/make_map.h"
#include "shoal/flow/names/own_names.h"
#include "shoal/flow/steps/step.h"

namespace shoal {

/// What the steps of `map` work on.
struct MapJob {
  const MapOptions& options;
  const Run& run;
  const Encoder& encoder;
  Collection& collection;
  std::optional<Index> laid_out = {};  ///< different rows, where equal ones share a point
  KeptNames names = {};                ///< where clusters were named anew
  bool worth_keeping = false;          ///< the texts are in it, the options fit them, and they can be mapped
};

/// The steps of `map`, in order. job: what they work on; without it they can only be asked what they need and
/// make.
/// neutral: whether the map is to be neutral to something.
std::vector<Step> map_steps(MapJob* job, bool neutral);

/// The title of the page, as asked for or by the collection's name.
std::string page_title(const MapOptions& options);

}  // namespace shoal
