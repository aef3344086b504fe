"""What a second deployment changed, with other parameters and the same code. Started by tests/emulator.sh after it."""

import json
import os
import urllib.request

import boto3
from versions import versions

STACK = os.environ["STACK"]
BEFORE = json.loads(os.environ["VERSIONS_BEFORE"])


def test_a_changed_parameter_is_a_version_of_the_functions_that_have_it_and_of_no_other():
    now = versions()
    assert now.keys() == BEFORE.keys() and len(now) == 12
    changed = {name for name in now if now[name] != BEFORE[name]}
    assert changed == {f"{name}Function" for name in ("Chat", "Health", "Ingest", "Web", "Understand", "Respond")}


def test_the_alias_serves_the_new_values():
    resources = boto3.client("cloudformation").describe_stack_resource(
        StackName=STACK, LogicalResourceId="ChatFunction")["StackResourceDetail"]
    live = boto3.client("lambda").get_function_configuration(
        FunctionName=resources["PhysicalResourceId"], Qualifier="live")
    assert live["Environment"]["Variables"]["ALLOWED_ORIGINS"] == "https://example.org,https://example.com"


def test_pages_of_each_allowed_origin_may_call_and_a_preflight_is_answered_by_the_function():
    stack = boto3.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
    url = next(output["OutputValue"] for output in stack["Outputs"] if output["OutputKey"] == "Url")
    for origin in ("https://example.org", "https://example.com"):
        headers = {"origin": origin, "access-control-request-method": "PATCH"}
        request = urllib.request.Request(url + "v1/chat", headers=headers, method="OPTIONS")
        with urllib.request.urlopen(request, timeout=40) as answer:
            assert answer.headers["access-control-allow-origin"] == origin
            assert "PATCH" in answer.headers["access-control-allow-methods"]
            assert "colloquy-session" in answer.headers["access-control-allow-headers"]
