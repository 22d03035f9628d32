"""The texts of the differential test, as bytes: real ones, and random ones that look for trouble."""
import csv
import glob
import json
import os
import random
import subprocess

PLANES = [(0x20, 0x7F), (0xA0, 0x250), (0x250, 0x3000), (0x3000, 0xD800), (0xE000, 0x10000), (0x10000, 0x20000),
          (0x20000, 0x32000), (0xE0000, 0xE0200), (0xF0000, 0x110000)]
SPACES = "\t\n\v\f\r \x85\xa0\u1680\u2000\u2003\u200a\u2028\u2029\u202f\u205f\u3000\u180e\u200b\u200c\u200d\u2060\ufeff\xad"
CONTROLS = "".join(map(chr, [*range(0x20), *range(0x7F, 0xA0), 0x200E, 0x200F, 0x202A, 0x202E, 0x2066, 0x2069, 0xFFFD,
                             0xFFF9, 0xFFFE, 0xFFFF, 0x1FFFE, 0xE0001, 0x10FFFF, 0x0600, 0x06DD, 0x070F]))
MARKS = "".join(map(chr, [*range(0x300, 0x370), *range(0x483, 0x48A), *range(0x591, 0x5BE), *range(0x64B, 0x660),
                          0x93C, 0x94D, 0x9BE, 0xE31, 0xE47, 0x1AB0, 0x20D0, 0x20E3, 0x3099, 0x309A, 0xFE20]))
CASES = "ßẞİıſﬁﬂﬀŉǰΐΰևẖẗẘẙẚΣσςͅЁёꙖᏣꭰꮿᲐაǅǆǄÅÅΩK℮ⅷⅧⓐⒶＡａ𐐀𐐨𝔄𝒜½²₂㎏㍿Ⅻ…‥´¨ﷺ"
EMOJI = ["👩‍👩‍👧‍👦", "🏳️‍🌈", "👍🏽", "🇩🇪", "1️⃣", "❤️", "☺", "🧑🏿‍🚀", "🏴󠁧󠁢󠁥󠁮󠁧󠁿", "‍", "️", "🫠", "🪿"]
WORDS = ["[CLS]", "[SEP]", "[MASK]", "[PAD]", "[UNK]", "<s>", "</s>", "<unk>", "<mask>", "<pad>", "##ing", "▁", "▁the",
         "Ġthe", "can't", "I'LL", "don’t", "U.S.A.", "C++", "x"*99, "x"*100, "x"*101, "é"*130, "12,345.67", "1e-5",
         "e\u0301", "한국어", "\u1112\u1161\u11ab", "العربية", "עִבְרִית", "हिन्दी", "ภาษาไทย", "日本語テキスト", "が", "か\u3099", "ｶﾞ",
         "the", "library", "Development", " ", "  ", "   ", "\n\n", "\t", "'s", "''", "``", "...", "--", "http://a.b/c?d=e&f"]


def debian():
    """Descriptions of the packages that apt knows: the long ones if apt has fetched them, and the short ones."""
    texts = []
    for path in sorted(glob.glob("/var/lib/apt/lists/*Translation-en*")):
        dump = subprocess.run(["/usr/lib/apt/apt-helper", "cat-file", path], capture_output=True, check=True).stdout
        for paragraph in dump.split(b"\n\n"):
            texts.append(paragraph[paragraph.find(b"Description-en: ") + 16:])
    dump = subprocess.run(["apt-cache", "dumpavail"], capture_output=True, check=True).stdout
    texts += [line[13:] for line in dump.split(b"\n") if line.startswith(b"Description: ")]
    return texts


def data_sets(folder):
    """Every text of the CSV and JSONL files under `folder`, in many languages."""
    texts = []
    for path in sorted(glob.glob(os.path.join(folder, "*", "*.csv"))):
        with open(path, encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                texts += [value for name, value in row.items() if name and name.startswith(("text", "body"))]
    for path in sorted(glob.glob(os.path.join(folder, "*", "*.jsonl"))):
        with open(path, encoding="utf-8") as file:
            for line in file:
                texts += [v for name, v in json.loads(line).items() if name.startswith(("text", "body"))]
    return [text.encode() for text in texts if text]


def real(count, folder):
    """`count` texts, a third of them from `folder` if it is there. Too few texts are an error."""
    draw = random.Random(1)
    foreign = data_sets(folder) if folder and os.path.isdir(folder) else []
    foreign = draw.sample(foreign, min(count // 3, len(foreign)))
    packages = debian()
    if len(packages) + len(foreign) < count:
        raise SystemExit(f"differential: {count} real texts are needed; apt-cache dumpavail and "
                         f"{folder or 'SHOAL_DATA'} have {len(packages) + len(foreign)} (run apt-get update?)")
    return foreign + draw.sample(packages, count - len(foreign))


def code_point(draw):
    low, high = draw.choice(PLANES)
    return chr(draw.randrange(low, high))


def random_text(draw):
    length = draw.choice([1, 2, 4, 8, 8, 16, 16, 50])
    shape = draw.randrange(9)
    if shape == 0:  # anything from anywhere
        return "".join(code_point(draw) for _ in range(length))
    if shape == 1:  # one neighbourhood, as in a script
        start = ord(code_point(draw))
        return "".join(chr(c) if c < 0xD800 or c > 0xDFFF else " " for c in
                       (min(start + draw.randrange(96), 0x10FFFF) for _ in range(length)))
    if shape == 2:
        return "".join(draw.choice("aeiouAEnÅ") + "".join(draw.choices(MARKS, k=draw.randrange(4))) for _ in range(length))
    if shape == 3:
        return "".join(draw.choice([draw.choice(SPACES), draw.choice(CONTROLS), "a", "B", "é"]) for _ in range(length))
    if shape == 4:
        return "".join(draw.choice(EMOJI + [" ", "x", code_point(draw)]) for _ in range(length))
    if shape == 5:
        return "".join(draw.choice([draw.choice(CASES), draw.choice(MARKS), "a", " "]) for _ in range(length))
    if shape == 6:
        return draw.choice(["", " ", "  "]).join(draw.choice(WORDS) for _ in range(length))
    if shape == 7:
        return "".join(draw.choice([draw.choice(WORDS), code_point(draw), draw.choice(SPACES)]) for _ in range(length))
    return " ".join("".join(draw.choices("etaoinshrdluETA0123.,-'_", k=draw.randrange(1, 12))) for _ in range(length))


def long_texts(count, pieces):
    """`count` texts of up to 600 of `pieces` each: of these shoal tokenizes only the beginning if it can."""
    draw = random.Random(3)
    return [b" ".join(draw.choices(pieces, k=draw.randrange(20, 600))) for _ in range(count)]


def random_texts(count):
    """`count` texts; about one in six with bytes that are not UTF-8."""
    draw = random.Random(2)
    texts = []
    for _ in range(count):
        text = bytearray(random_text(draw).encode())
        if draw.random() < 0.17:
            for _ in range(draw.randrange(1, 6)):
                at = draw.randrange(len(text) + 1)
                text[at:at + draw.randrange(3)] = draw.choice([b"\xff", b"\x80", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80",
                                                               b"\xe2\x82", b"\xf0\x9f", draw.randbytes(3)])
        texts.append(bytes(text))
    return texts
