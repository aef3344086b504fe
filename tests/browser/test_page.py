"""The chat page as people use it: by mouse, by keyboard alone, on a phone, by ear, and while the server is away."""

import re

import pytest
from axe_core_python.selenium import Axe
from selenium.webdriver.common.keys import Keys

FLIGHT = "fly me from Lahore to Dubai next Friday, two of us, business, back a week later"


def test_a_whole_talk_from_one_sentence_to_an_offer_and_back_to_the_start(page):
    page.open()
    turn = page.say(FLIGHT)

    cards = page.all(".offer", turn)
    assert len(cards) >= 2
    first = cards[0].text
    assert re.search(r"[A-Z]{3}\s[\d,]+", first), "a price with its currency"
    assert "Sample data, not for sale" in first
    assert "Business" in first
    assert re.search(r"\d\d:\d\d", first), "local times"
    words = "\n".join(part.text for part in page.all(".words", turn))
    assert "Lahore to Dubai" in words and "sample" in words
    assert not re.search(r"^1\.", words, re.MULTILINE), "what a card shows is not said twice"
    known = page.one("#known").text
    assert "Lahore" in known and "Dubai" in known and "2 adults" in known and "Business" in known

    page.all("summary", cards[0])[0].click()
    rows = [row.text for row in page.all("table tr", cards[0])]
    assert any(row.startswith("Price per traveller") for row in rows)
    assert any(re.match(r"Time on the way \d+\sh.* × 15 [\d,.]+$", row) for row in rows), rows
    amounts = [float(row.split()[-1].replace(",", "")) for row in rows]
    assert sum(amounts[:-1]) == pytest.approx(amounts[-1], abs=0.05), "the terms add up"

    second = page.say("the second one")
    assert len(page.all(".offer", second)) == 1
    assert page.all(".offer h2", second)[0].text == page.all("h2", cards[1])[0].text

    page.button("Start over").click()
    assert page.all(".turn") == []
    assert page.one("#welcome").is_displayed()
    assert not page.one("#known").is_displayed()
    page.say("hello")
    assert "session_id" not in page.sent()[-1]["body"], "a new session"
    assert page.console() == []


def test_a_suggestion_and_a_card_can_be_clicked_instead_of_typing(page):
    page.open()
    page.all("#suggestions button")[0].click()
    turn = page.answered()
    card = page.all(".offer", turn)[1]
    page.script("arguments[0].open = true", page.all("details", card)[0])
    page.script("arguments[0].click()", page.all("details button", card)[0])
    shown = page.answered()
    assert page.all(".said", shown)[0].text.endswith("The second one")
    assert len(page.all(".offer", shown)) == 1


def test_a_session_goes_by_keyboard_alone(page):
    page.open()
    for _ in range(10):
        page.press(Keys.TAB)
        if page.script("return document.activeElement.id") == "message":
            break
    page.press("fly me from Lahore")
    page.press(Keys.ENTER, shift=True)
    page.press("to Dubai tomorrow")
    page.press(Keys.ENTER)
    turn = page.answered()
    assert "from Lahore\nto Dubai" in page.all(".said", turn)[0].text, "Shift and Enter break the line"
    assert page.script("return document.activeElement.id") == "message", "one can go on typing"

    page.script("arguments[0].focus()", page.all("summary", turn)[0])
    page.press(Keys.ENTER)
    assert page.all("details", turn)[0].get_attribute("open"), "details open by key"
    covered = page.script(
        "const box = document.activeElement.getBoundingClientRect();"
        "return box.bottom > document.getElementById('composer').getBoundingClientRect().top"
    )
    assert not covered, "what has the focus is in sight"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_phone_shows_all_of_it_without_sideways_scrolling(page, scheme):
    page.open(320, 640, scheme)
    assert page.sideways() <= 0
    turn = page.say(FLIGHT)
    for details in page.all("details", turn):
        page.script("arguments[0].open = true", details)
    assert page.sideways() <= 0
    cut_off = page.script(
        "return [...document.querySelectorAll('.offer *')].filter((part) => !part.closest('.unseen')"
        " && part.getBoundingClientRect().right > innerWidth).map((part) => part.outerHTML)"
    )
    assert cut_off == []
    small = page.script(
        "return [...document.querySelectorAll('button, select, summary, textarea')]"
        ".filter((part) => part.offsetParent && part.getBoundingClientRect().height < 44).map((part) => part.outerHTML)"
    )
    assert small == [], "everything to press is at least 44 pixels high"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_stands_in_the_way_of_assistive_technology(page, scheme):
    page.open(scheme=scheme)
    violations = Axe().run(page.driver)["violations"]
    turn = page.say(FLIGHT)
    page.script("arguments[0].open = true", page.all("details", turn)[0])
    violations += Axe().run(page.driver)["violations"]
    page.answer_next_with(503, {"detail": "Away."})
    page.say("and the day after")
    violations += Axe().run(page.driver)["violations"]
    told = [(one["id"], [node["html"] for node in one["nodes"]]) for one in violations]
    assert told == []

    assert page.one("html").get_attribute("lang") == "en"
    log = page.one("#log")
    assert (log.get_attribute("role"), log.get_attribute("aria-live")) == ("log", "polite")


