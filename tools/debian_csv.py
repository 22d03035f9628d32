#!/usr/bin/env python3
"""`apt-cache dumpavail` on standard input to CSV on standard output: package, section, description; a row a package.

The description is the short one. A package that is listed in several versions is taken once, the first.
"""
import csv
import sys


def paragraphs(lines):
    fields = {}
    for line in lines:
        if line == "\n":
            if fields:
                yield fields
            fields = {}
        elif not line.startswith((" ", "\t")) and ":" in line:
            name, value = line.split(":", 1)
            fields[name] = value.strip()
    if fields:
        yield fields


def main():
    sys.stdin.reconfigure(encoding="utf-8", errors="replace")
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["package", "section", "description"])
    seen = set()
    for fields in paragraphs(sys.stdin):
        package, text = fields.get("Package"), fields.get("Description") or fields.get("Description-en")
        if package and text and package not in seen:
            seen.add(package)
            out.writerow([package, fields.get("Section", ""), text])
    if not seen:
        sys.exit("debian_csv: standard input held no package with a description")


if __name__ == "__main__":
    main()
