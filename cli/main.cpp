#include <CLI/CLI.hpp>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <new>

#include "session.h"
#include "shoal/core/error.h"
#include "shoal/kernels/kernels.h"
#include "verbs/verbs.h"

namespace {

using shoal::Fault;

int fail(shoal::cli::Session& session, Fault fault, const std::string& message) {
  session.progress().finish();
  if (session.json) {
    const nlohmann::ordered_json object{{"error", message}, {"status", static_cast<int>(fault)}};
    std::printf("%s\n", object.dump(2, ' ', false, nlohmann::json::error_handler_t::replace).c_str());
  }
  std::fprintf(stderr, "shoal: %s\n", message.c_str());
  return static_cast<int>(fault);
}

}  // namespace

int main(int argc, char** argv) {
  std::signal(SIGXFSZ, SIG_IGN);  // a file over the limit is then an error like a full disk, not a death
  CLI::App app{"shoal: from a pile of texts to a map that you can see, search and group", "shoal"};
  app.set_version_flag("--version", std::string("shoal " SHOAL_VERSION));
  app.require_subcommand(1);
  app.footer(
      "'shoal VERB --help' explains a verb. Exit status: 0 done, 2 a wrong option, 3 unusable data, 4 a file "
      "that\n"
      "cannot be read or written, 5 a damaged file, 6 something that shoal does not do, 130 interrupted.");
  shoal::cli::Session session;
  shoal::cli::add_map(app, session);
  shoal::cli::add_embed(app, session);
  shoal::cli::add_search(app, session);
  shoal::cli::add_inspect(app, session);
  shoal::cli::add_export(app, session);
  shoal::cli::add_model(app, session);

  try {
    if (const char* error = shoal::kernels_error()) return fail(session, Fault::unsupported, error);
    app.parse(argc, argv);
    return 0;
  } catch (const CLI::ParseError& e) {
    if (e.get_exit_code() == 0) return app.exit(e);  // --help, --version
    return fail(session, Fault::argument, std::string(e.what()) + " (see 'shoal --help')");
  } catch (const shoal::Error& e) {
    return fail(session, e.fault,
                e.fault == Fault::cancelled ? "interrupted; the same command goes on from here" : e.what());
  } catch (const std::bad_alloc&) {
    return fail(session, Fault::file, "out of memory");
  } catch (const std::filesystem::filesystem_error& e) {
    return fail(session, Fault::file, e.path1().string() + ": " + e.code().message());
  }
}
