"""Leads schemathesis past the first check: a name made up at random is no assistant's."""

import schemathesis


@schemathesis.hook
def map_body(_, body):
    # Any text fits the schema, so what fitted still does, and what did not still does not.
    if isinstance(body, dict) and isinstance(body.get("assistant"), str) and len(body["assistant"]) % 8:
        return {**body, "assistant": "travel"}
    return body
