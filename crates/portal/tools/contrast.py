#!/usr/bin/env python3
"""Computes the contrast of every pair of tokens that the sheet uses, light and dark.

Prints a Markdown table and fails when a pair is under its least: 4.5 for words, 7 for results,
3 for the edges of fields (WCAG 2.2: 1.4.3, 1.4.6, 1.4.11).
"""

import pathlib
import re
import sys

SHEET = pathlib.Path(__file__).resolve().parent.parent / "static" / "css" / "portal.css"
WORDS, RESULTS, EDGES = 4.5, 7.0, 3.0
PAIRS = [
    ("ink", ["paper", "raised", "sunk"], RESULTS),
    ("soft", ["paper", "raised", "sunk"], WORDS),
    ("indigo", ["paper", "raised", "sunk"], WORDS),
    ("lacquer-ink", ["paper", "raised", "sunk"], WORDS),
    ("on-lacquer", ["lacquer", "lacquer-deep"], WORDS),
    ("jade", ["paper", "raised"], WORDS),
    ("amber", ["paper", "raised"], WORDS),
    ("good", ["good-tint", "raised", "sunk"], RESULTS),
    ("bad", ["bad-tint", "raised", "sunk"], RESULTS),
    ("warn", ["warn-tint", "raised"], RESULTS),
    ("info", ["info-tint", "raised"], RESULTS),
    ("none", ["none-tint", "raised", "sunk"], RESULTS),
    ("ink", ["good-tint", "bad-tint", "warn-tint", "info-tint", "none-tint"], RESULTS),
    ("soft", ["bad-tint", "warn-tint"], WORDS),
    ("indigo", ["bad-tint", "warn-tint"], WORDS),
    ("on-band", ["band"], RESULTS),
    ("on-sandbox", ["sandbox", "sandbox-stripe"], RESULTS),
    ("edge", ["paper", "raised", "sunk"], EDGES),
]


def tokens(block: str) -> dict[str, str]:
    """Colours of one block of custom properties."""
    return dict(re.findall(r"--([a-z-]+): (#[0-9A-F]{6})", block))


def luminance(colour: str) -> float:
    """Relative luminance of #RRGGBB."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, two: str) -> float:
    """Contrast ratio, 1 to 21."""
    high, low = sorted((luminance(one), luminance(two)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def main() -> int:
    """Prints the table; 1 when a pair is too weak."""
    sheet = SHEET.read_text(encoding="utf-8")
    light = tokens(re.search(r":root \{(.*?)\n\}", sheet, re.S).group(1))
    blocks = re.findall(r':root(?:\[data-theme="dark"\]|:not\(\[data-theme="light"\]\)) \{(.*?)\}', sheet, re.S)
    darks = [tokens(block) for block in blocks]
    if len(darks) != 2 or darks[0] != darks[1]:
        print("the two dark blocks differ")
        return 1
    dark = {**light, **darks[0]}
    weak = 0
    print("| words | on | least | light | dark |\n|---|---|---|---|---|")
    for front, backs, least in PAIRS:
        for back in backs:
            ratios = [contrast(theme[front], theme[back]) for theme in (light, dark)]
            weak += sum(ratio < least for ratio in ratios)
            print(f"| {front} | {back} | {least:g} | {ratios[0]:.2f} | {ratios[1]:.2f} |")
    return 1 if weak else 0


if __name__ == "__main__":
    sys.exit(main())
