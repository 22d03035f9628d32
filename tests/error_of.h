#pragma once

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "shoal/core/error.h"

namespace shoal {

/// For tests: the Error that `f` throws. The test fails if it throws none, or something else.
template <class F>
Error error_of(F&& f) {
  try {
    f();
    ADD_FAILURE() << "nothing was thrown";
  } catch (const Error& e) {
    return e;
  } catch (const std::exception& e) {
    ADD_FAILURE() << "threw something that is not an Error: " << e.what();
  }
  return Error(Fault::cancelled, "");
}

/// Of what kind it is.
template <class F>
Fault fault_of(F&& f) {
  return error_of(f).fault;
}

/// `f` throws an Error of this kind whose message holds `part`.
template <class F>
void expect_error(Fault fault, std::string_view part, F&& f) {
  const Error e = error_of(f);
  EXPECT_EQ(e.fault, fault) << e.what();
  EXPECT_NE(std::string_view(e.what()).find(part), std::string_view::npos) << e.what() << "\nlacks " << part;
}

}  // namespace shoal
