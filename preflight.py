#!/usr/bin/env python3
"""Looks, before `sam deploy`, whether an account can take what is to be deployed: quotas, region, and what parameters name.

usage: preflight.py [--config-env NAME] [PARAMETER=VALUE…]

Reads the parameters as `sam deploy --config-env NAME` does: defaults of template.yaml, then those of samconfig.toml, then those
given here. Changes nothing. Ends with 1 where a deployment would fail or not work. boto3 comes with aws-sam-cli.
"""

import argparse
import json
import re
import shlex
import sys
import tomllib
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError

ROOT = Path(__file__).parent
# What Lambda keeps for functions without a reservation.
UNRESERVED = 100
# A turn at a time, its step, two workers and a round of `warm`.
FEWEST = 10


def parameters(environment, given):
    """Each parameter's value, as text."""
    template = (ROOT / "template.yaml").read_text(encoding="utf-8")
    block = re.search(r"^Parameters:\n(.*?)^\S", template, re.MULTILINE | re.DOTALL)[1]
    found = re.findall(r'^  (\w+):\n(?:    .*\n)*?    Default: "?(.*?)"?\n', block, re.MULTILINE)
    config = tomllib.loads((ROOT / "samconfig.toml").read_text(encoding="utf-8"))
    if environment not in config:
        sys.exit(f"samconfig.toml has no {environment}; it has {', '.join(name for name in config if name != 'version')}")
    overrides = config[environment].get("deploy", {}).get("parameters", {}).get("parameter_overrides", [])
    if isinstance(overrides, str):
        overrides = shlex.split(overrides)
    values = dict(found)
    for override in [*overrides, *given]:
        name, _, value = override.partition("=")
        if name not in values:
            sys.exit(f"template.yaml has no parameter {name}")
        values[name] = value.strip('"')
    return values


class Preflight:
    def __init__(self, values):
        self.values, self.failed = values, False

    def ok(self, what):
        print(f"ok    {what}")

    def warn(self, what):
        print(f"warn  {what}")

    def fail(self, what):
        print(f"FAIL  {what}")
        self.failed = True

    def run(self):
        for look in (self.region, self.concurrency, self.embedder, self.secrets, self.flags, self.together, self.topic,
                     self.web_acl, self.key, self.access_logs):
            try:
                look()
            except (ClientError, BotoCoreError) as error:
                self.fail(f"{look.__name__} could not be looked at: {error}")

    def region(self):
        region = boto3.session.Session().region_name
        if not region:
            return self.fail("no region is configured: set AWS_REGION, or region in ~/.aws/config")
        caller = boto3.client("sts").get_caller_identity()
        boto3.client("apigateway").get_rest_apis(limit=1)
        self.ok(f"account {caller['Account']} in {region}")

    def concurrency(self):
        limits = boto3.client("lambda").get_account_settings()["AccountLimit"]
        quota, free = limits["ConcurrentExecutions"], limits["UnreservedConcurrentExecutions"]
        reserved = sum(int(self.values[name]) for name in self.values if name.endswith("Concurrency")
                       and name not in ("AccountConcurrency", "EmbedConcurrency"))
        if quota < FEWEST:
            self.fail(f"{quota} functions may run at once; fewer than {FEWEST} answer nobody")
        elif quota < UNRESERVED:
            self.warn(f"{quota} functions may run at once: some {quota // 3} turns. Ask for more: Service Quotas, Lambda, Concurrent executions")
        else:
            self.ok(f"{quota} functions may run at once, {free} of them unreserved")
        if reserved and free - reserved < UNRESERVED:
            self.fail(f"{reserved} executions cannot be reserved: {free} are unreserved, and {UNRESERVED} must stay so")
        if quota != int(self.values["AccountConcurrency"]) and self.values["Monitoring"] == "true":
            self.warn(f"AccountConcurrency={quota} makes ConcurrencyAlarm ring at 80 % of what there is")

    def embedder(self):
        for slot in ("", "Next"):
            if self.values[f"{slot}Embedder"] == "none":
                continue
            model = re.sub(r"[^a-z0-9]", "_", self.values[f"{slot}EmbeddingModel"].lower())
            space = f"{model}_{self.values[f'{slot}EmbeddingDimensions']}"
            if self.values[f"{slot}EmbeddingSpace"] == space:
                self.ok(f"vector index {space}")
            else:
                self.fail(f"{slot}EmbeddingSpace must be {space} for this model and its dimensions")

    def secrets(self):
        for name, path in self.values.items():
            if name.endswith("Parameter") and name != "FlagsParameter" and path:
                parameter = self.parameter(name, path)
                if parameter and parameter["Type"] != "SecureString":
                    self.fail(f"{path} ({name}) is a {parameter['Type']}; make it a SecureString")
                elif parameter:
                    self.ok(f"{path} ({name})")

    def flags(self):
        path = self.values["FlagsParameter"]
        parameter = path and self.parameter("FlagsParameter", path)
        if parameter:
            try:
                json.loads(parameter["Value"])
                self.ok(f"{path} (FlagsParameter)")
            except ValueError:
                self.fail(f"{path} (FlagsParameter) is no JSON, and would be ignored")

    def parameter(self, name, path):
        try:
            return boto3.client("ssm").get_parameter(Name=path)["Parameter"]
        except ClientError as error:
            if error.response["Error"]["Code"] != "ParameterNotFound":
                raise
            self.fail(f"{name} names {path}, which is not in the parameter store of this region")

    def together(self):
        if bool(self.values["AmadeusClientIdParameter"]) != bool(self.values["AmadeusClientSecretParameter"]):
            self.fail("Amadeus needs both AmadeusClientIdParameter and AmadeusClientSecretParameter, or neither")
        if self.values["GradualDeployment"] == "true" != self.values["Monitoring"]:
            self.fail("GradualDeployment needs Monitoring=true")
        if float(self.values["MonthlyBudgetUsd"]) > 0 and not self.values["BudgetEmail"]:
            self.fail("MonthlyBudgetUsd needs BudgetEmail")
        if self.values["Monitoring"] == "true" and not self.values["AlarmTopicArn"]:
            self.warn("without AlarmTopicArn alarms are only shown")

    def topic(self):
        arn = self.values["AlarmTopicArn"]
        if arn:
            boto3.client("sns").get_topic_attributes(TopicArn=arn)
            self.ok(f"{arn} (AlarmTopicArn)")

    def web_acl(self):
        arn = self.values["WebAclArn"]
        if arn:
            _, name, identifier = arn.rsplit("/", 2)
            boto3.client("wafv2").get_web_acl(Name=name, Scope="REGIONAL", Id=identifier)
            self.ok(f"{arn} (WebAclArn)")

    def key(self):
        arn = self.values["TablesKeyArn"]
        if arn:
            key = boto3.client("kms").describe_key(KeyId=arn)["KeyMetadata"]
            told = self.ok if key["KeyState"] == "Enabled" else self.fail
            told(f"{arn} (TablesKeyArn) is {key['KeyState']}")

    def access_logs(self):
        if self.values["AccessLogs"] == "true":
            if boto3.client("apigateway").get_account().get("cloudwatchRoleArn"):
                self.ok("API Gateway may write logs")
            else:
                self.fail("AccessLogs needs a role with which API Gateway may write logs: set it in API Gateway's settings")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--config-env", default="default")
    arguments.add_argument("parameter", nargs="*")
    told = arguments.parse_args()
    preflight = Preflight(parameters(told.config_env, told.parameter))
    preflight.run()
    sys.exit(1 if preflight.failed else 0)


if __name__ == "__main__":
    main()
