"""A fresh headless Chromium for each test, on the page of the server at COLLOQUY_URL."""

import json
import os

import pytest
from selenium import webdriver
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

URL = os.environ.get("COLLOQUY_URL", "http://127.0.0.1:3000").rstrip("/") + "/"
# What an attacker's name server would say once its page is open.
NAME_POINTED_HERE = "rebound.example"
ARGUMENTS = [
    f"--host-resolver-rules=MAP {NAME_POINTED_HERE} 127.0.0.1",
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]

# Notes every message that is sent, and with which headers a turn is followed; while `answers` or `followed` holds something, that is
# the server's next answer to one. A stream stops at each null until `goOn` is called, and breaks at "cut". What is there to be
# followed outlives a reload.
WATCH_FETCH = """
window.sent = [];
window.answers = [];
window.follows = [];
window.followed = JSON.parse(sessionStorage.getItem("followed") ?? "[]");
const real = window.fetch;
const encoder = new TextEncoder();
const streamOf = (bits) => new ReadableStream({ async start(controller) {
  for (const bit of bits) {
    if (bit === null) await new Promise((resolve) => { window.goOn = resolve; });
    else if (bit === "cut") return controller.error(new TypeError("network error"));
    else controller.enqueue(encoder.encode(bit));
  }
  controller.close();
} });
window.fetch = (url, options = {}) => {
  const { pathname: path } = new URL(url);
  const follows = path.endsWith("/events");
  if (options.method !== "POST" && !follows) return real(url, options);
  if (follows) window.follows.push({ path, headers: options.headers });
  else window.sent.push({ path, headers: options.headers, body: JSON.parse(options.body) });
  const answer = (follows ? window.followed : window.answers).shift();
  if (!answer) return real(url, options);
  if (answer.status === 0) return Promise.reject(new TypeError("Failed to fetch"));
  const body = answer.stream ? streamOf(answer.stream) : JSON.stringify(answer.body);
  return Promise.resolve(new Response(body, { status: answer.status, headers: answer.headers }));
};
"""


def stream(first, bits):
    """An answer that is a stream, with numbered events from `first` on."""
    frames, number = [], first
    for bit in bits:
        if isinstance(bit, dict):
            frames.append(f"event: {bit['event']}\ndata: {json.dumps(bit)}\nid: {number}\n\n")
            number += 1
        else:
            frames.append(bit)
    return {"status": 200, "stream": frames, "headers": {"Content-Type": "text/event-stream"}}


class Page:
    """What a person can do on the page and see of it."""

    def __init__(self, driver):
        self.driver = driver

    def open(self, width=1200, height=800, scheme="light"):
        self.command("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        features = {"prefers-color-scheme": scheme, "prefers-reduced-motion": "reduce"}
        self.command("Emulation.setEmulatedMedia", features=[{"name": name, "value": value} for name, value in features.items()])
        self.command("Page.addScriptToEvaluateOnNewDocument", source=WATCH_FETCH)
        self.driver.get(URL)
        self.until(lambda: self.all("#suggestions button"))
        return self

    def command(self, name, **parameters):
        return self.driver.execute_cdp_cmd(name, parameters)

    def script(self, text, *arguments):
        return self.driver.execute_script(text, *arguments)

    def all(self, selector, within=None):
        return (within or self.driver).find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def until(self, condition, seconds=15):
        return WebDriverWait(self.driver, seconds, poll_frequency=0.05).until(lambda _: condition())

    def press(self, keys, shift=False):
        """Types into whatever has the focus, as a keyboard does."""
        chain = webdriver.ActionChains(self.driver)
        if shift:
            chain.key_down(Keys.SHIFT).send_keys(keys).key_up(Keys.SHIFT).perform()
        else:
            chain.send_keys(keys).perform()

    def say(self, words):
        """Types a message, sends it with Enter and waits until it is answered; gives the turn."""
        before = len(self.all(".turn"))
        self.one("#message").send_keys(words + "\n")
        self.until(lambda: len(self.all(".turn")) == before + 1)
        return self.answered()

    def answered(self):
        self.until(lambda: self.one("#log").get_attribute("aria-busy") == "false")
        return self.all(".turn")[-1]

    def answer_next_with(self, status, body=None, **headers):
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        self.script("window.answers.push(arguments[0])", {"status": status, "body": body or {}, "headers": headers})

    def stream_next(self, *bits):
        """The next answer is a stream: of events (dicts), of bytes as they are (strings), of None for a wait until `go_on`."""
        self.script("window.answers.push(arguments[0])", stream(1, bits))

    def follow_next(self, *answers):
        """The next answers to who follows a turn, also after a reload: statuses (0 for no network), or streams with their first id."""
        answers = [stream(*one) if isinstance(one, tuple) else {"status": one, "body": {}} for one in answers]
        self.script("sessionStorage.setItem('followed', JSON.stringify(window.followed = arguments[0]))", answers)

    def go_on(self):
        self.script("window.goOn()")

    def sent(self):
        return self.script("return window.sent")

    def follows(self):
        return self.script("return window.follows")

    def button(self, label):
        return next(button for button in self.all("button") if button.text == label)

    def offline(self, away):
        self.driver.set_network_conditions(offline=away, latency=0, throughput=-1)

    def console(self):
        return [entry for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]

    def sideways(self):
        """By how many pixels the page is wider than its window."""
        return self.script("return document.documentElement.scrollWidth - window.innerWidth")


@pytest.fixture
def page(tmp_path):
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in [*ARGUMENTS, f"--user-data-dir={tmp_path}/profile"]:
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))
    try:
        yield Page(driver)
    finally:
        driver.quit()