def test_while_the_server_is_away_nothing_typed_is_lost(page):
    page.open()
    page.offline(True)
    turn = page.say("fly me from Lahore to Dubai tomorrow")
    assert "cannot be reached" in page.all(".trouble", turn)[0].text

    page.button("Edit the message").click()
    assert page.one("#message").get_attribute("value") == "fly me from Lahore to Dubai tomorrow"
    page.one("#message").send_keys(Keys.END, ", please\n")
    page.answered()
    page.offline(False)
    page.button("Try again").click()
    turn = page.answered()
    assert page.all(".offer", turn)

    failed, again = page.sent()[-2:]
    assert failed == again, "the same message under the same key"


def test_an_answer_still_being_worked_on_is_waited_for(page):
    page.open()
    page.answer_next_with(409, {"title": "Still being answered"}, Retry_After="1")
    turn = page.say("fly me from Lahore to Dubai tomorrow")
    assert page.all(".offer", turn)
    keys = {sent["headers"]["Idempotency-Key"] for sent in page.sent()}
    assert len(page.sent()) == 2 and len(keys) == 1
    assert re.fullmatch("[0-9a-f]{32}", keys.pop()), "128 random bits"


def test_a_problem_is_told_in_the_servers_words(page):
    page.open()
    detail = "message: it must have 1 to 4,000 characters"
    page.answer_next_with(422, {"title": "A field is not valid", "detail": detail}, Content_Type="application/problem+json")
    turn = page.say("hello")
    assert page.all(".trouble", turn)[0].text.startswith(detail)
    assert not [button for button in page.all("button", turn) if button.text == "Try again"], "it would fail again"


def test_a_session_that_is_gone_goes_on_as_a_new_one(page):
    page.open()
    page.say("hello")
    page.answer_next_with(404, {"type": "urn:colloquy:problem:unknown-session"})
    page.say("fly me from Lahore to Dubai tomorrow")
    page.button("Begin a new session with it").click()
    turn = page.answered()
    assert page.all(".offer", turn)
    assert "session_id" not in page.sent()[-1]["body"]


def test_a_reload_keeps_the_session(page):
    page.open()
    page.say("fly me from Lahore to Dubai tomorrow")
    before = page.one("#log").text
    page.driver.refresh()
    page.until(lambda: page.all(".offer"))
    assert page.one("#log").text == before
    page.until(lambda: page.one("#assistant").get_attribute("value") == "travel")
    turn = page.say("the second one")
    assert len(page.all(".offer", turn)) == 1, "the server remembers as well"
    assert page.console() == []


