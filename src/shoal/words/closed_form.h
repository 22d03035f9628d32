#pragma once

#include "shoal/core/fields.h"
#include "shoal/core/matrix.h"
#include "shoal/core/random.h"
#include "shoal/core/run.h"
#include "shoal/linear/truncated_svd.h"
#include "shoal/words/contexts.h"

namespace shoal {

struct ClosedFormOptions {
  Index svd_dims = 200;
  double shift = 0;
  double svd_power = 1;
};
template <class V>
void fields(ClosedFormOptions& o, V&& visit) {
  visit("svd_dims", o.svd_dims, "dimensions of the closed form: singular vectors kept", at_least(1));
  visit("shift", o.shift, "taken off the pointwise mutual information", at_least(0));
  visit("svd_power", o.svd_power, "power of the singular values by which their vectors are weighed",
        between(0, 2));
}

/// What words have to do with each other: of the sums A of the weights of all contexts, A + A^T without its
/// diagonal; of it the pointwise mutual information less `shift`, where that is above 0 (Levy and Goldberg
/// 2014). words x words, symmetric, columns ascending.
SparseRows positive_information(const WordContexts& contexts, double shift);

/// The vectors of words in closed form: U S^power of the truncated SVD of that matrix, rows scaled to length
/// 1, less their mean, scaled to length 1 again; rows of words without contexts are zeros. words x svd_dims,
/// or fewer columns if the rank is lower. The same for any number of threads. Error(data) if no word has a
/// context. Step "svd".
Matrix closed_form(const WordContexts& contexts, const ClosedFormOptions& options, Seed seed, const Run& run);

}  // namespace shoal
