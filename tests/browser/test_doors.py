"""A page of another origin, open in the browser of whoever runs Colloquy: what it can reach of it, and read."""

import http.server
import os
import re
import threading
from urllib.parse import urlsplit

import pytest

from conftest import NAME_POINTED_HERE, URL

PORT = urlsplit(URL).port or 80

# Sends a request and says what the page may know of the answer.
ASK = """
const [url, options, done] = arguments;
fetch(url, options).then(async (answer) => done([answer.type, answer.status, await answer.text()]), () => done(["refused"]));
"""
TABLES = {
    "x-amz-target": "DynamoDB_20120810.ListTables",
    "content-type": "application/x-amz-json-1.0",
    "authorization": "AWS4-HMAC-SHA256 Credential=a/20261121/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0",
}
QUEUES = {"x-amz-target": "AmazonSQS.ListQueues", "content-type": "application/x-amz-json-1.0"}


def listening(pid):
    """The ports of the loopback that a process listens on, as the system tells them."""
    sockets = set()
    for link in os.scandir(f"/proc/{pid}/fd"):
        try:
            sockets.update(re.findall(r"socket:\[(\d+)\]", os.readlink(link.path)))
        except OSError:
            pass  # closed meanwhile
    with open(f"/proc/{pid}/net/tcp") as table:
        rows = [row.split() for row in table.readlines()[1:]]
    return {int(row[1].split(":")[1], 16) for row in rows if row[3] == "0A" and row[9] in sockets}


def server():
    """The process behind the page."""
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            if PORT in listening(pid):
                return pid
        except OSError:
            pass  # another user's, or gone
    raise AssertionError(f"nobody listens on {PORT}")


@pytest.fixture
def stranger(page):
    """The browser on a page of another origin."""

    class Empty(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()

        def log_message(self, *_):
            pass

    site = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Empty)
    threading.Thread(target=site.serve_forever, daemon=True).start()
    try:
        page.driver.get(f"http://127.0.0.1:{site.server_port}/")
        yield page
    finally:
        site.shutdown()


def ask(page, url, **options):
    return page.driver.execute_async_script(ASK, url, options)


def test_a_page_of_another_origin_reads_nothing_and_drops_nothing(stranger):
    ports = listening(server()) - {PORT}
    assert len(ports) == 3, "steps, tables and queues"
    for port in ports:
        url = f"http://127.0.0.1:{port}/"
        for headers in (TABLES, QUEUES, {"content-type": "application/json"}):
            assert ask(stranger, url, method="POST", headers=headers, body="{}") == ["refused"], (port, headers)
        assert ask(stranger, url + "steps/session/read", method="POST", headers={"content-type": "application/json"}, body="{}") == ["refused"]
        assert ask(stranger, url) == ["refused"], port
    for path in ("metrics", "v1/health", "v1/assistants"):
        assert ask(stranger, URL + path) == ["refused"], path


def test_a_name_that_is_pointed_at_this_machine_reads_nothing(page):
    for path in ("", "metrics", "v1/assistants"):
        page.driver.get(f"http://{NAME_POINTED_HERE}:{PORT}/{path}")
        assert "unknown-host" in page.driver.page_source, path
    kind, status, text = ask(page, f"http://{NAME_POINTED_HERE}:{PORT}/metrics")
    assert (kind, status) == ("basic", 421) and "colloquy" not in text.replace("urn:colloquy:problem", ""), "its own origin, and told nothing"
    page.driver.get(URL + "metrics")
    assert "_total" in page.driver.page_source, "by its own name it is there"
