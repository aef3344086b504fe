"""What SAM makes of template.yaml where deployments are gradual. The emulator has no CodeDeploy, so this is as far as it can be tried."""

from pathlib import Path

import pytest
from samcli.yamlhelper import yaml_parse
from samtranslator.parser.parser import Parser
from samtranslator.translator.translator import Translator

TEMPLATE = Path(__file__).parents[2] / "template.yaml"


def transformed(**parameters):
    template = yaml_parse(TEMPLATE.read_text(encoding="utf-8"))
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://bucket/key"  # As `sam package` leaves it.
    return Translator({}, Parser()).translate(template, parameters)["Resources"]


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


def test_without_it_a_version_takes_over_at_once():
    resources = transformed(GradualDeployment="false")
    assert "UpdatePolicy" not in resources["ChatFunctionAliaslive"]
    assert not [name for name, resource in resources.items() if resource["Type"].startswith("AWS::CodeDeploy::")]
