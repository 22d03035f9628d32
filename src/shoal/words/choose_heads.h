#pragma once

#include <vector>

#include "shoal/core/fields.h"
#include "shoal/core/random.h"
#include "shoal/core/run.h"
#include "shoal/words/contexts.h"

namespace shoal {

struct HeadChoiceOptions {
  Index most_heads = 5;
  Index most_layers = 2;
  Index held_out = 10000;
  Seed seed{42};
};

/// A step of the choice: what was added, and how well what is held out is predicted with it.
struct ChannelChosen {
  LayerHead channel;
  double score = 0;
};

/// What was chosen, and what each would be alone.
struct ChannelChoice {
  double uniform = 0;                 ///< the score if all contexts count alike
  std::vector<ChannelChosen> alone;   ///< each channel, in their order
  std::vector<ChannelChosen> chosen;  ///< one after another
};

struct HeadChoice {
  ChannelChoice heads, layers;
};

/// Chooses heads (of what described words give and get) and layers (of what other words give) by how well
/// they predict words of descriptions that were held out: the closed form (100 dimensions, all contexts
/// alike) of the other descriptions gives vectors; of a description that is held out the weighted mean of
/// the contexts is held against the target and 50 other words, drawn by frequency^0.75. Score: mean log of
/// the target's share, cosines by 0.1; higher is better. Channels are added one by one, each time the best,
/// as long as it grows. No labels, no word similarity. Contexts of at least two words count. The same for
/// any number of threads. Step "heads".
HeadChoice choose_heads(const AttentionRows& rows, const HeadChoiceOptions& options, const Run& run);

}  // namespace shoal
