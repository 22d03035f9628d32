#!/usr/bin/env python3
"""Runs *.test transcripts: what a user types, and what must come out.

    $ shoal inspect missing.csv
    ---- 4
    shoal: missing.csv: no such file or folder

After `$` a command line for bash, run in an empty folder (one a file) with shoal first on the PATH; further lines up to
`----` belong to it. After `----` the exit status (0 if left out), then what standard output and standard error say
together, up to a blank line. `...` inside a line stands for anything; a line `...` alone for any lines, or none.

usage: run.py SHOAL [FILE.test ...]       exit status 1 if anything differs, or if there was nothing to run
"""
import os
import pathlib
import re
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent


def blocks(path):
    """Yields (line number, command, status, expected lines)."""
    lines = path.read_text().splitlines()
    at = 0
    while at < len(lines):
        if not lines[at].startswith("$ "):
            if lines[at].strip() and not lines[at].startswith("#"):
                sys.exit(f"{path.name}:{at + 1}: a command begins with '$ '")
            at += 1
            continue
        first, command = at + 1, [lines[at][2:]]
        at += 1
        while not lines[at].startswith("----"):
            command.append(lines[at])
            at += 1
        status = int(lines[at][4:].strip() or 0)
        at += 1
        expected = []
        while at < len(lines) and lines[at].strip():
            expected.append(lines[at])
            at += 1
        yield first, "\n".join(command), status, expected


def pattern(expected):
    parts = []
    for line in expected:
        if line.strip() == "...":
            parts.append(r"(?:[^\n]*\n)*?")
        else:
            parts.append(".*?".join(re.escape(piece) for piece in line.split("...")) + r"\n")
    return re.compile("".join(parts))


def main():
    shoal = pathlib.Path(sys.argv[1]).resolve()
    files = [pathlib.Path(f) for f in sys.argv[2:]] or sorted(HERE.glob("*.test"))
    passed = failed = 0
    for path in files:
        with tempfile.TemporaryDirectory() as folder:
            environment = dict(os.environ, PATH=f"{shoal.parent}:{os.environ['PATH']}", LC_ALL="C.UTF-8",
                               SHOAL_SOURCE=str(HERE.parent.parent))
            for line, command, status, expected in blocks(path):
                result = subprocess.run(["bash", "-c", command], cwd=folder, env=environment, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=300)
                output = result.stdout.decode("utf-8", "replace")
                if output and not output.endswith("\n"):
                    output += "\n"
                if result.returncode == status and pattern(expected).fullmatch(output):
                    passed += 1
                    continue
                failed += 1
                print(f"{path.name}:{line}: $ {command}\n  exit status {result.returncode}, expected {status}")
                print("  came out:\n    " + output.replace("\n", "\n    "))
                print("  expected:\n    " + "\n    ".join(expected))
    print(f"transcripts: {passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
