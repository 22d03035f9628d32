#!/usr/bin/env python3
"""Writes NOTICE: tools/notice.txt, kept by hand, with the Rust crates that the program holds.

    make_notice.py CARGO            writes it
    make_notice.py CARGO --check    exit status 1 if it is stale, or if a library of cmake/thirdparty.cmake is not in it

Needs the crates' sources, which a build leaves behind; fetches nothing.
"""
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
MANIFEST = ROOT / "src/rust/Cargo.toml"
ACCEPTED = ["Apache-2.0", "MIT", "Unicode-3.0", "BSD-3-Clause", "BSD-2-Clause", "Zlib"]  # the first that a crate offers is taken
NOT_LINKED = {"Threads", "PkgConfig", "GTest"}


def crates(cargo):
    """Name, version and licence of each that is compiled in: no build scripts, no macros."""
    tree = subprocess.run([cargo, "tree", "--locked", "--offline", "--manifest-path", MANIFEST, "-e", "normal,no-proc-macro",
                           "--prefix", "none", "--no-dedupe", "--format", "{p}|{l}"], check=True, capture_output=True, text=True)
    lines = {line for line in tree.stdout.splitlines() if not line.startswith("shoal_rust ")}
    return sorted((*line.split("|")[0].split()[:2], line.split("|")[1]) for line in lines)


def holders(name, version):
    """Who has the copyright, as the crate's licence says it, or else its authors."""
    home = pathlib.Path(os.environ.get("CARGO_HOME", pathlib.Path.home() / ".cargo"))
    folder = next(home.glob(f"registry/src/*/{name}-{version}"))
    for file in sorted(folder.glob("LICEN[CS]E*")):
        found = re.search(r"^\W*(Copyright .*\d{4}.*)$", file.read_text(encoding="utf-8"), re.MULTILINE)
        if found:
            return found.group(1).strip()
    authors = re.search(r"^authors = \[(.*?)\]", (folder / "Cargo.toml").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    names = re.findall(r'"(.*?)"', authors.group(1)) if authors else []
    return "Copyright " + ", ".join(names or [f"the authors of {name}"])


def line(name, version, licence):
    parts = [[a for a in ACCEPTED if a in re.split(r"[ /]", part.strip("()"))] for part in licence.split(" AND ")]
    if not all(parts):
        sys.exit(f"make_notice: {name} is under '{licence}', which is none of {ACCEPTED}")
    taken = " AND ".join(part[0] for part in parts)
    offered = licence if licence == taken else f"{licence.replace('/', ' OR ')}, used under {taken}"
    holder = "" if taken == "Apache-2.0" else ". " + holders(name, version.lstrip("v"))
    return f"{f'{name} {version.lstrip(chr(118))}':<38}{offered}{holder}"


def main():
    text = (ROOT / "tools/notice.txt").read_text(encoding="utf-8")
    packages = re.findall(r"^(?:find_package|find_path)\((\w+)", (ROOT / "cmake/thirdparty.cmake").read_text(), re.MULTILINE)
    packages += re.findall(r"^pkg_check_modules\((\w+)", (ROOT / "cmake/thirdparty.cmake").read_text(), re.MULTILINE)
    missing = [p for p in packages if p not in NOT_LINKED and f"({p})" not in text]
    if missing:
        sys.exit(f"make_notice: tools/notice.txt says nothing of {', '.join(missing)}")
    notice = text.replace("@CRATES@", "\n".join(line(*crate) for crate in crates(sys.argv[1])))
    if sys.argv[2:] != ["--check"]:
        (ROOT / "NOTICE").write_text(notice, encoding="utf-8")
    elif (ROOT / "NOTICE").read_text(encoding="utf-8") != notice:
        sys.exit("make_notice: NOTICE is stale; write it anew by tools/make_notice.py \"$(tools/cargo)\"")


if __name__ == "__main__":
    main()