def test_what_a_person_writes_is_never_markup(page):
    page.open()
    words = "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    turn = page.say(words)
    assert words in page.all(".said", turn)[0].text
    assert page.all("img, script", turn) == []

    offer = {
        "id": "1", "provider": words, "sample": False, "rank": 1, "stops": 0, "airline_changes": 0, "dominated": False,
        "total_price": {"amount": "1234567.5", "currency": "<b>"}, "price_per_traveller": {"amount": "1", "currency": "<b>"},
        "cost": {"total": 1, "terms": [{"name": words, "quantity": 1, "weight": 1, "amount": 1}]},
        "itineraries": [{"duration_minutes": 60, "segments": [{
            "carrier": {"name": words, "iata": words}, "flight_number": words, "duration_minutes": 60,
            "origin": {"name": words, "iata": words}, "destination": {"name": words, "iata": words},
            "departs_at": "2026-11-27T09:05:00+05:00", "arrives_at": "2026-11-28T11:20:00+04:00",
        }]}],
    }  # fmt: skip
    reply = {"session_id": "0" * 32, "reply": words, "slots": {}, "offers": [offer], "degraded": [{"part": words, "reason": words}]}
    page.answer_next_with(200, reply, Content_Type="application/json")
    turn = page.say("hello")
    assert page.all("img, script, b b", turn) == []
    assert "1,234,567.5" in turn.text
    assert page.driver.title == "Colloquy"
    assert page.console() == []


def test_airport_times_are_shown_as_given_wherever_the_browser_is(page):
    page.command("Emulation.setTimezoneOverride", timezoneId="America/Los_Angeles")
    page.open()
    turn = page.say("fly me from Lahore to Dubai tomorrow")
    departure = page.all(".offer time", turn)[0]
    assert departure.text == departure.get_attribute("datetime")[11:16]
    assert re.fullmatch(r"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d-0[78]:00\[America/Los_Angeles\]", page.sent()[-1]["body"]["client_time"])


def test_too_long_a_message_is_counted_not_cut(page):
    page.open()
    field = page.one("#message")
    write = "arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('input'))"
    for length, told in [(3000, ""), (3990, "10 characters left"), (4000, "0 characters left"), (4001, "1 character too many")]:
        page.script(write, field, "é" * length)
        assert page.one("#room").text == told
    field.send_keys("\n")
    assert page.all(".turn") == [], "it is not sent"
    assert len(field.get_attribute("value")) == 4001, "nothing is lost"


SESSION = "0" * 32
CITATIONS = [
    {"number": 1, "source": "NHS", "url": "https://www.nhs.uk/ivf", "heading": "IVF › Overview", "text": "IVF is a treatment."},
    {"number": 2, "source": "<b>A book</b>", "url": "javascript:alert(1)", "heading": "", "text": "<img src=x>"},
    {"number": 3, "source": "Not cited", "heading": "", "text": "Something else."},
]
WORDS = "It joins egg and sperm [1]. It may take some cycles [2], says nobody [9]."


def turn_event():
    return {"event": "turn", "session_id": SESSION, "turn_id": "01", "assistant": "fertility"}


def reply(**more):
    return {"session_id": SESSION, "reply": WORDS, "slots": {}, "offers": [], "degraded": [], **more}


def delta(text):
    return {"event": "delta", "text": text}


def start(page, words):
    """Says something without waiting for the whole answer."""
    page.one("#message").send_keys(words + "\n")
    page.until(lambda: page.all(".turn"))
    return page.all(".turn")[-1]


def test_an_answer_comes_as_a_stream(page):
    page.open()
    turn = page.say(FLIGHT)
    assert page.all(".offer", turn)
    assert [sent["path"] for sent in page.sent()] == ["/v1/chat/stream"]
    assert not page.all(".progress", turn)


# Notes what is deleted, and answers it.
WATCH_DELETIONS = """
window.deleted = [];
const asked = window.fetch;
window.fetch = (url, options = {}) => {
  if (options.method !== "DELETE") return asked(url, options);
  window.deleted.push([new URL(url).pathname, options.headers["Colloquy-Session"]]);
  return Promise.resolve(new Response(null, { status: 204 }));
};
"""


