"""The deployed stack, as a caller and as an operator see it. Started by tests/emulator.sh, in the order of this file."""

import json
import os
import subprocess
import time
import urllib.error
import urllib.request
import uuid

import boto3
import pytest

STACK = os.environ["STACK"]
KEY = os.environ["DOCUMENTS_KEY"]
FRIDAY = "2026-11-20T09:00:00+05:00[Asia/Karachi]"

cloudformation, sqs, dynamodb, logs = (
    boto3.client(name) for name in ("cloudformation", "sqs", "dynamodb", "logs"))
outputs = {output["OutputKey"]: output["OutputValue"]
           for output in cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]["Outputs"]}
resources = {resource["LogicalResourceId"]: resource["PhysicalResourceId"]
             for page in cloudformation.get_paginator("list_stack_resources").paginate(StackName=STACK)
             for resource in page["StackResourceSummaries"]}


def call(url, body=None, method=None, **headers):
    """The status and the body of an answer, as text."""
    data = None if body is None else json.dumps(body).encode()
    headers = {"content-type": "application/json"} | {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, data=data, headers=headers, method=method)
    try:
        with urllib.request.urlopen(request, timeout=40) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def public(path, *arguments, **headers):
    status, body = call(outputs["Url"] + path, *arguments, **headers)
    return status, json.loads(body) if body else None


def stream_events(path, body):
    status, text = call(outputs["Url"] + path, body)
    assert status == 200, text
    return [line.removeprefix("event: ") for line in text.splitlines() if line.startswith("event: ")]


def say(message, session=None):
    body = {"assistant": "travel", "message": message, "client_time": FRIDAY, "trace": True}
    status, reply = public("v1/chat", body | ({"session_id": session} if session else {}))
    assert status == 200, reply
    assert reply["degraded"] == [], reply["degraded"]
    return reply


def eventually(seconds, attempt):
    """What `attempt` gives once it gives something."""
    end = time.monotonic() + seconds
    while not (outcome := attempt()):
        assert time.monotonic() < end, f"not within {seconds} s"
        time.sleep(0.5)
    return outcome


def log_lines(message):
    events = logs.filter_log_events(logGroupName=outputs["LogGroup"])["events"]
    lines = (event["message"] for event in events if event["message"].startswith("{"))
    return [line for line in map(json.loads, lines) if line.get("message") == message]


def test_it_is_healthy():
    status, report = public("v1/health")
    assert (status, report["status"]) == (200, "ok"), report


def test_a_session_goes_through_all_steps_and_is_kept():
    first = say("fly me from Lahore to Dubai next Friday")
    assert first["action"] == "search_flights"
    assert first["slots"]["departure_date"] == "2026-11-27"
    assert {"understand", "begin", "flights", "respond", "commit"} <= set(first["timings_ms"])
    assert first["reply"].startswith("I found ")
    second = say("no, Doha, and for two people", first["session_id"])
    assert second["slots"]["origin"]["iata"] == "LHE"
    assert second["slots"]["destination"]["iata"] == "DOH"
    assert second["slots"]["passengers"]["adults"] == 2
    session = {"colloquy_session": first["session_id"]}
    status, kept = public("v1/session", **session)
    assert (status, len(kept["turns"])) == (200, 2)
    status, turn = public(f"v1/turns/{second['turn_id']}", **session)
    assert (status, turn["reply"]) == (200, second["reply"])
    assert public(f"v1/turns/{second['turn_id']}")[0] == 202, "without the session, as a turn that nobody knows yet"
    assert public("v1/session", None, "DELETE", **session)[0] == 204
    assert public("v1/session", **session)[0] == 404


def test_a_repeated_request_is_the_same_turn():
    body = {"assistant": "travel", "message": "to Oslo", "client_time": FRIDAY}
    key = str(uuid.uuid4())
    answers = [public("v1/chat", body, idempotency_key=key) for _ in range(2)]
    assert [status for status, _ in answers] == [200, 200], answers
    assert answers[0] == answers[1]


