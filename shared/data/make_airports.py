#!/usr/bin/env python3
"""Writes airports.tsv and metros.tsv from the PyPI package airportsdata (MIT, LICENSE-airportsdata) and this folder's own tables.

    pip install airportsdata && python3 shared/data/make_airports.py

Own tables: busiest.txt (how much an airport is flown to), cities.tsv (the city people name, where the package has the
municipality the runway lies in), names.tsv (airports the package abbreviates or names as nobody does), metros_more.tsv
(airports the package's metro list leaves out).
"""
import csv
import pathlib
import re

import airportsdata

HERE = pathlib.Path(__file__).parent
PACKAGE = pathlib.Path(airportsdata.__file__).parent


def own(name):
    """The rows of a table of our own, comments left out."""
    lines = (HERE / name).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")]


def tiers():
    """Code to tier."""
    tier, found = 0, {}
    for line in (HERE / "busiest.txt").read_text().splitlines():
        heading = re.match(r"(\d):", line)
        if heading:
            tier = int(heading[1])
        elif not line.startswith("#"):
            found.update({code: tier for code in line.split()})
    return found


def clean(text):
    """One line, no tabs, one kind of space and apostrophe."""
    return " ".join(text.replace("\u2019", "'").split())


def city_of(row):
    """The package's city without what nobody says: "Toulouse/Blagnac", "Kos Island", "Medan, Sumatra Island"."""
    city = re.split(r"[/,(]", clean(row["city"]))[0].removesuffix(" Island").strip()
    return city or re.split(r"[/,(-]| (Municipal|Regional|International|Airport|Airfield)", clean(row["name"]))[0].strip()


def main():
    with open(PACKAGE / "airports.csv", encoding="utf-8") as file:
        airports = {row["iata"]: row for row in csv.DictReader(file) if re.fullmatch("[A-Z]{3}", row["iata"])}
    with open(PACKAGE / "iata_macs.csv", encoding="utf-8") as file:
        members = [(row["City Code"], row["City Name"], row["Airport Code"]) for row in csv.DictReader(file)]
    cities = {code: city for code, city in own("cities.tsv")}
    members += [tuple(row) for row in own("metros_more.tsv")]
    busiest = tiers()
    order = {code: place for place, code in enumerate(busiest)}

    city_names = {airport: cities.get(code, name) for code, name, airport in members}
    names = {code: name for code, name in own("names.tsv")}

    metros = {}
    for code, name, airport in members:
        metros.setdefault(code, (cities.get(code, name), []))[1].append(airport)
    metros = {code: (name, [a for a in codes if a in airports]) for code, (name, codes) in metros.items()}
    metros = {code: metro for code, metro in metros.items() if len(metro[1]) > 1}

    for missing in sorted((busiest.keys() | cities.keys()) - airports.keys() - metros.keys()):
        raise SystemExit(f"no airport or metro has the code {missing}")

    with open(HERE / "airports.tsv", "w", encoding="utf-8", newline="\n") as file:
        for code, row in sorted(airports.items()):
            # Ten-thousandths of a degree, some 11 m: whole numbers parse fastest.
            degrees = (round(float(row[key]) * 10_000) for key in ("lat", "lon"))
            city = cities.get(code) or city_names.get(code) or city_of(row)
            name = names.get(code) or clean(row["name"])
            fields = [code, name, city, clean(row["subd"]), row["country"], *degrees, row["tz"], busiest.get(code, 0)]
            print(*fields, sep="\t", file=file)

    with open(HERE / "metros.tsv", "w", encoding="utf-8", newline="\n") as file:
        for code, (name, codes) in sorted(metros.items()):
            codes = sorted(set(codes), key=lambda airport: order.get(airport, len(order)))
            print(code, name, " ".join(codes), sep="\t", file=file)


if __name__ == "__main__":
    main()
