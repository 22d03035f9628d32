#!/usr/bin/env python3
"""Checks that every #include inside src/shoal opens a door that ROOMS allows, and that nothing is called utils.

A room may include itself and the rooms on its line in ROOMS. Tests may include any room at or above their own.
Exit status 1 and one line a fault.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FORBIDDEN = {"util", "utils", "common", "helper", "helpers", "misc"}


def read_rooms():
    rooms = {}
    for line in (ROOT / "ROOMS").read_text().splitlines():
        line = line.split("#")[0].strip()
        if line:
            room, needs = line.split(":")
            needs = needs.split()
            for need in needs:
                if need not in rooms:
                    sys.exit(f"ROOMS: {room} names {need}, which does not stand above it")
            rooms[room] = set(needs)
    return rooms


def main():
    rooms, faults, files = read_rooms(), [], 0
    order = list(rooms)
    for path in sorted((ROOT / "src" / "shoal").rglob("*")):
        if path.suffix not in {".h", ".cpp", ".inl"}:
            continue
        files += 1
        where = path.relative_to(ROOT)
        room = path.relative_to(ROOT / "src" / "shoal").parts[0]
        if room not in rooms:
            faults.append(f"{where}: room {room} is not in ROOMS")
            continue
        if FORBIDDEN & set(re.split(r"[_.]", path.name)):
            faults.append(f"{where}: say what it is; {path.stem} is no name")
        allowed = rooms[room] | {room}
        if path.stem.endswith("_test"):
            allowed = set(order[: order.index(room) + 1])
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if not found or not found.group(1).startswith("shoal/"):
                continue
            target = found.group(1).split("/")[1]
            if target not in allowed:
                faults.append(f"{where}:{number}: {room} may not include {target} ({found.group(1)})")
    for fault in faults:
        print(fault)
    if files == 0:
        sys.exit("no source file was found: the check checked nothing")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
