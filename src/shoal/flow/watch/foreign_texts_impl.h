#pragma once

#include "shoal/core/texts.h"

namespace shoal {

/// English sentences about many unlike things, written for this: planted among texts they show how surely a
/// score finds what does not belong.
Texts foreign_texts();

}  // namespace shoal
