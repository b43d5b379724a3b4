#!/usr/bin/env python3
"""Makes `places.bin` of what GeoNames says of the world's places; see README.md for where that comes from, and its licence.

    make.py CITIES1000.json COUNTRIES.json ADMIN1.json CITIES.pbf COUNTRIES-10M.json WHERE

The file, compressed with zlib (all numbers little-endian; `varint` as in LEB128):
    regions     u16 how many; of each: country 2 bytes, length u8, name UTF-8
    rows        u16 how many, from the South Pole, each half a degree; of each: places u16
    of all places, row by row from the west, one column after the other:
    longitude   varint: steps of 1/10,000 degree from 180 west, or from the place before in the row
    latitude    u16: steps of 1/10,000 degree from the row's southern edge; low bytes, then high bytes
    region      u16: low bytes, then high bytes
    people      u8: eight times the binary logarithm of how many; 255: a point without a name: a quarter, or land at a border
    length      u8, of all with a name
    name        UTF-8, of all with a name
"""
import json, math, struct, sys, zlib
from collections import defaultdict

import shapely

STEPS = 10_000
QUARTER = 255
# People in a square kilometre of a town, as a circle: what `places.rs` takes as well.
DENSITY = 5000


def kilometres(a, b):
    x = math.radians(b["longitude"] - a["longitude"]) * math.cos(math.radians((a["latitude"] + b["latitude"]) / 2))
    return 6371 * math.hypot(x, math.radians(b["latitude"] - a["latitude"]))