def test_an_answer_under_way_can_be_stopped_and_keeps_its_words(page):
    page.open()
    page.script(WATCH_DELETIONS)
    stopped = {"turn_id": "01", "incomplete": True, "degraded": [{"part": "reply", "reason": "stopped"}]}
    page.stream_next(None, turn_event(), delta("It joins"), None, {"event": "done", "reply": reply(reply="It joins", **stopped)})
    turn = start(page, "What is IVF?")
    assert not page.one("#stop").is_displayed(), "nothing can be named yet"
    page.go_on()
    page.until(lambda: "It joins" in turn.text)
    page.one("#stop").click()
    assert page.script("return window.deleted") == [["/v1/turns/01", SESSION]]
    assert not page.one("#stop").is_displayed()
    page.go_on()
    page.answered()
    assert "It joins" in turn.text and "You stopped this answer." in turn.text
    assert "Missing" not in turn.text

    page.stream_next(turn_event(), delta("It"), None)
    start(page, "And then?")
    page.until(lambda: page.one("#stop").is_displayed())
    page.button("Start over").click()
    assert page.script("return window.deleted.slice(1)") == [["/v1/turns/01", SESSION], ["/v1/session", SESSION]]


def test_words_and_offers_are_shown_as_they_come_and_read_out_once(page):
    page.open()
    found = page.say(FLIGHT)
    offers = page.script("return JSON.parse(sessionStorage.getItem('colloquy:/')).turns[0].reply.offers")
    page.button("Start over").click()
    assert found

    page.stream_next(
        ": waiting\n\n", turn_event(), None, {"event": "step", "step": "flights", "milliseconds": 1.0}, None,
        {"event": "offers", "offers": offers}, None, delta("Two flights:\n1"), None, delta(". PIA, early\nAny of "), None,
        delta("them?"), {"event": "done", "reply": reply(reply="Two flights:\n1. PIA, early\nAny of them?", offers=offers)},
    )  # fmt: skip
    turn = start(page, "hello")
    page.until(lambda: "Looking into it" in turn.text)
    page.go_on()
    page.until(lambda: "Comparing" in turn.text)
    page.go_on()
    page.until(lambda: page.all(".offer", turn))
    assert page.all(".progress", turn), "the words are still to come"
    page.all("summary", turn)[0].click()
    page.go_on()
    page.until(lambda: "Two flights:" in turn.text)
    assert not page.all(".progress", turn)
    before, after = page.all(".words", turn)
    assert before.text == "Two flights:", "what may be a card's line is held back"
    assert before.get_attribute("aria-live") == after.get_attribute("aria-live") == "off"
    page.go_on()
    page.until(lambda: "Any of" in turn.text)
    page.go_on()
    page.answered()
    assert [words.text for words in page.all(".words", turn)] == ["Answer:\nTwo flights:", "Any of them?"]
    assert not page.all(".words[aria-live]", turn), "the whole is read out"
    assert page.all("details", turn)[0].get_attribute("open"), "what was opened stays open"
    assert page.console() == []


def test_citations_lead_to_their_sources(page):
    page.open()
    done = {"event": "done", "reply": reply(citations=CITATIONS[:2], written_by="model", retrieval="words")}
    page.stream_next(turn_event(), {"event": "citations", "citations": CITATIONS}, delta(WORDS), done)
    turn = page.say("What is IVF?")
    assert [cite.text for cite in page.all(".cite", turn)] == ["[1]", "[2]"], "what has no source is no link"
    assert "says nobody [9]" in turn.text
    assert [by.text for by in page.all(".by", turn)] == ["Written by a language model from the sources below"]
    first, second = page.all(".sources > li", turn)
    link = page.all("a", first)[0]
    assert link.get_attribute("href") == "https://www.nhs.uk/ivf"
    assert (link.get_attribute("rel"), link.get_attribute("target")) == ("noopener noreferrer", "_blank")
    assert "NHS" in first.text and "IVF › Overview" in first.text
    assert "<b>A book</b>" in second.text and page.all("a", second) == [], "only the web is linked to"

    page.all(".cite", turn)[1].click()
    assert "<img src=x>" in second.text, "the passage is open, and text"
    assert page.script("return arguments[0].contains(document.activeElement)", second)
    told = [(one["id"], [node["html"] for node in one["nodes"]]) for one in Axe().run(page.driver)["violations"]]
    assert told == []
    assert page.console() == []

    before = page.one("#log").text
    page.driver.refresh()
    page.until(lambda: page.all(".cite"))
    page.all(".cite")[1].click()
    assert page.one("#log").text == before, "a reload keeps the sources"


