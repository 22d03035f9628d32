#include <unistd.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <new>
#include <sstream>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

#include "bus_error.h"
#include "session.h"
#include "shoal/core/error.h"
#include "shoal/kernels/kernels.h"
#include "shoal/tokenize/tokenizer.h"
#include "verbs/flags.h"
#include "verbs/verbs.h"

namespace {

using shoal::Fault;

constexpr int kBug = 1;  // the exit status where shoal itself is wrong

int fail(shoal::cli::Session& session, int status, const std::string& message) {
  session.progress().finish();
  if (session.json) {
    const nlohmann::ordered_json object{{"error", message}, {"status", status}};
    const std::string text = object.dump(2, ' ', false, nlohmann::json::error_handler_t::replace);
    std::printf("%s\n", shoal::cli::shown(text).c_str());
  }
  std::fprintf(stderr, "shoal: %s\n", shoal::cli::shown(message).c_str());
  return status;
}

int fail(shoal::cli::Session& session, Fault fault, const std::string& message) {
  return fail(session, static_cast<int>(fault), message);
}

bool as_json = false;

/// Says so without asking for memory.
int out_of_memory() {
  constexpr int kStatus = static_cast<int>(Fault::file);
  if (as_json) std::printf("{\n  \"error\": \"out of memory\",\n  \"status\": %d\n}\n", kStatus);
  std::fputs("shoal: out of memory\n", stderr);
  return kStatus;
}

int interrupted(shoal::cli::Session& session) {
  const bool goes_on = session.goes_on && session.goes_on();
  return fail(session, Fault::cancelled,
              goes_on ? "interrupted; the same command goes on from here" : "interrupted");
}

/// "shoal model add", as far as the command line names a verb; and where another should follow, what stands
/// there instead and what could.
struct Named {
  std::string verb, next;
};
Named named(const CLI::App& app) {
  Named out{app.get_name(), ""};
  const CLI::App* at = &app;
  for (; !at->get_subcommands().empty(); out.verb += " " + at->get_name()) at = at->get_subcommands().front();
  for (const CLI::App* verb : at->get_subcommands({}))
    out.next += (out.next.empty() ? "; there are: " : ", ") + verb->get_name();
  if (const auto rest = at->remaining(); !out.next.empty() && !rest.empty())
    out.next = ", and '" + rest.front() + "' is none" + out.next;
  return out;
}

/// What to say where the name of a file was taken for an option.
std::string dash_hint(const std::string& verb, const std::vector<std::string>& arguments) {
  for (const std::string& argument : arguments) {
    if (argument == "--") break;
    if (argument.size() > 1 && argument.front() == '-' && std::filesystem::exists(argument))
      return "; a file whose name begins with - goes after --: " + verb + " -- " + argument;
  }
  return {};
}

/// Prints what --help or --version asks for.
int print_asked(const shoal::cli::Session& session, const CLI::App& app, const CLI::ParseError& e) try {
  std::ostringstream out;
  const int status = app.exit(e, out, out);
  session.print(out.str());
  return status;
} catch (const shoal::Error& fault) {
  std::fprintf(stderr, "shoal: %s\n", fault.what());
  return static_cast<int>(fault.fault);
}

int run(int argc, char** argv) {
  CLI::App app{"shoal: from a pile of texts to a map that you can see, search and group", "shoal"};
  app.set_version_flag("--version", std::string("shoal " SHOAL_VERSION));
  app.require_subcommand(1);
  app.footer(
      "'shoal VERB --help' explains a verb. Exit status: 0 done, 2 a wrong option, 3 unusable data,\n"
      "4 a file that cannot be read or written, 5 a file that is damaged or not of the kind it should be,\n"
      "6 something that shoal does not do, 130 interrupted by Ctrl-C or SIGTERM; 1 is an error in shoal\n"
      "itself.");
  shoal::cli::Session session;
  session.json = as_json;
#define SHOAL_ADD(name) shoal::cli::add_##name(app, session);
  SHOAL_VERBS(SHOAL_ADD)

  try {
    shoal::kernels();  // a wrong SHOAL_LEVEL is said before anything else
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::ParseError& e) {
    const auto [verb, next] = named(app);
    const bool asked = e.get_exit_code() == 0;  // for --help or --version
    if (asked && next.find("is none") == std::string::npos) return print_asked(session, app, e);
    return fail(session, Fault::argument,
                (asked ? "A subcommand is required" : e.what()) + next +
                    dash_hint(verb, {argv + 1, argv + argc}) + " (see '" + verb + " --help')");
  } catch (const shoal::Error& e) {
    return e.fault == Fault::cancelled ? interrupted(session)
                                       : fail(session, e.fault, shoal::cli::in_flags(e, app, session));
  } catch (const std::invalid_argument&) {  // of CLI11, for --flag=what is neither true nor false
    return fail(session, Fault::argument, "an option without a value takes =true or =false, nothing else");
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::filesystem::filesystem_error& e) {
    return fail(session, Fault::file, e.path1().string() + ": " + e.code().message());
  } catch (const std::system_error& e) {  // as where no thread can be started
    return fail(session, Fault::file, std::string("the system refuses: ") + e.what());
  } catch (const std::exception& e) {
    return fail(session, kBug, std::string("an error in shoal, please report it: ") + e.what());
  }
}

}  // namespace

int main(int argc, char** argv) try {
  // Before a run listens; afterwards the signal is blocked.
  std::signal(SIGTERM, [](int) { _exit(static_cast<int>(Fault::cancelled)); });
  shoal::cli::explain_bus_errors();
  std::signal(SIGXFSZ, SIG_IGN);  // a file over the limit is then an error like a full disk, not a death
  // Known before the options are parsed, so that a wrong one before it is told as JSON too.
  as_json = std::any_of(argv, argv + argc, [](std::string_view a) { return a == "--json"; });
  shoal::on_tokenizer_memory_refused(
      [] { std::_Exit((out_of_memory(), std::fflush(nullptr), static_cast<int>(Fault::file))); });
  return run(argc, argv);
} catch (const std::bad_alloc&) {
  return out_of_memory();
}
