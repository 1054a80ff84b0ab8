#!/usr/bin/env python3
"""Writes ketama_vectors.h: owners by libketama's rules, computed with hashlib and plain search, for ketama.c's test.

    python3 ketama_vectors.py | clang-format > ketama_vectors.h
"""
import hashlib
import math
import struct

LISTS = [
    ("three of the same", [(0, 1), (1, 1), (2, 1)]),
    ("ids of several bytes", [(7, 1), (300, 1), (70000, 1), (1048575, 1)]),
    ("unequal", [(1, 3), (2, 5), (3, 7), (4, 1)]),
    ("one without a point", [(1, 1000), (2, 600), (3, 1), (9, 800)]),
    ("61, of 39 digests each", [(i, 1) for i in range(61)]),
]
STRINGS = ["", "a", "foo", "key_1", "session:42", "10.0.0.1:11211", "the quick brown fox jumps over the lazy dog"]
HASHES = [0, 1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF, 0x12345678, 0xDEADBEEF]


def single(x):
    """x as a C float."""
    return struct.unpack("f", struct.pack("f", x))[0]


def name(node):
    return "10.%d.%d.%d:11211" % (node >> 16 & 255, node >> 8 & 255, node & 255)


def words(text):
    return struct.unpack("<4I", hashlib.md5(text.encode()).digest())


def continuum(servers):
    total = sum(weight for _, weight in servers)
    points = []
    for node, weight in servers:
        share = single(weight / total)
        digests = math.floor(single(share * 40.0 * len(servers)))
        for k in range(digests):
            points += [(point, node) for point in words("%s-%d" % (name(node), k))]
    return sorted(points)


def owner(points, key):
    return next((node for point, node in points if point >= key), points[0][1])


def main():
    print("/* Made by ketama_vectors.py; not to be edited. */")
    print("static const struct ketama_list lists[] = {")
    for title, servers in LISTS:
        points = continuum(servers)
        extra = [points[0][0], points[0][0] + 1, points[-1][0], (points[-1][0] + 1) & 0xFFFFFFFF, points[77][0]]
        keys = HASHES + [words(s)[0] for s in STRINGS] + extra
        nodes = ", ".join("{%d, %d}" % server for server in servers)
        print('    {"%s", %d, %d, {%s},' % (title, len(servers), len(points), nodes))
        print("     {%s}}," % ", ".join("{%#x, %d}" % (key, owner(points, key)) for key in keys))
    print("};")
    print("static const struct ketama_string strings[] = {")
    for s in STRINGS:
        print('    {"%s", %#x},' % (s, words(s)[0]))
    print("};")


main()
