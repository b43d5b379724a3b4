"""Makes names.tsv of what two npm packages hold, unpacked: make.py LOCALENAMES DATES, and of the system's zone.tab.

A row is a country by its code, or a city by its country's code and its English name, and what it is called in each of
LANGUAGES; where that is its English name, nothing.
"""

import json
import re
import sys
from pathlib import Path

LANGUAGES = ["de", "es", "fr", "it", "ja", "nl", "pl", "pt", "sv", "zh"]
HERE = Path(__file__).parent


def countries(package, language):
    path = Path(package) / "main" / language / "territories.json"
    names = json.loads(path.read_text())["main"][language]["localeDisplayNames"]["territories"]
    short = {key[:2]: name for key, name in names.items() if re.fullmatch("[A-Z]{2}-alt-short", key)}
    plain = {key: name for key, name in names.items() if re.fullmatch("[A-Z]{2}", key)}
    # What is short is often an abbreviation.
    short = {key: name for key, name in short.items() if key in ("HK", "MO", "PS")}
    return plain | short


def cities(package, language):
    path = Path(package) / "main" / language / "timeZoneNames.json"
    zones = json.loads(path.read_text())["main"][language]["dates"]["timeZoneNames"]["zone"]
    found = {}

    def walk(tree, path):
        for key, value in tree.items():
            if isinstance(value, dict):
                if "exemplarCity" in value:
                    found["/".join(path + [key])] = value["exemplarCity"]
                else:
                    walk(value, path + [key])

    walk(zones, [])
    return found


def main(localenames, dates):
    zones = {}
    for line in Path("/usr/share/zoneinfo/zone.tab").read_text().splitlines():
        if not line.startswith("#"):
            code, _, zone = line.split("\t")[:3]
            zones[zone] = code
    # CLDR has some zones by older names.
    zones |= {"Europe/Kiev": "UA", "Asia/Calcutta": "IN", "Asia/Saigon": "VN", "Asia/Katmandu": "NP", "Asia/Rangoon": "MM"}
    source = (HERE / "../../src/caption/countries.rs").read_text()
    english = dict(re.findall(r'\("([A-Z]{2})", "([^"]+)"\)', source))
    of_country = [countries(localenames, language) for language in LANGUAGES]
    rows = {code: [names.get(code, "") for names in of_country] for code in english}
    english_of = cities(dates, "en")
    of_city = [cities(dates, language) for language in LANGUAGES]
    for zone, code in zones.items():
        name = english_of.get(zone, zone.rsplit("/", 1)[-1].replace("_", " "))
        # Some languages name the country or an island by its zone.
        if name in english.values() or zone.startswith("Antarctica") or ", " in name:
            continue
        row = [names.get(zone, "") for names in of_city]
        if any(row):
            # As GeoNames has it.
            key = f"{code}/" + {"New York": "New York City"}.get(name, name)
            rows[key] = row
            english[key] = name
    lines = []
    for key, names in sorted(rows.items()):
        names = ["" if name == english[key] else name for name in names]
        if any(names):
            lines.append("\t".join([key, *names]))
    (HERE / "names.tsv").write_text("\n".join(lines) + "\n")
    print(len(lines), "rows")


main(*sys.argv[1:])
