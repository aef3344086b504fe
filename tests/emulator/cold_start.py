"""Starts each function under Lambda's runtime interface emulator and measures its first answer. Run by tests/cold-start.sh.

usage: cold_start.py BINARIES ROUNDS
"""

import io
import json
import os
import socket
import statistics
import subprocess
import sys
import threading
import time
import urllib.request
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import samcli

EVENTS = Path(__file__).parents[2] / "events"
EMULATOR = Path(samcli.__file__).parent / "local/rapid/aws-lambda-rie-x86_64"


class Empty(BaseHTTPRequestHandler):
    """Tables and queues that answer at once and hold nothing; and no steps."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self):
        self.rfile.read(int(self.headers.get("content-length", 0)))
        body = b'{"Items": [], "Count": 0, "Successful": [], "Failed": [], "Responses": {}}'
        self.send_response(404 if self.path.startswith("/steps/") else 200)
        self.send_header("content-type", "application/x-amz-json-1.0")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST

    def log_message(self, *arguments):
        pass


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def event(function):
    if function == "hello":
        return b"{}"
    text = (EVENTS / f"{function}.json").read_text()
    if function == "chat":
        # A turn is as long as its steps; this is chat alone.
        whole = json.loads(text) | {"path": "/v1/assistants", "resource": "/v1/assistants", "httpMethod": "GET", "body": None}
        text = json.dumps(whole)
    return text.encode()


def first_answer(bootstrap, function, environment):
    """Milliseconds from the call that starts the process to its answer, and the answer's status where it has one."""
    port, runtime = free_port(), free_port()
    emulator = subprocess.Popen(
        [EMULATOR, "--log-level", "error", "--runtime-interface-emulator-address", f"127.0.0.1:{port}",
         "--runtime-api-address", f"127.0.0.1:{runtime}", bootstrap],
        env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.01)
        url = f"http://127.0.0.1:{port}/2015-03-31/functions/function/invocations"
        started = time.monotonic()
        with urllib.request.urlopen(urllib.request.Request(url, event(function)), timeout=60) as answer:
            body = answer.read()
        took = (time.monotonic() - started) * 1000
    finally:
        emulator.terminate()
        emulator.wait()
    assert b"errorType" not in body, (function, body)
    return took


def zip_size(binary):
    """In MB, as `cargo lambda build` and `sam package` make it: one stripped file, deflated."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as file:
        file.write(binary, "bootstrap")
    return len(buffer.getvalue()) / 1e6


def main():
    binaries, rounds = Path(sys.argv[1]), int(sys.argv[2])
    server = ThreadingHTTPServer(("127.0.0.1", 0), Empty)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    environment = {
        "PATH": os.environ["PATH"], "AWS_REGION": "eu-central-1", "AWS_DEFAULT_REGION": "eu-central-1",
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_ENDPOINT_URL": url,
        "AWS_LAMBDA_FUNCTION_NAME": "function", "AWS_LAMBDA_FUNCTION_VERSION": "1", "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "512",
        "AWS_LAMBDA_FUNCTION_TIMEOUT": "60", "AWS_LAMBDA_HTTP_IGNORE_STAGE_IN_PATH": "true", "RUST_LOG": "off",
        # One file, as Amazon Linux has it; Debian has a folder of links to each certificate as well.
        "SSL_CERT_FILE": "/etc/ssl/certs/ca-certificates.crt",
        "STEPS_URL": url, "STEPS_AUTH": "iam", "PUBLIC_URL": url, "DOCUMENTS_API_KEY": "a key for documents",
        "TURNS_QUEUE_URL": f"{url}/turns", "CHUNKS_QUEUE_URL": f"{url}/chunks",
        "DEAD_TURNS_QUEUE_URL": f"{url}/dead-turns", "DEAD_CHUNKS_QUEUE_URL": f"{url}/dead-chunks",
        **{f"{name}_TABLE": name.lower() for name in ("SESSIONS", "TURNS", "IDEMPOTENCY", "TOTALS", "KNOWLEDGE")},
    }
    functions = ["hello"] + sorted(path.stem for path in EVENTS.glob("*.json"))
    paths = {name: binaries / ("examples/hello" if name == "hello" else name) for name in functions}
    times = {name: [] for name in functions}
    for _ in range(rounds):
        # In turns, so that what else the machine does hits all alike.
        for name in functions:
            times[name].append(first_answer(paths[name], name, environment))
    hello = statistics.median(times["hello"])
    print("| function | process start to first answer, median (all) | to one that does nothing | zip |")
    print("| --- | --- | --- | --- |")
    for name in functions:
        median = statistics.median(times[name])
        print(f"| `{name}` | {median:.1f} ms ({min(times[name]):.1f} to {max(times[name]):.1f}) "
              f"| {median / hello:.1f} × | {zip_size(paths[name]):.1f} MB |")


if __name__ == "__main__":
    main()
