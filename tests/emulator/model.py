"""A stand-in for a server that speaks OpenAI's wire format: vectors by the letters of a text, and a reply that takes its time.

usage: model.py ADDRESS PORT
"""

import json
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

WORDS = ["One", " word", " after", " the", " other", " [1]", "."]
PAUSE_S = 0.3


def vector(text):
    """Eight numbers: how often letters of eight groups occur. Texts of the same letters lie close together."""
    counts = [1.0] * 8
    for letter in text.lower():
        if letter.isalpha():
            counts[ord(letter) % 8] += 1.0
    length = sum(count * count for count in counts) ** 0.5
    return [count / length for count in counts]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        if self.path == "/v1/models":
            self.answer({"object": "list", "data": []})
        else:
            self.send_error(404)

    def do_POST(self):
        asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
        if self.path == "/v1/embeddings":
            data = [{"index": index, "embedding": vector(text)} for index, text in enumerate(asked["input"])]
            self.answer({"data": data, "model": asked["model"], "usage": {"prompt_tokens": 1, "total_tokens": 1}})
        elif self.path == "/v1/chat/completions":
            self.write_slowly()
        else:
            self.send_error(404)

    def answer(self, body):
        body = json.dumps(body).encode()
        self.send_response(200)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def write_slowly(self):
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        for word in WORDS:
            self.event({"choices": [{"index": 0, "delta": {"content": word}}]})
            time.sleep(PAUSE_S)
        self.event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
        self.event({"choices": [], "usage": {"prompt_tokens": 100, "completion_tokens": len(WORDS)}})
        self.wfile.write(b"data: [DONE]\n\n")
        self.close_connection = True

    def event(self, body):
        self.wfile.write(f"data: {json.dumps(body)}\n\n".encode())
        self.wfile.flush()

    def log_message(self, *arguments):
        pass


if __name__ == "__main__":
    ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
