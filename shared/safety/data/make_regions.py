#!/usr/bin/env python3
"""Writes regions.tsv: for each country its code, its names as people write them, and its time zones.

From zone.tab and iso3166.tab of the PyPI package `tzdata` (Apache-2.0; the data itself is in the public domain):

    pip install tzdata==2026.6 && python3 make_regions.py
"""
import collections
import importlib.resources
import pathlib

# Names that people use besides those of iso3166.tab, lower case.
MORE_NAMES = {
    "GB": "uk|u k|united kingdom|britain|great britain|england|scotland|wales|northern ireland|london",
    "US": "usa|u s|us of a|united states|america|the states|california|texas|florida|new york",
    "AE": "uae|emirates|united arab emirates|dubai|abu dhabi", "KR": "south korea|korea", "RU": "russia", "VN": "vietnam",
    "CZ": "czechia|czech republic", "NL": "netherlands|holland", "CD": "congo", "CI": "ivory coast", "IR": "iran", "SY": "syria",
    "LA": "laos", "MD": "moldova", "TZ": "tanzania", "VE": "venezuela", "BO": "bolivia", "TW": "taiwan", "HK": "hong kong",
    "MO": "macau", "TR": "turkey|turkiye", "MM": "myanmar|burma", "PS": "palestine|gaza", "BA": "bosnia", "TT": "trinidad",
    "SA": "saudi|saudi arabia|ksa", "NZ": "new zealand|nz|aotearoa", "ZA": "south africa", "IN": "india", "IE": "ireland",
    "DE": "germany|deutschland", "ES": "spain", "MK": "macedonia|north macedonia", "SZ": "eswatini|swaziland", "PK": "pakistan",
}
# Names that are also words or names of people, or stand in longer names.
NOT_NAMES = {"chad", "jordan", "georgia", "guinea", "niger", "jersey", "samoa america", "dominica", "mali", "oman", "cuba"}


def table(name):
    folder = importlib.resources.files("tzdata") / "zoneinfo"
    lines = (folder / name).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")]


zones = collections.defaultdict(list)
for code, _, zone, *_ in table("zone.tab"):
    zones[code].append(zone)
rows = []
for code, name in table("iso3166.tab"):
    plain = name.split(" (")[0].lower().replace("&", "and").replace("'", "").replace("-", " ").replace(".", "")
    names = [one for one in [plain, *MORE_NAMES.get(code, "").split("|")] if one and one not in NOT_NAMES and one.isascii()]
    rows.append("\t".join([code, "|".join(dict.fromkeys(names)), " ".join(zones[code])]))
# A code in wide use that ISO 3166-1 leaves to its users.
rows.append("XK\tkosovo\t")
pathlib.Path(__file__).with_name("regions.tsv").write_text("\n".join(rows) + "\n", encoding="utf-8")
print(len(rows), "countries")
