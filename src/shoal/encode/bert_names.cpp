#include "shoal/encode/bert_names.h"

namespace shoal {

LayerNames layer_names(Family family) {
  switch (family) {
    case Family::distilbert:
      return {"transformer.layer.", {"attention.q_lin", "attention.k_lin", "attention.v_lin"},
              "attention.out_lin",  "sa_layer_norm",
              "ffn.lin1",           "ffn.lin2",
              "output_layer_norm"};
    case Family::mpnet:
      return {"encoder.layer.",     {"attention.attn.q", "attention.attn.k", "attention.attn.v"},
              "attention.attn.o",   "attention.LayerNorm",
              "intermediate.dense", "output.dense",
              "output.LayerNorm"};
    case Family::bert:
    case Family::roberta:
      break;
  }
  return {"encoder.layer.",         {"attention.self.query", "attention.self.key", "attention.self.value"},
          "attention.output.dense", "attention.output.LayerNorm",
          "intermediate.dense",     "output.dense",
          "output.LayerNorm"};
}

Index distance_bucket(std::ptrdiff_t distance) {
  constexpr Index kHalf = 16, kNear = 8;
  const Index half = distance > 0 ? kHalf : 0;
  const Index d = static_cast<Index>(distance > 0 ? distance : -distance);
  if (d < kNear) return half + d;
  Index step = 0;
  while (step + 1 < kNear && d * d >= (Index{128} << step)) ++step;
  return half + kNear + step;
}

}  // namespace shoal
