#pragma once

#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "shoal/store/archive/archive.h"

namespace shoal {

/// The tensors of a state dict that torch.save wrote (pytorch_model.bin): a zip archive whose data.pkl, a
/// pickle, says which tensor lies where in the others. The pickle is read as data: nothing in it is run, and
/// what is no part of a state dict of tensors is refused by its name. Tensors stay mapped; those whose
/// numbers do not stand side by side in order are copied, all together at most 64 MiB or four times the
/// file's bytes; the pickle may take 128 times its bytes of memory. Error(format) naming the file and what
/// does not fit; Error(unsupported) for the format of before torch 1.6, for TorchScript, big endian and
/// classes or types that are not known.
ArchiveReader open_torch_file(const std::filesystem::path& path);

/// The same of bytes in memory, which `owner` keeps; `name` stands for the path in messages.
ArchiveReader read_torch_file(std::span<const std::byte> bytes, const std::filesystem::path& name,
                              std::shared_ptr<const void> owner);

}  // namespace shoal
