#pragma once

#include "shoal/cluster/som/som.h"

namespace shoal {

/// Where the units of a map lie, in steps of the grid.
class SomGrid {
 public:
  explicit SomGrid(const SomOptions& o) : rows_(o.grid_rows), cols_(o.grid_cols), topology_(o.topology) {}

  Index rows() const { return rows_; }
  Index cols() const { return cols_; }
  Index units() const { return rows_ * cols_; }
  double square(Index a, Index b) const;  ///< squared distance of two units
  bool adjacent(Index a, Index b) const;  ///< next to each other, and not the same

 private:
  double down(Index unit) const;
  double across(Index unit) const;

  Index rows_, cols_;
  SomTopology topology_;
};

}  // namespace shoal
