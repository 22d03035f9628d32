#pragma once

#include <gtest/gtest.h>

#include "shoal/core/error.h"

namespace shoal {

/// For tests: the Error that `f` throws. The test fails if it throws none.
template <class F>
Error error_of(F&& f) {
  try {
    f();
  } catch (const Error& e) {
    return e;
  }
  ADD_FAILURE() << "nothing was thrown";
  return Error(Fault::cancelled, "");
}

/// Of what kind it is.
template <class F>
Fault fault_of(F&& f) {
  return error_of(f).fault;
}

}  // namespace shoal
