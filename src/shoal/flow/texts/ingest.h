#pragma once

#include "shoal/core/run.h"
#include "shoal/read/source.h"
#include "shoal/store/collection/collection.h"

namespace shoal {

/// Reads all rows of `source` into the collection, batch by batch; each batch and the fingerprint of all rows
/// up to it are committed together. If the collection holds rows already, they are read again and compared:
/// an input that begins with them goes on where they end; another is Error(argument). The manifest's `input`,
/// set by the caller when all is read, is emptied with the first new rows: the results are not of these rows.
/// Returns the fingerprint of all rows. Error(data) if no text has anything but white space. Step "read", in
/// bytes if the size is known.
std::string ingest(Source& source, Collection& collection, const Run& run);

}  // namespace shoal