@pytest.mark.parametrize(
    ("by", "label"), [("rules", []), ("extract", ["Quoted, not written by a model"]), ("model", ["Written by a language model"])]
)
def test_who_wrote_an_answer_is_told_where_it_matters(page, by, label):
    page.open()
    page.stream_next(turn_event(), {"event": "done", "reply": reply(written_by=by, retrieval="words")})
    assert [told.text for told in page.all(".by", page.say("hello"))] == label


def test_an_answer_that_the_server_could_not_finish_stays_as_it_is(page):
    page.open()
    problem = {"type": "urn:colloquy:problem:reply-broke-off", "title": "The reply broke off", "status": 502, "detail": "Kept."}
    page.stream_next(turn_event(), {"event": "citations", "citations": CITATIONS}, delta(WORDS), {"event": "error", "problem": problem})
    turn = page.say("What is IVF?")
    assert "It joins egg and sperm" in turn.text
    assert "broke off" in page.all(".trouble", turn)[0].text
    assert len(page.all(".sources > li", turn)) == 2, "those that are cited"

    page.stream_next(turn_event(), {"event": "done", "reply": reply()})
    page.button("Ask again").click()
    page.answered()
    first, again = page.sent()
    assert again["body"]["session_id"] == SESSION and again["body"]["message"] == first["body"]["message"]
    assert again["headers"]["Idempotency-Key"] != first["headers"]["Idempotency-Key"], "it would be answered with the same half"
    assert "It joins egg and sperm" in turn.text and "broke off" in turn.text and not page.all("button", turn)


@pytest.mark.parametrize("end", ["cut", ""])
def test_an_answer_that_is_cut_off_on_the_way_can_be_asked_for_again(page, end):
    page.open()
    page.stream_next(turn_event(), delta("It joins egg"), None, end)
    turn = start(page, "What is IVF?")
    page.until(lambda: "It joins egg" in turn.text)
    page.go_on()
    page.answered()
    assert "It joins egg" in turn.text and "broke off" in page.all(".trouble", turn)[0].text

    page.stream_next(turn_event(), {"event": "done", "reply": reply()})
    page.button("Try again").click()
    page.answered()
    assert "some cycles" in turn.text and not page.all(".trouble", turn)
    first, again = page.sent()
    assert first == again, "the same message under the same key"


def test_an_answer_whose_connection_is_lost_goes_on_where_it_was(page):
    page.open()
    page.follow_next(0, 202, (3, [delta(" and sperm"), None, "cut"]), (4, [delta(" [1]."), {"event": "done", "reply": reply()}]))
    page.stream_next(turn_event(), delta("It joins egg"), None, "cut")
    turn = start(page, "What is IVF?")
    page.until(lambda: "It joins egg" in turn.text)
    page.go_on()
    page.until(lambda: "It joins egg and sperm" in turn.text)
    assert not page.all(".trouble", turn) and page.one("#stop").is_displayed()
    page.go_on()
    page.answered()
    assert "some cycles" in turn.text and not page.all(".trouble", turn)
    assert len(page.sent()) == 1, "nothing is asked again"
    assert {(one["path"], one["headers"]["Colloquy-Session"]) for one in page.follows()} == {("/v1/turns/01/events", SESSION)}
    assert [one["headers"]["Last-Event-ID"] for one in page.follows()] == ["2", "2", "2", "3"]


