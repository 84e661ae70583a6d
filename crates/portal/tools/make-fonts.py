#!/usr/bin/env python3
"""Makes the web fonts: subset to Latin and Vietnamese, with tabular figures added.

Be Vietnam Pro has no tabular figures (its 1 is half as wide as its 4), and ids and counts must
stand in columns. Each digit therefore gets a twin of one common width, reached by the standard
OpenType feature `tnum`, so that the CSS needs nothing but `font-variant-numeric`. The fonts'
licence (OFL 1.1, no reserved name) allows this; the change is named in static/licences/.

Needs fontTools and brotli. Use: make-fonts.py FOLDER_WITH_TTF OUT_FOLDER
"""

import copy
import pathlib
import sys

from fontTools import subset
from fontTools.ttLib import TTFont
from fontTools.ttLib.tables import otTables

# The widest digit of the boldest weight is 720 units; 700 keeps its side bearings positive and
# is the same in every weight, so that a bold total stands under its regular items.
FIGURE_WIDTH = 700
WEIGHTS = {"400Regular": "regular", "500Medium": "medium", "700Bold": "bold"}
UNICODES = (
    "0020-007E,00A0-00FF,0102-0103,0110-0111,0128-0129,0168-0169,01A0-01A1,01AF-01B0,"
    "0300-0301,0303,0309,0323,1EA0-1EF9,2010-2015,2018-201E,2020-2022,2026,2030,2032-2033,"
    "2039-203A,20AB,20AC,2190-2193,2212,2264-2265"
)
FEATURES = ["ccmp", "locl", "liga", "case", "kern", "mark", "mkmk", "tnum"]


def add_tabular_figures(font: TTFont) -> None:
    """Adds a twin of one width for each digit, and the feature that swaps them in."""
    cmap, glyf, hmtx = font.getBestCmap(), font["glyf"], font["hmtx"]
    mapping = {}
    order = font.getGlyphOrder()
    for digit in "0123456789":
        name = cmap[ord(digit)]
        twin = f"{name}.tnum"
        width, bearing = hmtx[name]
        shift = (FIGURE_WIDTH - width) // 2
        glyph = copy.deepcopy(glyf[name])
        if glyph.isComposite():
            for component in glyph.components:
                component.x += shift
        else:
            glyph.coordinates.translate((shift, 0))
        order.append(twin)
        glyf.glyphs[twin] = glyph
        glyph.recalcBounds(glyf)
        hmtx[twin] = (FIGURE_WIDTH, bearing + shift)
        mapping[name] = twin
    font.setGlyphOrder(order)
    glyf.glyphOrder = order
    font["maxp"].numGlyphs = len(order)
    append_feature(font["GSUB"].table, "tnum", mapping)


def append_feature(gsub, tag: str, mapping: dict) -> None:
    """Appends one single substitution to GSUB for all scripts and languages."""
    single = otTables.SingleSubst()
    single.mapping = mapping
    lookup = otTables.Lookup()
    lookup.LookupType, lookup.LookupFlag = 1, 0
    lookup.SubTable, lookup.SubTableCount = [single], 1
    gsub.LookupList.Lookup.append(lookup)
    gsub.LookupList.LookupCount = len(gsub.LookupList.Lookup)
    record = otTables.FeatureRecord()
    record.FeatureTag = tag
    record.Feature = otTables.Feature()
    record.Feature.FeatureParams = None
    record.Feature.LookupListIndex = [gsub.LookupList.LookupCount - 1]
    record.Feature.LookupCount = 1
    gsub.FeatureList.FeatureRecord.append(record)
    index = len(gsub.FeatureList.FeatureRecord) - 1
    gsub.FeatureList.FeatureCount = index + 1
    for script in gsub.ScriptList.ScriptRecord:
        systems = [script.Script.DefaultLangSys]
        systems += [language.LangSys for language in script.Script.LangSysRecord]
        for system in filter(None, systems):
            system.FeatureIndex.append(index)
            system.FeatureCount = len(system.FeatureIndex)


def make(source: pathlib.Path, target: pathlib.Path) -> None:
    """Writes one web font."""
    font = TTFont(source)
    add_tabular_figures(font)
    options = subset.Options()
    options.flavor = "woff2"
    options.layout_features = FEATURES
    # The hints stay: old office screens have one pixel for each stem.
    options.hinting = True
    options.name_IDs = ["*"]
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=subset.parse_unicodes(UNICODES))
    subsetter.subset(font)
    font.flavor = "woff2"
    font.save(target)


def main() -> None:
    """Finds the three weights by name and writes them."""
    folder, out = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
    for key, weight in WEIGHTS.items():
        (source,) = folder.glob(f"**/BeVietnamPro_{key}.ttf")
        make(source, out / f"be-vietnam-pro-{weight}.woff2")


if __name__ == "__main__":
    main()
