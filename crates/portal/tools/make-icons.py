#!/usr/bin/env python3
"""Makes static/icons.svg: one sprite of the icons that the templates use, and the product's own.

Use: make-icons.py FOLDER_WITH_LUCIDE_SVG. An icon is asked for in a template by its Lucide name
(`m::icon("lock")`) or by a view as the word after `icon:`; names stand in NAMES below, and the
check of the templates fails on a name that is missing here.
"""

import pathlib
import re
import sys

HERE = pathlib.Path(__file__).resolve().parent.parent
NAMES = """
activity arrow-right ban chart-column check chevron-left chevron-right circle-alert
circle-check circle-minus circle-x clock cloud-off copy download
eye fingerprint history id-card inbox info key-round languages
list lock lock-open log-out megaphone menu minus monitor-smartphone moon pencil phone plus printer
refresh-cw scan-line search server shield-check smartphone sun sun-moon
triangle-alert trending-up upload user user-check user-plus users x
""".split()


def symbol(folder: pathlib.Path, name: str) -> str:
    """One icon as a symbol; its stroke comes from the sheet."""
    text = (folder / f"{name}.svg").read_text(encoding="utf-8")
    body = re.search(r"<svg[^>]*>(.*)</svg>", text, re.S).group(1)
    body = re.sub(r"\s*\n\s*", "", body).replace(" />", "/>")
    return f'<symbol id="{name}" viewBox="0 0 24 24">{body}</symbol>'


def drum() -> str:
    """Our own mark: the face of a bronze drum, a star of fourteen rays in fine rings."""
    import math

    rings = "".join(
        f'<circle cx="100" cy="100" r="{r}" stroke-width="{w}"/>'
        for r, w in [(97, 2), (91, 1), (78, 1), (74, 1), (58, 1), (55, 1), (36, 1.5)]
    )
    points = []
    for step in range(28):
        radius = 33 if step % 2 == 0 else 13
        angle = math.pi * step / 14 - math.pi / 2
        points.append(f"{100 + radius * math.cos(angle):.1f},{100 + radius * math.sin(angle):.1f}")
    star = f'<polygon points="{" ".join(points)}" stroke-width="1.5"/>'
    # Rows of teeth and of birds' places are dashes, which cost no bytes for each.
    teeth = '<circle cx="100" cy="100" r="84.5" stroke-width="9" pathLength="144" stroke-dasharray="1 1"/>'
    dots = (
        '<circle cx="100" cy="100" r="66" stroke-width="7" pathLength="240" '
        'stroke-dasharray="0 10" stroke-linecap="round"/>'
    )
    return f'<symbol id="drum" viewBox="0 0 200 200">{rings}{star}{teeth}{dots}</symbol>'


def mark() -> str:
    """The small mark: the drum's star and rings, drawn for 36 px."""
    import math

    points = []
    for step in range(16):
        radius = 10.5 if step % 2 == 0 else 4.5
        angle = math.pi * step / 8 - math.pi / 2
        points.append(f"{20 + radius * math.cos(angle):.1f},{20 + radius * math.sin(angle):.1f}")
    return (
        '<symbol id="mark" viewBox="0 0 40 40"><circle cx="20" cy="20" r="18.5" stroke-width="2.5"/>'
        '<circle cx="20" cy="20" r="14" stroke-width="1.2"/>'
        f'<polygon points="{" ".join(points)}" fill="currentColor" stroke="none"/></symbol>'
    )


def main() -> None:
    """Writes the sprite."""
    folder = pathlib.Path(sys.argv[1])
    note = "<!-- Line icons: Lucide, ISC and MIT, see licences/. Mark and drum: our own. -->"
    symbols = "\n".join([*(symbol(folder, name) for name in NAMES), mark(), drum()])
    sprite = f'<svg xmlns="http://www.w3.org/2000/svg">\n{note}\n{symbols}\n</svg>\n'
    (HERE / "static" / "icons.svg").write_text(sprite, encoding="utf-8")


if __name__ == "__main__":
    main()
