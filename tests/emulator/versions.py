"""The versions that the aliases of the stack's functions point to, as JSON: {"ChatFunction": "1", …}."""

import json
import os

import boto3


def versions():
    pages = boto3.client("cloudformation").get_paginator("list_stack_resources").paginate(StackName=os.environ["STACK"])
    functions = {resource["LogicalResourceId"]: resource["PhysicalResourceId"]
                 for page in pages for resource in page["StackResourceSummaries"]
                 if resource["ResourceType"] == "AWS::Lambda::Function"}
    alias = boto3.client("lambda").get_alias
    return {name: alias(FunctionName=function, Name="live")["FunctionVersion"] for name, function in functions.items()}


if __name__ == "__main__":
    print(json.dumps(versions()))
