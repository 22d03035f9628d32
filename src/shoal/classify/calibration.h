#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "shoal/core/matrix.h"

namespace shoal {

class ArchiveWriter;
class ArchiveReader;

/// How logits become probabilities that come true as often as they say.
enum class CalibrationKind : std::uint8_t {
  none,         ///< as the regression gives them
  temperature,  ///< logits divided by one number (Guo et al., ICML 2017)
  isotonic,     ///< of each label a rising curve from what the regression gives to what came true
};
constexpr auto names_of(CalibrationKind) { return std::array{"none", "temperature", "isotonic"}; }

/// Whether a row has one label or any number of them.
enum class HeadTask : std::uint8_t { multiclass, multilabel };
constexpr auto names_of(HeadTask) { return std::array{"multiclass", "multilabel"}; }

/// A rising curve through points, straight between them, flat outside.
struct Isotonic {
  std::vector<double> x, y;  ///< x ascending

  /// The rising curve with the least squared distance to the points, by pooling neighbours that fall. `y`
  /// values of equal `x` count as their mean.
  static Isotonic fit(std::span<const double> x, std::span<const double> y);
  double operator()(double at) const;
};

/// Which labels are true of each row, as one byte a row and label.
struct Truth {
  Index labels = 0;
  std::vector<std::uint8_t> of;  ///< rows x labels

  Index rows() const { return labels == 0 ? 0 : of.size() / labels; }
  const std::uint8_t* operator[](Index row) const { return of.data() + row * labels; }
};

/// From logits to probabilities.
class Calibration {
 public:
  Calibration() = default;
  /// Learns from logits of rows that the logits were not fitted on. multiclass: rows with one true label.
  /// Isotonic curves of labels that are never true there are the identity. Without rows it is none.
  static Calibration fit(CalibrationKind kind, HeadTask task, const Matrix& logits, const Truth& truth);
  /// In: logits of one row; out: their probabilities; multiclass: they sum to 1.
  void apply(std::span<float> logits) const;
  CalibrationKind kind() const { return kind_; }
  double temperature() const { return temperature_; }  ///< 1 unless of that kind
  /// For labels that were added: nothing is known of them.
  void grow(Index labels);

  void save(ArchiveWriter& out) const;
  static Calibration load(const ArchiveReader& in, Index labels);

 private:
  CalibrationKind kind_ = CalibrationKind::none;
  HeadTask task_ = HeadTask::multiclass;
  double temperature_ = 1;
  std::vector<Isotonic> curves_;  // of each label; empty: the identity
};

/// Mean -log of the probability of what is true, logits divided by `temperature`: over rows, of multilabel
/// over labels too. Infinite logits of labels that are not true cost nothing.
double log_loss(HeadTask task, const Matrix& logits, const Truth& truth, double temperature);
/// The same of each row, of multilabel the mean over labels.
std::vector<double> row_losses(HeadTask task, const Matrix& logits, const Truth& truth, double temperature);
/// The temperature of 0.05..20 with the smallest log_loss, to three digits; of few rows it is drawn to 1.
double best_temperature(HeadTask task, const Matrix& logits, const Truth& truth);

/// How often what was said with some confidence came true.
struct ReliabilityBin {
  double confidence = 0, accuracy = 0;  ///< means
  Index count = 0;
};
struct Reliability {
  std::vector<ReliabilityBin> bins;  ///< of equal width over 0..1; those without values too
  double error = 0;                  ///< expected calibration error: mean |confidence - accuracy|, by counts
};
/// confidence: 0..1; right: 0 or 1; as many.
Reliability reliability(std::span<const double> confidence, std::span<const std::uint8_t> right,
                        Index n_bins = 15);

}  // namespace shoal