def test_an_answer_that_another_server_tells_from_the_start_is_not_shown_twice(page):
    page.open()
    page.follow_next((1, [turn_event(), delta("It joins egg and sperm"), None, {"event": "done", "reply": reply()}]))
    page.stream_next(turn_event(), delta("It joins egg"), None, "cut")
    turn = start(page, "What is IVF?")
    page.until(lambda: "It joins egg" in turn.text)
    page.go_on()
    page.until(lambda: "It joins egg and sperm" in turn.text)
    assert turn.text.count("It joins egg") == 1
    page.go_on()
    page.answered()
    assert "some cycles" in turn.text


def test_a_reload_while_an_answer_is_under_way_follows_it(page):
    page.open()
    page.stream_next(turn_event(), delta("It joins egg"), None)
    turn = start(page, "What is IVF?")
    page.until(lambda: "It joins egg" in turn.text)
    page.follow_next((1, [turn_event(), delta("It joins egg and sperm"), None, {"event": "done", "reply": reply()}]))
    page.driver.refresh()
    page.until(lambda: "It joins egg and sperm" in page.one("#log").text)
    page.go_on()
    page.until(lambda: "some cycles" in page.one("#log").text)
    assert page.sent() == [], "nothing is asked again"
    assert "Last-Event-ID" not in page.follows()[0]["headers"], "what was shown of it is gone"


def test_a_turn_that_failed_is_not_followed_but_begun_anew(page):
    page.open()
    problem = {"type": "urn:colloquy:problem:unavailable", "title": "Not available", "status": 503, "detail": "Away for now."}
    page.stream_next(turn_event(), {"event": "error", "problem": problem})
    turn = page.say("What is IVF?")
    assert "Away for now." in page.all(".trouble", turn)[0].text
    page.stream_next(turn_event(), {"event": "done", "reply": reply()})
    page.button("Try again").click()
    page.answered()
    assert "some cycles" in turn.text and page.follows() == []


@pytest.mark.parametrize("status", [404, 405, 502])
def test_where_there_is_no_stream_the_whole_answer_is_asked_for(page, status):
    page.open()
    page.answer_next_with(status, {"message": "Internal server error"}, Content_Type="application/json")
    assert page.all(".offer", page.say(FLIGHT))
    page.say("the second one")
    assert [sent["path"] for sent in page.sent()] == ["/v1/chat/stream", "/v1/chat", "/v1/chat"]


def test_more_flights_are_a_click_away(page):
    page.open()
    turn = page.say("fly me from London to New York tomorrow")
    first = page.all(".offer h2", turn)[0].text
    page.script("arguments[0].click()", page.button("Show more flights"))
    more = page.answered()
    assert page.all(".said", more)[0].text.endswith("Show me more flights")
    assert page.all(".offer h2", more)[0].text.startswith("6. ") and first.startswith("1. ")
    assert not [button for button in page.all("button", turn) if button.text == "Show more flights"]


def test_days_are_compared_in_a_table_whose_days_can_be_pressed(page):
    page.open(320, 640)
    turn = page.say("fly me from Lahore to Dubai in two weeks, back a week later, give or take 3 days")
    rows = page.all(".days tbody tr", turn)
    assert len(rows) == 7
    assert len(page.all(".days .best", turn)) == 1 and "cheapest" in page.all(".days .best", turn)[0].text
    words = "\n".join(part.text for part in page.all(".words", turn))
    assert "is the cheapest" in words and "– Mon" not in words, "what the table shows is not said twice"
    assert [cell.get_attribute("scope") for cell in page.all(".days th", turn)] == ["col"] * 3 + ["row"] * 7
    assert page.sideways() <= 0
    assert [(one["id"], one["nodes"]) for one in Axe().run(page.driver)["violations"]] == []
    button = page.all("button", rows[5])[0]
    assert button.size["height"] >= 44
    day = button.text.split("\n")[-1]
    page.script("arguments[0].focus()", button)
    page.press(Keys.ENTER)
    chosen = page.answered()
    assert page.sent()[-1]["body"]["message"].startswith("leave on ")
    assert len(page.all(".offer", chosen)) >= 1 and page.all(".days", chosen) == []
    number = re.search(r"\d+ [A-Z][a-z]{2}", day).group()
    assert number in page.one("#known").text, "that day is searched"
    assert page.console() == []


