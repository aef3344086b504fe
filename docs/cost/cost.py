#!/usr/bin/env python3
"""What a million turns with a search cost on AWS, worked out, and what each saving brings.

usage: cost.py [--search-ms 1000] [--turns-a-batch 1]

From the memory sizes of template.yaml, the sizes of the rows that a test measures (items.json), and a price list with its date
(prices.json). Storage, models and providers are not in it.
"""

import argparse
import json
import re
from math import ceil
from pathlib import Path

HERE = Path(__file__).parent
MILLION = 1_000_000
# Estimated, not measured: milliseconds of each function beside the search, of which `chat` waits for all.
OWN_MS = {"Chat": 60, "Understand": 5, "Session": 25, "Flights": 15, "Respond": 15, "Record": 30}
# Estimated too: what is written to the log of a turn, in KB, and what of its answer leaves AWS.
LOGS_KB, ANSWER_KB = 3.5, 12
# Calls of steps: understand, begin, flights, respond, commit.
STEPS = 5


def memory_gb():
    """The memory of each function; of `retrieve`, which no search needs, nothing."""
    text = (HERE.parent.parent / "template.yaml").read_text(encoding="utf-8")
    found = re.findall(r"^  (\w+)Function:\n(?:(?:    .*)?\n)*?      MemorySize: (\d+)", text, re.MULTILINE)
    return {name: int(mib) / 1024 for name, mib in found}


def units(size):
    return ceil(size / 1024)


def write_units(items, how, batch):
    """Of one turn. A transaction writes each row twice, an index once."""
    session, ranked, turn = (units(items[row][how]) for row in ("session", "ranked", "turn"))
    commit = 2 * session + 2 * turn + 2
    mark = 2 * turn + 1
    sums = (2 + 2) / batch
    return {"session and turn": commit, "offers": ranked, "mark of the turn": mark, "sums": sums}


def bill(prices, items, options, how="packed"):
    gb, search = memory_gb(), options.search_ms
    waits = {"Chat": search, "Flights": search}
    seconds = {name: (ms + waits.get(name, 0)) / 1000 for name, ms in OWN_MS.items()}
    batch = options.turns_a_batch
    invocations = 1 + STEPS + 1 / batch
    writes = write_units(items, how, batch)
    return {
        "Lambda, time": sum(gb[name] * seconds[name] for name in OWN_MS) * prices["lambda_arm64_gb_second"],
        "Lambda, requests": invocations * prices["lambda_request"],
        "API Gateway, REST": (1 + STEPS) * prices["rest_api_request"],
        "DynamoDB, writes": sum(writes.values()) * prices["dynamodb_write_unit"],
        # Half of all turns continue a session.
        "DynamoDB, reads": 0.5 * ceil(items["session"][how] / 4096) * prices["dynamodb_read_unit"],
        "SQS": (1 + 2 / batch) * prices["sqs_request"],
        "Logs": LOGS_KB / MILLION * prices["logs_gb"],
        "Transfer": ANSWER_KB / MILLION * prices["transfer_gb"],
    }, writes


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--search-ms", type=float, default=1000)
    parser.add_argument("--turns-a-batch", type=float, default=1)
    options = parser.parse_args()
    prices = json.loads((HERE / "prices.json").read_text(encoding="utf-8"))
    items = json.loads((HERE / "items.json").read_text(encoding="utf-8"))
    now, writes = bill(prices, items, options)
    plain, plain_writes = bill(prices, items, options, "plain")
    print(f"A million turns with a search of {options.search_ms:.0f} ms, by the prices of {prices['date']} ({prices['of']})\n")
    print("| part | USD | rows as plain JSON |\n| --- | --- | --- |")
    for part, cost in now.items():
        print(f"| {part} | {cost * MILLION:.2f} | {plain[part] * MILLION:.2f} |")
    print(f"| all | {sum(now.values()) * MILLION:.2f} | {sum(plain.values()) * MILLION:.2f} |\n")
    print("| write units of a turn | compressed | plain |\n| --- | --- | --- |")
    for what, count in writes.items():
        print(f"| {what} | {count:g} | {plain_writes[what]:g} |")
    steps = (STEPS - 1) * (prices["rest_api_request"] - prices["http_api_request"]) * MILLION
    print(f"\nNot done: the four buffered steps on an HTTP API would save {steps:.2f}")


if __name__ == "__main__":
    main()
