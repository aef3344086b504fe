#!/usr/bin/env python3
"""Writes holidays.tsv, the days of festivals that move, from the PyPI package holidays (MIT).

    pip install holidays && python3 shared/data/make_holidays.py

A line: the name as it is shown, what people say for it (lower case, without accents, between bars), and its days, the
first of each year. Holidays that a rule tells for every year (Christmas, Easter, Thanksgiving) are in the code.
"""
import datetime
import pathlib

import holidays

YEARS = range(2026, 2036)
# shown, what people say, the package's country, its labels for the day, days from it
FESTIVALS = [
    ("Eid", "eid|eid day|eid holidays", "PK", ["Eid al-Fitr", "Eid al-Adha"], 0),
    ("Eid al-Fitr", "eid ul fitr|eid al fitr|eid fitr|eidul fitr|choti eid|meethi eid|ramzan eid|hari raya|lebaran|bayram|ramazan bayrami", "PK", ["Eid al-Fitr"], 0),
    ("Eid al-Adha", "eid ul adha|eid al adha|eid adha|eidul adha|bakra eid|bakrid|bari eid|badi eid|kurban bayrami|tabaski", "PK", ["Eid al-Adha"], 0),
    ("Ramadan", "ramadan|ramazan|ramzan|ramadhan|start of ramadan|1st ramadan|1 ramadan|first ramadan|1st of ramadan|first of ramadan", "PK", ["Eid al-Fitr"], -30),
    ("the last ten days of Ramadan", "last ashra|last ten days of ramadan|end of ramadan|ramadan last ashra|last ashra of ramadan", "PK", ["Eid al-Fitr"], -10),
    ("the Islamic New Year", "islamic new year|muharram|hijri new year", "ID", ["Islamic New Year"], 0),
    ("Ashura", "ashura|muharram 10|10th muharram|10 muharram", "PK", ["Ashura"], 0),
    ("Mawlid", "mawlid|eid milad|eid milad un nabi|milad un nabi|prophets birthday|prophet 's birthday", "PK", ["Prophet's Birthday"], 0),
    ("Hajj", "hajj|day of arafah|arafat day", "AE", ["Day of Arafah"], 0),
    ("Diwali", "diwali|deepavali|divali|deepawali", "IN", ["Diwali"], 0),
    ("Holi", "holi", "IN", ["Holi"], 0),
    ("Dussehra", "dussehra|dusshera|vijayadashami|dasara", "IN", ["Dussehra"], 0),
    ("Navratri", "navratri|navaratri|durga puja", "IN", ["Dussehra"], -9),
    ("Ganesh Chaturthi", "ganesh chaturthi|ganpati|ganeshotsav", "IN", ["Ganesh Chaturthi / Vinayak Chaturthi"], 0),
    ("Raksha Bandhan", "raksha bandhan|rakhi", "IN", ["Raksha Bandhan"], 0),
    ("Janmashtami", "janmashtami|krishna janmashtami", "IN", ["Janmashtami (Vaishnava)"], 0),
    ("Onam", "onam", "IN", ["Onam"], 0),
    ("Pongal", "pongal|makar sankranti|sankranti|lohri", "IN", ["Makar Sankranti"], 0),
    ("Guru Nanak's birthday", "guru nanak jayanti|guru nanak birthday|gurpurab", "IN", ["Guru Nanak's Birthday"], 0),
    ("Chinese New Year", "chinese new year|cny|lunar new year|spring festival|tet|seollal|losar|lunar new years", "TW", ["Chinese New Year"], 0),
    ("Lunar New Year's Eve", "chinese new year eve|chinese new years eve|chinese new year 's eve|cny eve|lunar new year eve", "VN", ["Lunar New Year's Eve"], 0),
    ("the Mid-Autumn Festival", "mid autumn festival|mid - autumn festival|mooncake festival|moon festival|chuseok", "TW", ["Mid-Autumn Festival"], 0),
    ("the Dragon Boat Festival", "dragon boat festival|dragon boat", "TW", ["Dragon Boat Festival"], 0),
    ("Qingming", "qingming|tomb sweeping day", "TW", ["Tomb-Sweeping Day"], 0),
    ("China's National Day", "golden week china|chinese national day", "CN", ["National Day"], 0),
    ("Golden Week", "golden week", "JP", ["Showa Day"], 0),
    ("Songkran", "songkran|thai new year", "TH", ["Songkran Festival"], 0),
    ("Loy Krathong", "loy krathong", "TH", ["Loy Krathong"], 0),
    ("Vesak", "vesak|wesak|buddha purnima", "IN", ["Buddha Purnima"], 0),
    ("Nowruz", "nowruz|norooz|navroz|newroz|persian new year", "IR", ["Nowruz"], 0),
    ("Passover", "passover|pesach", "IL", ["Passover", "Pesach", "Passover (Pesach)"], 0),
    ("Rosh Hashanah", "rosh hashanah|rosh hashana|jewish new year", "IL", ["Rosh Hashanah"], 0),
    ("Yom Kippur", "yom kippur", "IL", ["Yom Kippur"], 0),
    ("Sukkot", "sukkot|sukkoth", "IL", ["Sukkot"], 0),
    ("Hanukkah", "hanukkah|chanukah|hanuka|hanukah", "IL", ["Hanukkah"], 0),
    ("Purim", "purim", "IL", ["Purim"], 0),
    ("Orthodox Christmas", "orthodox christmas|coptic christmas|russian christmas|orthodox xmas", "EG", ["Coptic Christmas Day"], 0),
    ("Orthodox Easter", "orthodox easter|greek easter|pascha", "UA", ["Easter Sunday (Pascha)"], 0),
    ("Whit Monday", "whit monday|pentecost monday", "FR", ["Pentecost Monday"], 0),
    ("Pentecost", "pentecost|whitsun|pfingsten", "FR", ["Pentecost Monday"], -1),
    ("Ascension Day", "ascension day|ascension", "DE", ["Ascension Day"], 0),
    ("Epiphany", "epiphany|three kings day|reyes|dia de reyes", "ES", ["Epiphany"], 0),
    ("All Saints' Day", "all saints day|all saints", "FR", ["All Saints' Day"], 0),
    ("Day of the Dead", "day of the dead|dia de los muertos|dia de muertos", "BR", ["All Souls' Day"], 0),
    ("Carnival", "carnival|carnaval|mardi gras|fat tuesday|shrove tuesday", "BR", ["Carnival"], 0),
    ("Bastille Day", "bastille day", "FR", ["National Day"], 0),
    ("German Unity Day", "german unity day", "DE", ["German Unity Day"], 0),
    ("King's Day", "kings day|king 's day|koningsdag", "NL", ["King's Day"], 0),
    ("Martin Luther King Day", "mlk day|mlk|martin luther king day|martin luther king weekend|mlk weekend", "US", ["Martin Luther King Jr. Day"], 0),
    ("Presidents' Day", "presidents day|president 's day|presidents weekend", "US", ["Washington's Birthday"], 0),
    ("Memorial Day", "memorial day", "US", ["Memorial Day"], 0),
    ("Juneteenth", "juneteenth", "US", ["Juneteenth National Independence Day"], 0),
    ("Columbus Day", "columbus day|indigenous peoples day", "US", ["Columbus Day"], 0),
    ("Veterans Day", "veterans day", "US", ["Veterans Day"], 0),
    ("Mother's Day", "mothers day|mother 's day", "US", ["Mother's Day"], 0),
    ("Father's Day", "fathers day|father 's day", "US", ["Father's Day"], 0),
    ("Canada Day", "canada day", "CA", ["Canada Day"], 0),
    ("Canadian Thanksgiving", "canadian thanksgiving", "CA", ["Thanksgiving Day"], 0),
    ("Australia Day", "australia day", "AU", ["Australia Day"], 0),
    ("Anzac Day", "anzac day|anzac", "AU", ["ANZAC Day"], 0),
    ("Waitangi Day", "waitangi day|waitangi", "NZ", ["Waitangi Day"], 0),
    ("Pakistan Day", "pakistan day|23rd march parade", "PK", ["Pakistan Day"], 0),
    ("Pakistan's Independence Day", "pakistan independence day|14 august independence", "PK", ["Independence Day"], 0),
    ("Quaid's birthday", "quaid day|quaid e azam day", "PK", ["Quaid-e-Azam Day"], 0),
    ("India's Republic Day", "republic day", "IN", ["Republic Day"], 0),
    ("India's Independence Day", "indian independence day|india independence day", "IN", ["Independence Day"], 0),
    ("UAE National Day", "uae national day|national day uae|eid al etihad", "AE", ["National Day"], 0),
    ("Saudi National Day", "saudi national day|national day saudi", "SA", ["National Day Holiday"], 0),
    ("Qatar National Day", "qatar national day", "QA", ["Qatar National Day"], 0),
    ("Singapore's National Day", "singapore national day", "SG", ["National Day"], 0),
    ("Republic Day of Turkey", "turkish republic day|29 ekim", "TR", ["Republic Day"], 0),
    ("Women's Day", "womens day|women 's day|international womens day", "UA", ["International Women's Day"], 0),
    ("Freedom Day", "freedom day", "ZA", ["Freedom Day"], 0),
    ("Heritage Day", "heritage day", "ZA", ["Heritage Day"], 0),
    ("Mashujaa Day", "mashujaa day", "KE", ["Mashujaa Day"], 0),
    ("Jamhuri Day", "jamhuri day", "KE", ["Jamhuri Day"], 0),
]


def days_of(country, labels):
    """The first day of each occurrence under one of the labels, estimated ones included."""
    kind = getattr(holidays, country)
    language = "en_US" if "en_US" in kind.supported_languages else None
    found = kind(years=YEARS, language=language, categories=kind.supported_categories)
    plain = lambda label: label.replace(" (estimated)", "")
    days = sorted(day for day, names in found.items() if any(plain(name) in labels for name in names.split("; ")))
    return [day for day in days if not any(0 < (day - other).days < 15 for other in days)]


def main():
    here = pathlib.Path(__file__).parent
    missing = [shown for shown, _, country, labels, _ in FESTIVALS if not days_of(country, labels)]
    if missing:
        raise SystemExit(f"the package knows no day of {missing}")
    with open(here / "holidays.tsv", "w", encoding="utf-8", newline="\n") as file:
        for shown, said, country, labels, offset in FESTIVALS:
            days = [day + datetime.timedelta(days=offset) for day in days_of(country, labels)]
            print(shown, said, " ".join(map(str, days)), sep="\t", file=file)


if __name__ == "__main__":
    main()
