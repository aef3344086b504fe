"""The functions behind `cargo lambda watch`: when the events of a stream arrive. Started by tests/watch.sh."""

import http.client
import json
import os
import time
from urllib.parse import urlsplit

import pytest

URL = urlsplit(os.environ["WATCH_URL"])
KEY = os.environ["DOCUMENTS_KEY"]
FRIDAY = "2026-11-20T09:00:00+05:00[Asia/Karachi]"
QUESTION = {"assistant": "travel", "question": "How much may a checked bag weigh?"}


def request(method, path, body=None, **headers):
    connection = http.client.HTTPConnection(URL.hostname, URL.port, timeout=40)
    connection.request(method, path, json.dumps(body) if body else None, {"content-type": "application/json"} | headers)
    return connection.getresponse()


def ask(method, path, body=None, **headers):
    answer = request(method, path, body, **headers)
    return answer.status, json.loads(answer.read())


def arrivals(path, body):
    """The events of a stream in order, each with the seconds after which it arrived."""
    started = time.monotonic()
    answer = request("POST", path, body)
    assert answer.status == 200, answer.read()
    return [(line.decode().removeprefix("event:").strip(), time.monotonic() - started)
            for line in answer if line.startswith(b"event:")]


@pytest.fixture(scope="module", autouse=True)
def document():
    """A text that answers the question below, embedded by the deployed function, and functions that have been called once."""
    key = {"authorization": f"Bearer {KEY}"}
    status, taken = ask("POST", "/v1/documents", {
        "assistant": "travel", "source": "Bag rules", "content_type": "text/plain",
        "content": "A checked bag may weigh 23 kilos on every flight."}, **key)
    assert status == 202, taken
    end = time.monotonic() + 60
    while not ask("GET", "/v1/documents/" + taken["id"], **key)[1]["embedded"]:
        assert time.monotonic() < end, "the document was not embedded"
        time.sleep(0.5)
    # What was loaded before the document came counts as new for some seconds.
    time.sleep(3)
    arrivals("/v1/ask/stream", QUESTION)


def test_the_first_event_arrives_long_before_the_last():
    events = arrivals("/v1/ask/stream", QUESTION)
    names = [name for name, _ in events]
    assert (names[0], names[-1]) == ("turn", "done"), names
    assert names.count("delta") > 3
    first, last = events[0][1], events[-1][1]
    print(f"\nfirst event after {first * 1000:.0f} ms, last after {last * 1000:.0f} ms")
    # The model pauses 0.3 s after each of its seven words.
    assert first < 0.5 and last > 1.5, events
    deltas = [after for name, after in events if name == "delta"]
    assert deltas[-1] - deltas[0] > 1.0, events


def test_a_session_goes_through_all_steps():
    status, reply = ask("POST", "/v1/chat", {
        "assistant": "travel", "message": "fly me from Lahore to Dubai next Friday", "client_time": FRIDAY})
    assert status == 200, reply
    assert (reply["action"], reply["degraded"]) == ("search_flights", []), reply