def test_the_button_of_a_card_asks_about_that_card(page):
    page.open()
    asks = lambda turn: page.all(".ask", turn)

    def ask(turn, index):
        page.script("arguments[0].click()", asks(turn)[index])
        return page.answered()

    first = page.say("fly me from London to New York tomorrow")
    assert page.all(".offer h2", ask(first, 1))[0].text == page.all(".offer h2", first)[1].text
    before = page.all(".turn")
    more = page.say("show more flights")
    assert [asks(turn) for turn in before] == [[], []], "their numbers would mean other offers now"
    sixth = ask(more, 0)
    assert page.all(".offer h2", sixth)[0].text == page.all(".offer h2", more)[0].text
    assert page.all(".offer h2", sixth)[0].text.startswith("6. ")
    assert page.all(".offer h2", ask(sixth, 0))[0].text.startswith("6. ")

    page.driver.refresh()
    page.until(lambda: asks(None))
    turns = page.all(".turn")
    assert [bool(asks(turn)) for turn in turns] == [False, False, True, True, True], "a reload changes nothing of it"
    page.say("make it business")
    assert not [button for turn in turns for button in asks(turn)], "they are of another journey"


def test_a_card_tells_what_its_fare_includes_and_leads_to_where_it_is_booked(page):
    page.open()
    page.say(FLIGHT)
    sample = page.script("return JSON.parse(sessionStorage.getItem('colloquy:/')).turns[0].reply.offers[0]")
    assert not [button for button in page.all(".offer button") if "Book this one" in button.text], "samples are not sold"
    page.button("Start over").click()

    money = lambda amount: {"amount": amount, "currency": "GBP"}
    fare = {
        "checked_bags": {"pieces": 1, "kilograms": 23}, "carry_on": {"pieces": 0}, "refund": {"allowed": True, "penalty": money("80.00")},
        "change": {"allowed": False}, "hold": {"possible": True, "ticket_by": "2026-11-25"},
    }  # fmt: skip
    offer = sample | {"sample": False, "provider": "duffel", "fare": fare, "co2_kg": 460}
    offer["itineraries"][0]["segments"][0]["aircraft"] = "Boeing 777-300"
    page.stream_next(turn_event(), {"event": "done", "reply": reply(reply="Found.", offers=[offer], action="search_flights")})
    turn = start(page, "find me a flight")
    page.answered()
    facts = [fact.text.replace("\u00a0", " ") for fact in page.all(".fare li", turn)]
    assert facts == [
        "Each traveller: 1 checked bag of 23 kg, no carry-on bag", "Refund for GBP 80.00", "Not changeable",
        "Can be held, ticket until Wed 25 Nov", "About 460 kg of CO₂ in all",
    ]  # fmt: skip
    page.all("summary", turn)[0].click()
    assert "Boeing 777-300" in page.all(".legs", turn)[0].text

    booking = {"rank": 1, "state": "for_sale", "is_checkout": True, "url": "https://links.duffel.com/?token=abcdef"}
    booked = reply(reply="Still sold.", offers=[offer], action="show_offer", booking=booking)
    page.stream_next(turn_event(), {"event": "done", "reply": booked})
    page.script("arguments[0].click()", next(button for button in page.all(".ask", turn) if "Book this one" in button.text))
    page.until(lambda: len(page.all(".turn")) == 2)
    answer = page.answered()
    assert page.sent()[-1]["body"]["message"] == "Book the first one"
    link = page.all("a.book", answer)[0]
    assert link.text.startswith("Continue to book")
    assert (link.get_attribute("href"), link.get_attribute("rel")) == (booking["url"], "noopener noreferrer")

    for url in ["javascript:alert(1)", "http://links.duffel.com/", "no address"]:
        booked["booking"]["url"] = url
        page.stream_next(turn_event(), {"event": "done", "reply": booked})
        before = len(page.all(".turn"))
        start(page, "book it")
        page.until(lambda: len(page.all(".turn")) == before + 1)
        assert page.all("a.book", page.answered()) == [], url
    assert page.console() == []


