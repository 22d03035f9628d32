#!/usr/bin/env python3
"""Debian's package descriptions in many languages as CSV, from the lists that apt has fetched.

    debian_languages.py LISTS PER_LANGUAGE     columns text, language, section, package

The translators' texts, up to PER_LANGUAGE a language, each of another package where that goes: so languages share topics, not
texts. The same lists give the same rows.
"""
import csv
import hashlib
import pathlib
import re
import subprocess
import sys

LONGEST = 400  # characters: what a package is for stands in its first sentences


def paragraphs(path):
    """The fields of each paragraph of a list, however it is packed."""
    text = subprocess.run(["/usr/lib/apt/apt-helper", "cat-file", path], check=True, capture_output=True).stdout.decode("utf-8", "replace")
    for block in text.split("\n\n"):
        fields, name = {}, None
        for line in block.split("\n"):
            if line[:1] in " \t":
                if name:
                    fields[name] += "\n" + line.strip()
            elif ":" in line:
                name, _, value = line.partition(":")
                fields[name] = value.strip()
        yield fields


def plain(description):
    """Synopsis and first paragraph on one line."""
    synopsis, _, body = description.partition("\n")
    first = re.split(r"\n\.\n", body)[0].replace("\n", " ")
    text = f"{synopsis}. {first}".strip()
    return text if len(text) <= LONGEST else text[:LONGEST].rsplit(" ", 1)[0]


def main():
    lists, most = pathlib.Path(sys.argv[1]), int(sys.argv[2])
    sections = {}
    for path in sorted(lists.glob("*_dists_bookworm_main_binary-*_Packages*")):
        for fields in paragraphs(path):
            if "Package" in fields:
                sections[fields["Package"]] = fields.get("Section", "").split("/")[-1]
    order = lambda package: hashlib.sha256(package.encode()).digest()
    out = csv.writer(sys.stdout, lineterminator="\n")
    out.writerow(["text", "language", "section", "package"])
    taken = set()
    for path in sorted(lists.glob("*_dists_bookworm_main_i18n_Translation-*")):
        language = re.search(r"Translation-([A-Za-z]+)", path.name).group(1)
        found = {}
        for fields in paragraphs(path):
            text = next((plain(v) for k, v in fields.items() if k.startswith("Description-") and k != "Description-md5"), "")
            package = fields.get("Package", "")
            if text and sections.get(package) and "<trans>" not in text:
                found[package] = text
        free = sorted((p for p in found if p not in taken), key=order)
        for package in free[:most]:
            taken.add(package)
            out.writerow([found[package], language, sections[package], package])


main()
