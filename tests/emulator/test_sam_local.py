"""Every function in a container, invoked by `sam local invoke` with its file in events/. Started by tests/sam-local.sh."""

import json
import os
import subprocess
from pathlib import Path

import boto3
import pytest

STACK = os.environ["STACK"]
EVENTS = Path(__file__).parents[2] / "events"
FUNCTIONS = sorted(event.stem for event in EVENTS.glob("*.json"))


@pytest.fixture(scope="session")
def variables(tmp_path_factory):
    """What the deployed functions have in their environments, by the template's names of them."""
    functions = {}
    for page in boto3.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=STACK):
        for resource in page["StackResourceSummaries"]:
            if resource["ResourceType"] == "AWS::Lambda::Function":
                deployed = boto3.client("lambda").get_function_configuration(
                    FunctionName=resource["PhysicalResourceId"])
                functions[resource["LogicalResourceId"]] = deployed["Environment"]["Variables"]
    path = tmp_path_factory.mktemp("sam") / "variables.json"
    path.write_text(json.dumps(functions))
    return path


def invoke(function, variables):
    """What the function answers. sam's exit status says nothing of it."""
    run = subprocess.run(
        ["sam", "local", "invoke", f"{function.capitalize()}Function", "--template", "template.yaml",
         "--event", EVENTS / f"{function}.json", "--env-vars", variables, "--skip-pull-image"],
        capture_output=True, text=True, timeout=300)
    assert run.stdout.strip(), run.stderr
    assert "errorType" not in run.stdout, run.stdout + run.stderr
    return run.stdout.strip()


def test_there_is_an_event_for_every_function():
    assert FUNCTIONS == sorted(folder.name for folder in (EVENTS.parent / "functions").iterdir() if folder.is_dir())


def body_of(answer, status):
    answer = json.loads(answer)
    assert answer["statusCode"] == status, answer
    return answer["body"]


def check(function, answer):
    """Whether the answer is what the function is for."""
    if function in ("embed", "record"):
        assert json.loads(answer) == {"batchItemFailures": []}
    elif function == "warm":
        summary = json.loads(answer)
        assert summary["failed"] == 0, summary
        assert summary["parts"]["retrieve"]["ready"] == ["defi", "fertility", "therapy", "travel"]
    elif function == "respond":
        # A stream: a prelude, eight NUL bytes, then events; the emulator of the runtime hands it over whole.
        assert '"statusCode":200' in answer and '"type":"done"' in answer, answer
    elif function == "web":
        assert body_of(answer, 200).lower().startswith("<!doctype html>")
    else:
        body = json.loads(body_of(answer, 202 if function == "ingest" else 200))
        expected = {
            "chat": lambda: body["action"] == "search_flights" and body["offers"] and body["degraded"] == [],
            "flights": lambda: body["offers"] and body["degraded"] == [],
            "health": lambda: body["status"] == "ok",
            "ingest": lambda: body["chunks"] > 0,
            "retrieve": lambda: "passages" in body,
            "session": lambda: body["kind"] == "turn",
            "understand": lambda: len(body["places"]) == 2,
        }
        assert expected[function](), body


@pytest.mark.parametrize("function", FUNCTIONS)
def test_it_answers_its_event(function, variables):
    check(function, invoke(function, variables))
