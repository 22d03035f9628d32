#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <initializer_list>
#include <map>
#include <string>
#include <string_view>

#include "session.h"
#include "shoal/core/error.h"
#include "shoal/core/fields.h"

namespace shoal::cli {

/// A flag for each option: its name, help, values, range and default come from `fields`. `renamed` has the
/// flags that are not called --NAME. An option that is true or false becomes a flag that turns its default
/// round. Wrong values are told as the library tells them.
void add_options(CLI::App& verb, Session& session, const OptionRefs& options,
                 const std::map<std::string, std::string>& renamed = {},
                 const std::string& group = "Options");
/// Those of that name.
OptionRefs only(const OptionRefs& options, std::initializer_list<std::string_view> names);

/// For a flag that is no option of a struct: the same words about a value that does not pass.
CLI::Validator allowed(const std::string& flag, const std::string& words,
                       const std::function<bool(const std::string&)>& passes);

/// "Hits wanted (1 or more)"
std::string help_of(const OptionRef& option);
/// n_iter -> --n-iter
std::string flag_of(std::string_view option);
/// The message with options as flags of the verb that `app` has parsed.
std::string in_flags(const Error& error, const CLI::App& app, const Session& session);

}  // namespace shoal::cli