def test_a_stream_has_all_its_events():
    body = {"assistant": "travel", "message": "fly me from Lahore to Dubai next Friday", "client_time": FRIDAY}
    events = stream_events("v1/chat/stream", body)
    assert (events[0], events[-1]) == ("turn", "done"), events
    assert {"step", "offers", "delta"} <= set(events)


def test_the_page_and_the_description_are_served():
    status, page = call(outputs["Url"])
    assert status == 200 and page.lstrip().lower().startswith("<!doctype html>")
    status, description = public("v1/openapi.json")
    assert status == 200 and "/v1/chat" in description["paths"]


def test_steps_refuse_who_does_not_sign():
    status, _ = call(outputs["StepsUrl"] + "/steps/understand", {"assistant": "travel", "words": "hello"})
    assert status == 403


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer another key"}])
def test_documents_refuse_a_wrong_key(headers):
    document = {"assistant": "travel", "source": "rules", "content_type": "text/plain", "content": "Anything."}
    status, problem = public("v1/documents", document, **headers)
    assert (status, problem["type"]) == (401, "urn:colloquy:problem:unauthorized")


def test_a_document_is_embedded_by_the_queue_and_answers_a_question():
    key = {"authorization": f"Bearer {KEY}"}
    document = {"assistant": "travel", "source": "Bag rules", "content_type": "text/plain",
                "content": "A checked bag may weigh 23 kilos on every flight."}
    status, taken = public("v1/documents", document, **key)
    assert (status, taken["pending"]) == (202, 1), taken
    embedded = eventually(60, lambda: public("v1/documents/" + taken["id"], **key)[1]["embedded"])
    assert embedded == 1
    status, reply = public("v1/ask", {"assistant": "travel", "question": "How much may a checked bag weigh?"})
    assert status == 200
    assert (reply["retrieval"], reply["written_by"], reply["degraded"]) == ("hybrid", "model", [])
    assert [citation["source"] for citation in reply["citations"]] == ["Bag rules"]
    question = {"assistant": "travel", "question": "How much may a checked bag weigh?"}
    assert stream_events("v1/ask/stream", question)[-1] == "done"
    assert public("v1/documents/" + taken["id"], None, "DELETE", **key)[0] == 204
    assert public("v1/documents/" + taken["id"], **key)[0] == 404


def test_what_was_said_is_listed_and_rated():
    reply = say("fly me from Oslo to Rome tomorrow")
    status, kept = public(f"v1/sessions/{reply['session_id']}/turns")
    assert (status, [turn["turn_id"] for turn in kept["turns"]]) == (200, [reply["turn_id"]])
    rated = f"v1/turns/{reply['turn_id']}/feedback"
    assert public(rated, {"rating": "up", "comment": "quick"})[0] in (200, 204)
    assert public("v1/turns/01M7Z298JKHWM05QFP7WSS70RX/feedback", {"rating": "up"})[0] == 404


def test_a_turn_is_counted_by_the_queue():
    say("fly me from Oslo to Rome tomorrow")
    assert eventually(60, lambda: dynamodb.scan(TableName=resources["TotalsTable"])["Items"])


@pytest.mark.parametrize("queue", ["Chunks", "Turns"])
def test_a_poison_message_ends_in_the_dead_letter_queue(queue):
    source, dead = resources[queue + "Queue"], resources[f"Dead{queue}Queue"]
    sqs.send_message(QueueUrl=source, MessageBody="not what a worker reads")
    messages = eventually(60, lambda: sqs.receive_message(QueueUrl=dead, WaitTimeSeconds=1).get("Messages"))
    assert [message["Body"] for message in messages] == ["not what a worker reads"]
    count = sqs.get_queue_attributes(QueueUrl=source, AttributeNames=["ApproximateNumberOfMessages"])
    assert count["Attributes"]["ApproximateNumberOfMessages"] == "0"