@pytest.mark.parametrize("assistant", ["travel", "fertility", "therapy", "defi"])
def test_somebody_in_danger_finds_help_that_can_be_tapped_and_is_read_out(page, assistant):
    page.open()
    page.script("arguments[0].value = arguments[1]; arguments[0].dispatchEvent(new Event('change'))", page.one("#assistant"), assistant)
    turn = page.say("i want to kill myself")
    assert "safe right now" in turn.text and "I am an AI" in turn.text
    help_now = page.all("section.help", turn)
    assert len(help_now) == 1
    assert help_now[0].get_attribute("aria-label") == "Where to get help now"
    assert help_now[0].aria_role == "region"
    links = page.all("a", help_now[0])
    assert links and all(link.get_attribute("href").startswith(("tel:", "sms:", "https:", "http:")) for link in links)
    assert all(link.rect["height"] >= 44 for link in links)
    assert page.one("#log").get_attribute("role") == "log", "what is added to it is read out"
    assert Axe().run(page.driver)["violations"] == []


def test_a_number_to_call_is_a_link_that_dials_it(page):
    page.open()
    lines = [{"kind": "emergency", "name": "Emergency", "call": "ambulance 998, police 999"},
             {"kind": "crisis", "name": "Line", "call": "1-800-MY-RESET", "text": "SHOUT to 85258", "hours": "24/7", "online": "javascript:alert(1)"}]
    page.stream_next(turn_event(), {"event": "done", "reply": reply(help={"class": "suicide", "lines": lines, "directory": "https://findahelpline.com"})})
    turn = page.say("x")
    addresses = [link.get_attribute("href") for link in page.all("section.help a", turn)]
    assert addresses == ["tel:998", "tel:18006973738", "sms:85258", "https://findahelpline.com/"]


def test_what_an_assistant_is_not_is_told_before_one_begins(page):
    page.open()
    assert not page.one("#welcome-disclaimer").is_displayed(), "the travel agent needs none"
    page.script("arguments[0].value = 'fertility'; arguments[0].dispatchEvent(new Event('change'))", page.one("#assistant"))
    assert "not medical advice" in page.one("#welcome-disclaimer").text
    page.stream_next(turn_event(), {"event": "done", "reply": reply()})
    assert "not medical advice" not in page.say("What is IVF?").text


def test_an_answer_can_be_rated_and_rated_anew(page):
    page.open()
    turn = page.say("hello")
    up, down = page.all(".thumb", turn)
    pressed = lambda: [thumb.get_attribute("aria-pressed") for thumb in page.all(".thumb")]
    assert (up.accessible_name, down.accessible_name, pressed()) == ("Helpful", "Not helpful", ["false", "false"])
    turn_id = page.script("return JSON.parse(Object.values(sessionStorage)[0]).turns[0].reply.turn_id")
    up.click()
    page.until(lambda: pressed() == ["true", "false"])
    page.script("arguments[0].focus()", down)
    page.press(Keys.ENTER)
    page.until(lambda: pressed() == ["false", "true"])
    page.until(lambda: len(page.sent()) == 3)
    rated = [(sent["path"], sent["body"]) for sent in page.sent()[1:]]
    path = f"/v1/turns/{turn_id}/feedback"
    assert rated == [(path, {"rating": "up"}), (path, {"rating": "down"})]

    page.driver.refresh()
    page.until(lambda: pressed() == ["false", "true"])
    page.answer_next_with(503)
    page.all(".thumb")[0].click()
    page.until(lambda: "could not be sent" in page.one(".thumbs").text)
    assert pressed() == ["false", "true"], "what the server kept"
