#include "shoal/train/table.h"

#include <string>

#include "shoal/core/chunks.h"
#include "shoal/kernels/kernels.h"
#include "shoal/store/archive/archive.h"

namespace shoal {

TrainableTable TrainableTable::load(const std::filesystem::path& folder, Parameters& parameters,
                                    const Run& run) {
  std::string id;
  TrainableTable out(TokenVectors::load(folder, run, id));
  out.place_ = parameters.add(out.vectors_.table_name(), out.vectors_.table());
  parameters.make_table(out.place_);
  return out;
}

Matrix TrainableTable::forward(std::span<const std::uint32_t> ids, std::span<const Index> starts,
                               const Parameters& parameters, const Run& run) const {
  const Matrix& table = parameters[place_].value;
  Matrix out(starts.size() - 1, table.cols());
  for_chunks(run.quiet(), out.rows(), 64, [&](Index, Index first, Index last) {
    for (Index i = first; i < last; ++i) {
      const Index count = starts[i + 1] - starts[i];
      for (const std::uint32_t id : ids.subspan(starts[i], count))
        kernels().axpy(vectors_.scale_of(id), table[vectors_.row_of(id)].data(), out[i].data(), table.cols());
      for (float& x : out[i])
        if (count > 0) x /= static_cast<float>(count);
    }
  });
  return out;
}

void TrainableTable::backward(std::span<const std::uint32_t> ids, std::span<const Index> starts,
                              MatrixView slope, Parameters& parameters) const {
  if (!parameters[place_].learns) return;
  for (Index i = 0; i < slope.rows; ++i) {
    const Index count = starts[i + 1] - starts[i];
    for (const std::uint32_t id : ids.subspan(starts[i], count)) {
      const Index row = vectors_.row_of(id);
      parameters.use_row(place_, row);
      kernels().axpy(vectors_.scale_of(id) / static_cast<float>(count), slope[i].data(),
                     parameters[place_].gradient[row].data(), slope.cols);
    }
  }
}

void TrainableTable::save(const std::filesystem::path& to, const Parameters& parameters) const {
  ArchiveWriter out("static");
  out.meta("format", "pt");
  const Matrix& table = parameters[place_].value;
  out.lend(vectors_.table_name(), table.view(), {table.rows(), table.cols()});
  const std::vector<std::int64_t> mapping(vectors_.mapping().begin(), vectors_.mapping().end());
  if (!mapping.empty()) out.add("mapping", std::span(mapping));
  if (!vectors_.scales().empty()) out.add("weights", vectors_.scales());
  out.write(to / "model.safetensors");
}

}  // namespace shoal