@pytest.mark.parametrize("function", ["Embed", "Record"])
def test_a_worker_looks_for_what_no_message_tells(function):
    answer = boto3.client("lambda").invoke(FunctionName=resources[function + "Function"], Payload=b'{"sweep": true}')
    assert "FunctionError" not in answer, answer["Payload"].read()


def test_one_trace_goes_through_all_functions():
    trace = uuid.uuid4().hex
    body = {"assistant": "travel", "message": "fly me from Oslo to Rome tomorrow"}
    assert public("v1/chat", body, traceparent=f"00-{trace}-00f067aa0ba902b7-01")[0] == 200

    def functions():
        events = logs.filter_log_events(logGroupName=outputs["LogGroup"], filterPattern=f'"{trace}"')["events"]
        lines = [json.loads(event["message"]) for event in events if event["message"].startswith("{")]
        return {line["span"]["function"] for line in lines if line["span"]["trace"] == trace}

    assert eventually(60, lambda: {"chat", "understand", "session", "flights", "respond", "record"} <= functions())


def test_the_flags_are_read_from_their_parameter():
    line = eventually(30, lambda: log_lines("the flags have changed"))[0]
    assert "Sequential" in line["flags"]


def test_what_is_measured_is_in_the_log_as_embedded_metrics():
    say("fly me from Lahore to Dubai next Friday")

    def measured():
        events = logs.filter_log_events(logGroupName=outputs["LogGroup"])["events"]
        documents = [json.loads(event["message"]) for event in events if event["message"].startswith('{"_aws":')]
        return {(metric["Name"], *sorted(dimensions)) for document in documents
                for directive in document["_aws"]["CloudWatchMetrics"] if directive["Namespace"] == STACK
                for dimensions in directive["Dimensions"] for metric in directive["Metrics"]}

    expected = {("cold_starts_total", "function"), ("cost_usd_total", "assistant", "function"),
                ("queue_age_seconds", "function"), ("request_duration_seconds", "function", "route"),
                ("requests_in_flight", "function"), ("requests_total", "function", "status"),
                ("tokens_total", "function", "kind", "model"), ("turn_duration_seconds", "function", "model"),
                ("turns_total", "function", "outcome"), ("upstream_calls_total", "endpoint", "function", "outcome"),
                ("upstream_duration_seconds", "endpoint", "function")}
    assert eventually(60, lambda: expected <= measured() or time.sleep(1)), expected - measured()
    alarms = boto3.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert len(alarms) == 11, [alarm["AlarmName"] for alarm in alarms]


def test_the_schedule_keeps_every_part_warm():
    line = eventually(90, lambda: log_lines("warmed"))[-1]
    parts = json.loads(line["parts"])
    assert line["failed"] == 0, parts
    assert set(parts) == {"chat", "understand", "session", "flights", "retrieve", "respond"}
    assert parts["retrieve"]["ready"] == ["defi", "fertility", "therapy", "travel"]


def test_no_call_was_refused_for_a_missing_permission():
    events = logs.filter_log_events(logGroupName=outputs["LogGroup"])["events"]
    assert events
    assert [event["message"] for event in events if "AccessDenied" in event["message"]] == []


def test_deleting_the_stack_leaves_nothing():
    subprocess.run(["sam", "delete", "--stack-name", STACK, "--no-prompts"], check=True, capture_output=True)
    left = {
        "tables": dynamodb.list_tables()["TableNames"],
        "queues": sqs.list_queues().get("QueueUrls", []),
        "functions": boto3.client("lambda").list_functions()["Functions"],
        "schedules": boto3.client("scheduler").list_schedules()["Schedules"],
        "log groups": logs.describe_log_groups()["logGroups"],
        "APIs": boto3.client("apigateway").get_rest_apis()["items"],
        "roles": boto3.client("iam").list_roles()["Roles"],
    }
    assert {kind: found for kind, found in left.items() if found} == {}
