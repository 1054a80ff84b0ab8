#!/usr/bin/env python3
"""Writes ziggurat_tables.h: the 256 layers of the exponential ziggurat (see exponential.c for what they are).

    python3 ziggurat_tables.py > ziggurat_tables.h

Every number is computed with 60 decimal digits and rounded once, so that the table has the same bits wherever it is made, and no program
has to compute it at start. Needed only to change the number of layers; the table is checked in.
"""
from decimal import Decimal, getcontext

getcontext().prec = 60
LAYERS = 256


def edges(r):
    """The right ends x[0] > x[1] = r > ... of layers of equal area under exp(-x), and the height that the last one reaches."""
    area = (r + 1) * (-r).exp()  # the bottom layer: the rectangle left of r, and the tail right of it, whose area is exp(-r)
    x = [area / (-r).exp(), r]
    height = (-r).exp()
    for _ in range(2, LAYERS):
        height += area / x[-1]
        if height >= 1:
            return x, height
        x.append(-height.ln())
    return x, height + area / x[-1]


low, high = Decimal(7), Decimal(8)  # too small an r: layers too thick, they overshoot the height 1
for _ in range(180):
    r = (low + high) / 2
    x, top = edges(r)
    low, high = (low, r) if top < 1 else (r, high)
x, top = edges(high)
assert len(x) == LAYERS and abs(top - 1) < Decimal("1e-45")
x.append(Decimal(0))

print("/* ziggurat_tables.h: written by ziggurat_tables.py; do not edit. Included by exponential.c alone. */")
print("/* clang-format off */")
print(f"#define ZIGGURAT_TAIL {float(r).hex()} /* {float(r)!r} */")
print()
print("const struct ziggurat_layer ziggurat_exponential[256] = {")
for i in range(0, LAYERS, 2):
    print("   ", " ".join(f"{{{int(x[k + 1] / x[k] * 2**53)}u, {(float(x[k]) * 2.0**-53).hex()}}}," for k in (i, i + 1)))
print("};")
print()
print("/* exp(-x) at the right end of each layer: where it starts; and at last the top, 1. Layer 0 starts at the ground. */")
print("static const double height[257] = {")
heights = [0.0] + [float((-v).exp()) for v in x[1:]]
for i in range(0, 257, 4):
    print("   ", " ".join(f"{h.hex()}," for h in heights[i : i + 4]))
print("};")
