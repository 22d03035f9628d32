#include "shoal/learn/parameters.h"

#include <algorithm>
#include <cmath>

#include "shoal/core/error.h"
#include "shoal/store/archive/archive.h"

namespace shoal {
namespace {

std::string full_name(std::string_view prefix, const std::string& name) {
  return std::string(prefix) + " " + name;
}

std::span<float> numbers(Matrix& x) { return {x.data(), x.rows() * x.cols()}; }
std::span<const float> numbers(const Matrix& x) { return {x.data(), x.rows() * x.cols()}; }

}  // namespace

Index Parameters::add(std::string name, Matrix start, bool decays) {
  require(std::ranges::find(list_, name, &Parameter::name) == list_.end(), Fault::argument,
          "there is a parameter " + name + " already");
  Matrix gradient(start.rows(), start.cols());
  list_.push_back({std::move(name), std::move(start), std::move(gradient), decays});
  return list_.size() - 1;
}

void Parameters::clear_gradients() {
  for (Parameter& p : list_) std::ranges::fill(numbers(p.gradient), 0.0F);
}

double Parameters::gradient_norm() const {
  double total = 0;
  for (const Parameter& p : list_)
    for (const float g : numbers(p.gradient)) total += static_cast<double>(g) * static_cast<double>(g);
  return std::sqrt(total);
}

void Parameters::scale_gradients(float factor) {
  for (Parameter& p : list_)
    for (float& g : numbers(p.gradient)) g *= factor;
}

void Parameters::save(ArchiveWriter& out, std::string_view prefix) const {
  for (const Parameter& p : list_) out.add(full_name(prefix, p.name), p.value);
}

void Parameters::load(const ArchiveReader& in, std::string_view prefix) {
  for (Parameter& p : list_) p.value = in.matrix(full_name(prefix, p.name), p.value.rows(), p.value.cols());
}

void Parameters::take(const Parameters& other) {
  require(other.size() == size(), Fault::argument, "these are not the same parameters");
  for (Index i = 0; i < size(); ++i) {
    const Parameter& from = other.list_[i];
    require(from.name == list_[i].name && from.value.rows() == list_[i].value.rows() &&
                from.value.cols() == list_[i].value.cols(),
            Fault::argument, "these are not the same parameters: " + from.name + " and " + list_[i].name);
    list_[i].value = from.value;
  }
}

}  // namespace shoal