def codes(pbf):
    """The kind of each place by its number: fields 1 and 7 of each message."""
    at, end, found = 0, len(pbf), {}

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = pbf[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < end:
        length = varint()
        stop, number, code = at + length, None, ""
        while at < stop:
            tag = varint()
            if tag & 7 == 0:
                value = varint()
                number = (value >> 1) ^ -(value & 1) if tag >> 3 == 1 else number
            else:
                length = varint()
                code = pbf[at : at + length].decode() if tag >> 3 == 7 else code
                at += length
        found[number] = code
    return found


def quarters(places, kind):
    """The numbers of places that are parts of a larger one. Of those that are newer than the list of kinds it is guessed: they
    lie in a larger one of the same region."""
    towns = defaultdict(list)
    for place in places:
        if place["population"] >= 50_000 and kind.get(place["geonameid"], "PPLX") != "PPLX":
            towns[math.floor(place["latitude"]), math.floor(place["longitude"])].append(place)

    def is_within(place):
        for north in (-1, 0, 1):
            for east in (-1, 0, 1):
                for town in towns.get((math.floor(place["latitude"]) + north, math.floor(place["longitude"]) + east), ()):
                    radius = math.sqrt(town["population"] / (math.pi * DENSITY))
                    if (
                        (town["countrycode"], town["admin1code"]) == (place["countrycode"], place["admin1code"])
                        and town["population"] > 1.5 * place["population"]
                        and kilometres(town, place) < radius
                    ):
                        return True
        return False

    return {
        place["geonameid"]
        for place in places
        if kind.get(place["geonameid"]) == "PPLX" or (place["geonameid"] not in kind and is_within(place))
    }


# Borders on which GeoNames and Natural Earth don't agree, or nobody does: what is nearest decides there.
DISPUTED = [
    {"AM", "AZ"}, {"EH", "DZ"}, {"EH", "MA"}, {"EH", "MR"}, {"ET", "SO"}, {"GE", "RU"}, {"IL", "PS"}, {"IN", "CN"},
    {"IN", "PK"}, {"RS", "XK"}, {"RU", "UA"},
]


def land_at_borders(places, countries, world):
    """Points without a name on both sides of borders, where a town of the other side would be the nearest: within 15 km of a
    town, farther than 1.5 km from any place that is known, since those know better."""
    code = {f"{one['isonumeric']:03}": one["iso"] for one in countries}
    (scale_x, scale_y), (left, bottom) = world["transform"]["scale"], world["transform"]["translate"]
    arcs = []
    for arc in world["arcs"]:
        x = y = 0
        line = []
        for step in arc:
            x, y = x + step[0], y + step[1]
            line.append((x * scale_x + left, y * scale_y + bottom))
        arcs.append(line)

    def ring(numbers):
        line = []
        for number in numbers:
            arc = arcs[number] if number >= 0 else arcs[~number][::-1]
            line += arc[1:] if line else arc
        return line

    shapes, owners, sides = [], [], defaultdict(set)
    for number, country in enumerate(world["objects"]["countries"]["geometries"]):
        parts = country.get("arcs", [])
        for part in [parts] if country["type"] == "Polygon" else parts:
            rings = [line for line in map(ring, part) if len(line) > 3]
            for arc in (arc for line in part for arc in line):
                sides[arc if arc >= 0 else ~arc].add(number)
            if rings:
                shapes.append(shapely.Polygon(rings[0], rings[1:]).buffer(0))
                owners.append(code.get(country.get("id")))
    points = []
    for arc in (arcs[arc] for arc, of in sides.items() if len(of) == 2):
        for (x, y), (to_x, to_y) in zip(arc, arc[1:]):
            narrowing = math.cos(math.radians(y))
            east, north = (to_x - x) * narrowing, to_y - y
            length = math.hypot(east, north)
            for step in range(max(1, round(length * 111 / 2))) if length else ():
                share = (step + 0.5) / max(1, round(length * 111 / 2))
                for order, off in enumerate((2.5, -2.5, 5, -5, 1, -1)):
                    points.append(
                        (
                            order // 2,
                            round(y + share * (to_y - y) + east / length * off / 111, 4),
                            round(x + share * (to_x - x) - north / length * off / 111 / narrowing, 4),
                        )
                    )
    points.sort()
    tree = shapely.STRtree(shapes)
    found = tree.query(shapely.points([(x, y) for _, y, x in points]), predicate="within")
    owner = {point: owners[shape] for point, shape in zip(*found.tolist())}

    cells = defaultdict(list)

    def cell(one):
        return math.floor(one["latitude"] * 5), math.floor(one["longitude"] * 5)

    for place in places:
        cells[cell(place)].append(place)

    def near(point, km):
        row, column = cell(point)
        wide = math.ceil(km / 22 / max(0.1, math.cos(math.radians(point["latitude"]))))
        high = math.ceil(km / 22)
        for north in range(row - high, row + high + 1):
            for east in range(column - wide, column + wide + 1):
                for place in cells.get((north, east), ()):
                    away = kilometres(point, place)
                    if away <= km:
                        yield away, place

    added = []
    for number, (_, latitude, longitude) in enumerate(points):
        country = owner.get(number)
        if country is None or not -180 <= longitude < 180:
            continue
        point = {"latitude": latitude, "longitude": longitude, "countrycode": country, "population": 0, "name": ""}
        around = list(near(point, 15))
        if not any(place["population"] >= 5000 for _, place in around):
            continue
        away, nearest = min(around, key=lambda one: one[0])
        if nearest["countrycode"] == country or away <= 1.5 or {country, nearest["countrycode"]} in DISPUTED:
            continue
        own = [one for one in around if one[1]["countrycode"] == country] or [
            one for one in near(point, 60) if one[1]["countrycode"] == country
        ]
        if own:
            point["admin1code"] = min(own, key=lambda one: one[0])[1]["admin1code"]
            point["geonameid"] = -len(added) - 1
            cells[cell(point)].append(point)
            added.append(point)
    return added


def varint(value):
    out = b""
    while value > 127:
        out += bytes([value & 127 | 128])
        value >>= 7
    return out + bytes([value])


def main(cities, countries, admin1, pbf, world, where):
    places = list(json.load(open(cities)).values())
    names = {row["code"]: row["name"] for row in json.load(open(admin1))}
    parts = quarters(places, codes(open(pbf, "rb").read()))
    borders = land_at_borders(places, json.load(open(countries)).values(), json.load(open(world)))
    places += borders
    parts |= {point["geonameid"] for point in borders}
    regions = sorted({(place["countrycode"], place["admin1code"]) for place in places})
    index = {region: number for number, region in enumerate(regions)}
    out = bytearray(struct.pack("<H", len(regions)))
    for country, code in regions:
        name = names.get(f"{country}.{code}", "").encode()
        out += country.encode() + bytes([len(name)]) + name

    rows = defaultdict(list)
    for place in places:
        latitude = round((place["latitude"] + 90) * STEPS)
        longitude = round((place["longitude"] + 180) * STEPS) % (360 * STEPS)
        rows[latitude // (STEPS // 2)].append((longitude, latitude % (STEPS // 2), place))
    out += struct.pack("<H", 360)
    east, north, region, people, lengths, texts = (bytearray() for _ in range(6))
    highs = bytearray(), bytearray()
    for row in range(360):
        before = 0
        here = sorted(rows[row], key=lambda one: (one[0], one[1], one[2]["geonameid"]))
        out += struct.pack("<H", len(here))
        for longitude, latitude, place in here:
            east += varint(longitude - before)
            before = longitude
            number = index[place["countrycode"], place["admin1code"]]
            north.append(latitude & 255)
            highs[0].append(latitude >> 8)
            region.append(number & 255)
            highs[1].append(number >> 8)
            if place["geonameid"] in parts:
                people.append(QUARTER)
                continue
            people.append(round(8 * math.log2(max(place["population"], 1))))
            name = place["name"].encode()
            lengths.append(len(name))
            texts += name
    for column in (east, north, highs[0], region, highs[1], people, lengths, texts):
        out += column
    packed = zlib.compress(bytes(out), 9)
    open(where, "wb").write(packed)
    print(f"{len(places)} places, {len(parts)} of them without a name, {len(borders)} at borders, {len(regions)} regions: {len(out)} bytes, {len(packed)} packed")


if __name__ == "__main__":
    main(*sys.argv[1:])
