#include "verbs/flags.h"

#include <algorithm>

namespace shoal::cli {
namespace {

const char* value_name(OptionKind kind) {
  switch (kind) {
    case OptionKind::whole:
    case OptionKind::seed:
      return "N";
    case OptionKind::number:
      return "X";
    case OptionKind::name:
      return "NAME";
    default:
      return "TEXT";
  }
}

std::string in_flags(const Error& error, const CLI::App* verb, const Session& session) {
  return error.text([&](std::string_view option) {
    const auto known = session.flags.find({verb, std::string(option)});
    return known == session.flags.end() ? flag_of(option) : known->second;
  });
}

}  // namespace

std::string help_of(const OptionRef& option) {
  std::string out = option.help;
  out.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(out.front())));
  const bool whole = option.kind == OptionKind::whole, number = option.kind == OptionKind::number;
  if (option.kind != OptionKind::name && !whole && !number) return out;
  const std::string allowed = option.allowed_in_words();
  if (allowed == "any number" || (whole && allowed == "0 or more")) return out;
  const bool none = option.kind == OptionKind::name && option.optional && option.get().index() != 0;
  return out + " (" + allowed + (none ? ", or none" : "") + ")";
}

std::string flag_of(std::string_view option) {
  std::string name(option);
  std::ranges::replace(name, '_', '-');
  return "--" + name;
}

void add_options(CLI::App& verb, Session& session, const OptionRefs& options,
                 const std::map<std::string, std::string>& renamed, const std::string& group) {
  for (const OptionRef& option : options) {
    const auto other = renamed.find(option.name);
    const std::string flag = other == renamed.end() ? flag_of(option.name) : other->second;
    session.flags[{&verb, option.name}] = flag;
    if (option.kind == OptionKind::boolean) {
      const bool now = std::get<bool>(option.get());
      const std::string help = now ? "Do not " + std::string(option.help) : help_of(option);
      verb.add_flag_function(
              // Below 0: --flag=false, which takes back what a collection was made with.
              flag, [option, now](std::int64_t count) { option.set(count > 0 ? !now : now); }, help)
          ->group(group);
      continue;
    }
    const auto take = [option, &verb, &session](const std::string& text) {
      try {
        option.set_text(text);
      } catch (const Error& e) {
        throw CLI::ValidationError(in_flags(e, &verb, session));
      }
    };
    CLI::Option* added = verb.add_option_function<std::string>(flag, take, help_of(option));
    added->type_name(value_name(option.kind))->group(group);
    if (option.get().index() != 0 && !option.text().empty()) added->default_str(option.text());
  }
}

OptionRefs only(const OptionRefs& options, std::initializer_list<std::string_view> names) {
  OptionRefs out;
  for (const OptionRef& option : options)
    if (std::ranges::find(names, option.name) != names.end()) out.push_back(option);
  return out;
}

CLI::Validator allowed(const std::string& flag, const std::string& words,
                       const std::function<bool(const std::string&)>& passes) {
  const auto check = [=](const std::string& given) -> std::string {
    // A ValidationError would get the flag put before it.
    if (!passes(given)) throw CLI::ConversionError(flag + " is '" + given + "'; allowed: " + words);
    return {};
  };
  return CLI::Validator(check, "");
}

std::string in_flags(const Error& error, const CLI::App& app, const Session& session) {
  const CLI::App* verb = &app;
  while (!verb->get_subcommands().empty()) verb = verb->get_subcommands().front();
  return in_flags(error, verb, session);
}

}  // namespace shoal::cli
