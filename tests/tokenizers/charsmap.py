"""A SentencePiece `precompiled_charsmap` made by hand: NFKC with a few rules of SentencePiece's own.

The format: the trie's size in bytes as 4 bytes, the trie as a Darts double array of 4-byte units, then the replacements,
each ended by a zero byte. A unit holds label (8 bits), has-leaf (bit 8), offset (from bit 10; bit 9: times 256); a leaf
holds the replacement's position with bit 31 set. (darts.h, Susumu Yata; sentencepiece/src/normalizer.cc.)
"""
import struct
import unicodedata


def rules():
    """What each character becomes: NFKC of all that have one up to plane 1, spaces and controls as in nmt_nfkc."""
    table = {}
    for code in [*range(1, 0xD800), *range(0xE000, 0x1FC00)]:
        normal = unicodedata.normalize("NFKC", chr(code))
        if normal != chr(code) and not 0xAC00 <= code < 0xD7A4:
            table[chr(code)] = normal
    for code in [*range(1, 9), 0xB, *range(0xE, 0x20), 0x7F, 0x8F, 0x9F]:
        table[chr(code)] = ""
    for code in [9, 0xA, 0xC, 0xD, 0x1680, 0x200B, 0x200E, 0x200F, 0x2028, 0x2029, 0x2581, 0xFEFF, 0xFFFD]:
        table[chr(code)] = " "
    for letter in "aeiouAEIOU":  # longer keys, so that the longest match is tried
        for mark in "\u0300\u0301\u0302\u0308":
            table[letter + mark] = unicodedata.normalize("NFC", letter + mark)
    return table


def tree(keys):
    root = {}
    for key, value in keys.items():
        node = root
        for byte in key:
            node = node.setdefault(byte, {})
        node[-1] = value
    return root


class DoubleArray:
    def __init__(self, root):
        self.units, self.used, self.first_free = {0: 0}, {0}, 1
        self.place(0, root)

    def place(self, at, node):
        """Puts the children of `node` where all their places, offset ^ label, are free."""
        labels = [max(label, 0) for label in node]
        base = self.first_free
        while any((base ^ label) in self.used for label in labels) or not self.fits(base ^ at):
            base += 1
        self.used.update(base ^ label for label in labels)
        while self.first_free in self.used:
            self.first_free += 1
        offset = base ^ at
        self.units[at] |= offset << 10 if offset < 1 << 21 else (offset >> 8) << 10 | 1 << 9
        for label, child in node.items():
            if label < 0:
                self.units[at] |= 1 << 8
                self.units[base] = child | 1 << 31
            else:
                self.units[base ^ label] = label
        for label, child in node.items():
            if label >= 0:
                self.place(base ^ label, child)

    @staticmethod
    def fits(offset):
        return offset < 1 << 21 or (offset & 0xFF) == 0

    def bytes(self):
        size = (max(self.units) | 0xFF) + 1
        return struct.pack(f"<{size}I", *(self.units.get(i, 0) for i in range(size)))


def charsmap():
    keys, replacements, places = {}, bytearray(), {}
    for key, value in rules().items():
        if value not in places:
            places[value] = len(replacements)
            replacements += value.encode() + b"\0"
        keys[key.encode()] = places[value]
    array = DoubleArray(tree(keys)).bytes()
    return struct.pack("<I", len(array)) + array + bytes(replacements)
