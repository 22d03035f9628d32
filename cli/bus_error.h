#pragma once

namespace shoal::cli {

/// From now on a mapped file that another program cuts while it is read ends the process with a line that
/// names it and the status of Fault::file, not with SIGBUS.
void explain_bus_errors();

}  // namespace shoal::cli
