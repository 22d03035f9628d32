#!/usr/bin/env python3
"""Checks that every #include inside src/shoal opens a door that ROOMS allows, and that nothing is called utils.

A room may include itself and the rooms on its line in ROOMS. Tests may include any room at or above their own.
Where ROOMS names the sub-rooms of a room, as cluster/kmeans, each may include of its own room only the files in no
sub-room, itself and what its line names; files in no sub-room include none; tests may include any of them.
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


def room_of(parts, rooms):
    """Of a file below src/shoal: its sub-room if its room names any, else its room."""
    has_sub_rooms = any(room.startswith(parts[0] + "/") for room in rooms)
    return "/".join(parts[:2]) if has_sub_rooms and len(parts) > 2 else parts[0]


def allowed_in(room, rooms, is_test):
    outer = room.split("/")[0]
    whole = list(rooms)[: list(rooms).index(outer)] if is_test else rooms[outer]
    allowed = {outer, room} | rooms[room]
    for other in rooms:  # of other rooms, and for tests of their own too, with all sub-rooms
        if other.split("/")[0] in whole or (is_test and other.split("/")[0] == outer):
            allowed.add(other)
    return allowed


def main():
    rooms, faults, files = read_rooms(), [], 0
    source = ROOT / "src" / "shoal"
    for path in sorted(source.rglob("*")):
        if path.suffix not in {".h", ".cpp", ".inl"}:
            continue
        files += 1
        where = path.relative_to(ROOT)
        if path.parent == source:  # the one door, shoal.h: it opens all rooms
            continue
        room = room_of(path.relative_to(source).parts, rooms)
        if room not in rooms:
            faults.append(f"{where}: room {room} is not in ROOMS")
            continue
        if FORBIDDEN & set(re.split(r"[_.]", path.name)):
            faults.append(f"{where}: say what it is; {path.stem} is no name")
        allowed = allowed_in(room, rooms, path.stem.endswith("_test"))
        for number, line in enumerate(path.read_text().splitlines(), 1):
            found = re.match(r'\s*#\s*include\s+"([^"]+)"', line)
            if not found or not found.group(1).startswith("shoal/"):
                continue
            target = room_of(pathlib.PurePath(found.group(1)).parts[1:], rooms)
            if target not in allowed:
                faults.append(f"{where}:{number}: {room} may not include {target} ({found.group(1)})")
    for fault in faults:
        print(fault)
    if files == 0:
        sys.exit("no source file was found: the check checked nothing")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
