"""What a caller finds right after the first deployment. Started by tests/emulator.sh before anything else asks."""

import json
import os
import urllib.request

import boto3

STACK = os.environ["STACK"]


def test_the_built_in_texts_are_there_at_once_and_without_a_key():
    stack = boto3.client("cloudformation").describe_stacks(StackName=STACK)["Stacks"][0]
    url = next(output["OutputValue"] for output in stack["Outputs"] if output["OutputKey"] == "Url")
    body = json.dumps({"assistant": "fertility", "question": "What is IVF?"}).encode()
    request = urllib.request.Request(url + "v1/ask", data=body, headers={"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=40) as answer:
        reply = json.load(answer)
    assert reply["citations"] and "IVF" in json.dumps(reply["citations"]), reply
