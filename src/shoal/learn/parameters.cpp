#include "shoal/learn/parameters.h"

#include <algorithm>
#include <cmath>

#include "shoal/core/chunks.h"
#include "shoal/core/error.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace {

std::string full_name(std::string_view prefix, const std::string& name) {
  return std::string(prefix) + " " + name;
}

/// Works on the rows of all gradients that may differ from 0, in parts of about this many numbers.
constexpr Index kPart = 1 << 16;

Index grain_of(const Matrix& x) { return std::max<Index>(1, kPart / std::max<Index>(x.cols(), 1)); }

bool in_use(const Parameter& p, Index row) { return p.table.empty() || p.table[row] == TableRow::now; }

}  // namespace

Index Parameters::add(std::string name, Matrix start, bool decays) {
  require(std::ranges::find(list_, name, &Parameter::name) == list_.end(), Fault::argument,
          "there is a parameter " + name + " already");
  Matrix gradient(start.rows(), start.cols());
  list_.push_back({std::move(name), std::move(start), std::move(gradient), decays, true, {}});
  return list_.size() - 1;
}

Index Parameters::freeze(const std::function<bool(const std::string& name)>& which) {
  Index count = 0;
  for (Parameter& p : list_) {
    if (!which(p.name)) continue;
    p.learns = false;
    p.gradient = Matrix();
    ++count;
  }
  return count;
}

void Parameters::clear_gradients(const Run& run) {
  for (Parameter& p : list_)
    for_chunks(run.quiet(), p.gradient.rows(), grain_of(p.gradient), [&](Index, Index first, Index last) {
      for (Index i = first; i < last; ++i) {
        if (!in_use(p, i)) continue;
        std::ranges::fill(p.gradient[i], 0.0F);
        if (!p.table.empty()) p.table[i] = TableRow::before;
      }
    });
}

double Parameters::gradient_norm(const Run& run) const {
  double total = 0;
  for (const Parameter& p : list_)
    total += fold_chunks(
        run.quiet(), p.gradient.rows(), grain_of(p.gradient), 0.0,
        [&](Index first, Index last) {
          double sum = 0;
          for (Index i = first; i < last; ++i)
            if (in_use(p, i))
              for (const float g : p.gradient[i]) sum += static_cast<double>(g) * static_cast<double>(g);
          return sum;
        },
        [](double& sum, double more) { sum += more; });
  return std::sqrt(total);
}

void Parameters::scale_gradients(float factor, const Run& run) {
  for (Parameter& p : list_)
    for_chunks(run.quiet(), p.gradient.rows(), grain_of(p.gradient), [&](Index, Index first, Index last) {
      for (Index i = first; i < last; ++i)
        if (in_use(p, i))
          for (float& g : p.gradient[i]) g *= factor;
    });
}

ParameterValues Parameters::values() const {
  ParameterValues out;
  for (const Parameter& p : list_) out.push_back(p.learns ? p.value : Matrix());
  return out;
}

void Parameters::take(const ParameterValues& values) {
  require(values.size() == size(), Fault::argument, "these are not the values of these parameters");
  for (Index i = 0; i < size(); ++i) {
    Parameter& p = list_[i];
    if (!p.learns) continue;
    require(values[i].rows() == p.value.rows() && values[i].cols() == p.value.cols(), Fault::argument,
            "these are not the values of the parameter " + p.name);
    p.value = values[i];
  }
}

void Parameters::save(ArchiveWriter& out, std::string_view prefix) const {
  for (const Parameter& p : list_)
    if (p.learns) out.lend(full_name(prefix, p.name), p.value.view(), {p.value.rows(), p.value.cols()});
}

void Parameters::load(const ArchiveReader& in, std::string_view prefix) {
  for (Parameter& p : list_)
    if (p.learns) p.value = in.matrix(full_name(prefix, p.name), p.value.rows(), p.value.cols());
}

}  // namespace shoal
