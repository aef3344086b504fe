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
    assert "session_id" not in page.sent()[-1]["body"], "a new talk"
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


def test_a_talk_goes_by_keyboard_alone(page):
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


def test_a_talk_that_is_gone_goes_on_as_a_new_one(page):
    page.open()
    page.say("hello")
    page.answer_next_with(404, {"type": "urn:colloquy:problem:unknown-session"})
    page.say("fly me from Lahore to Dubai tomorrow")
    page.button("Begin a new talk with it").click()
    turn = page.answered()
    assert page.all(".offer", turn)
    assert "session_id" not in page.sent()[-1]["body"]


def test_a_reload_keeps_the_talk(page):
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
