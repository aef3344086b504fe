"""What the transforms make of template.yaml where the emulator cannot show it: it has no CodeDeploy, for example."""

import tomllib
from pathlib import Path

import pytest
from language_extensions import resolved
from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

TEMPLATE = Path(__file__).parents[2] / "template.yaml"


def transformed(**parameters):
    template = yaml_parse(TEMPLATE.read_text(encoding="utf-8"))
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://bucket/key"  # As `sam package` leaves it.
    values = {name: parameter["Default"] for name, parameter in template["Parameters"].items()} | parameters
    return Translator({}, Parser()).translate(resolved(template, values), values)["Resources"]


def versions(**parameters):
    """The logical id of each function's version: another id is another version."""
    resources = transformed(**parameters)
    return {resource["Properties"]["FunctionName"]["Ref"].removesuffix("Function"): name
            for name, resource in resources.items() if resource["Type"] == "AWS::Lambda::Version"}


@pytest.fixture(autouse=True)
def region(monkeypatch):
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")


def test_a_gradual_deployment_of_chat_is_stopped_by_its_alarms():
    resources = transformed(GradualDeployment="true", Monitoring="true")
    policy = resources["ChatFunctionAliaslive"]["UpdatePolicy"]["CodeDeployLambdaAliasUpdate"]
    group = resources[policy["DeploymentGroupName"]["Ref"]]["Properties"]
    assert group["DeploymentConfigName"]["Fn::Sub"][1] == {"ConfigName": "Canary10Percent5Minutes"}
    condition, watched, otherwise = group["AlarmConfiguration"]["Fn::If"]
    assert (condition, watched["Enabled"], otherwise) == ("Monitored", True, {})
    alarms = [alarm["Name"]["Ref"] for alarm in watched["Alarms"]]
    assert alarms == ["ErrorsAlarm", "FailedTurnsAlarm", "SlowAlarm"]
    assert {resources[alarm]["Type"] for alarm in alarms} == {"AWS::CloudWatch::Alarm"}
    assert "DEPLOYMENT_STOP_ON_ALARM" in group["AutoRollbackConfiguration"]["Events"]


def test_the_preset_for_production_is_watched_and_keeps_its_tables():
    config = tomllib.loads((TEMPLATE.parent / "samconfig.toml").read_text(encoding="utf-8"))
    overrides = config["prod"]["deploy"]["parameters"]["parameter_overrides"]
    resources = transformed(**dict(override.split("=") for override in overrides))
    assert "UpdatePolicy" in resources["ChatFunctionAliaslive"]
    table = resources["SessionsTable"]
    assert table["DeletionPolicy"] == {"Fn::If": ["TablesAreKept", "RetainExceptOnCreate", "Delete"]}
    assert resources["TraceSamplingRule"]["Properties"]["SamplingRule"]["FixedRate"] == "0.01"


def test_without_it_a_version_takes_over_at_once():
    resources = transformed(GradualDeployment="false")
    assert "UpdatePolicy" not in resources["ChatFunctionAliaslive"]
    assert not [name for name, resource in resources.items() if resource["Type"].startswith("AWS::CodeDeploy::")]


EVERY = {"Chat", "Embed", "Flights", "Health", "Ingest", "Record", "Respond", "Retrieve", "Session", "Understand", "Warm", "Web"}


@pytest.mark.parametrize(("changed", "functions"), [
    ({"Monitoring": "true"}, EVERY),
    ({"LogLevel": "warn"}, EVERY),
    ({"Tracing": "PassThrough"}, EVERY),
    ({"FlagsParameter": "/colloquy/flags"}, {"Chat", "Flights", "Respond", "Retrieve", "Understand"}),
    ({"AllowedOrigins": "*"}, {"Chat", "Health", "Ingest", "Web"}),
    ({"ChatConcurrency": "5"}, {"Chat"}),
    ({"DuffelApiTokenParameter": "/colloquy/duffel"}, {"Flights"}),
    ({"SessionTtlDays": "14"}, {"Session"}),
    ({"ThrottleRate": "10"}, set()),
])
def test_a_changed_parameter_is_a_version_of_the_functions_that_have_it(changed, functions):
    before, after = versions(), versions(**changed)
    assert before.keys() == after.keys() == EVERY
    assert {name for name in before if before[name] != after[name]} == functions


def test_the_stages_are_deployed_with_every_deployment(monkeypatch):
    def deployments():
        return {name for name, resource in transformed().items() if resource["Type"] == "AWS::ApiGateway::Deployment"}

    before = deployments()
    monkeypatch.setattr("samtranslator.model.apigateway.time.time", lambda: 1.0, raising=False)
    assert len(before) == 2 and before.isdisjoint(deployments())


def test_the_built_in_texts_are_taken_in_with_each_new_version_of_ingest():
    resources = transformed()
    release = resources["BuiltInTexts"]["Properties"]
    assert release["ServiceToken"] == {"Ref": "IngestFunctionAliaslive"}
    assert resources[release["Release"]["Ref"]]["Type"] == "AWS::Lambda::Version"
