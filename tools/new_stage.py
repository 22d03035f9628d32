#!/usr/bin/env python3
"""Starts a stage: copies examples/skeleton into a room under a new name.

    tools/new_stage.py ROOM NAME        for example: tools/new_stage.py reduce whiten

Makes src/shoal/ROOM/NAME.h, NAME.cpp, NAME_test.cpp with class Name, and says what is left to do.
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent


def main():
    if len(sys.argv) != 3 or not re.fullmatch(r"[a-z][a-z0-9]*(_[a-z0-9]+)*", sys.argv[2]):
        sys.exit(__doc__)
    room, name = sys.argv[1:]
    folder = ROOT / "src" / "shoal" / room
    rooms = [line.split(":")[0] for line in (ROOT / "ROOMS").read_text().splitlines() if re.match(r"[a-z]+:", line)]
    if room not in rooms:
        sys.exit(f"there is no room {room}; ROOMS names: {', '.join(rooms)}")
    type_name = "".join(part.capitalize() for part in name.split("_"))
    copies = {path: folder / path.name.replace("unit_variance", name)
              for path in sorted((ROOT / "examples" / "skeleton").iterdir()) if path.suffix in {".h", ".cpp"}}
    taken = [str(new.relative_to(ROOT)) for new in copies.values() if new.exists()]
    if taken:
        sys.exit(f"already there: {', '.join(taken)}")
    folder.mkdir(parents=True, exist_ok=True)
    for old, new in copies.items():
        text = old.read_text().replace('"unit_variance.h"', f'"shoal/{room}/{name}.h"')
        text = text.replace("UnitVariance", type_name).replace('"unit_variance', f'"{name}')
        new.write_text(text)
        print(new.relative_to(ROOT))
    print(f"\nNext: write it; add {type_name} and its header to the list in tests/conformance/conformance_test.cpp;\n"
          f"name the doors it opens in ROOMS if {room} lacks them.")


if __name__ == "__main__":
    main()
