"""What `preflight.py` says of the emulator's account, and that `sam` takes the presets. Started by tests/emulator.sh."""

import os
import subprocess
import sys
from pathlib import Path

import boto3
import pytest

ROOT = Path(__file__).parents[2]
KEY = "DocumentsApiKeyParameter=/colloquy/documents-api-key"


def preflight(*arguments):
    told = subprocess.run([sys.executable, ROOT / "preflight.py", *arguments], capture_output=True, text=True)
    return told.returncode, told.stdout + told.stderr


@pytest.mark.parametrize("preset", ["default", "dev", "prod"])
def test_an_account_that_can_take_a_preset_is_told_so(preset):
    status, told = preflight("--config-env", preset, KEY)
    assert status == 0, told
    assert "ok    account " in told and "ok    /colloquy/documents-api-key" in told


@pytest.mark.parametrize(("parameter", "says"), [
    ("DuffelApiTokenParameter=/no/such", "DuffelApiTokenParameter names /no/such"),
    ("DuffelApiTokenParameter=/colloquy/flags", "make it a SecureString"),
    ("FlagsParameter=/colloquy/documents-api-key", "is no JSON"),
    ("AlarmTopicArn=arn:aws:sns:eu-central-1:000000000000:nobody", "topic could not be looked at"),
    ("ChatConcurrency=100000", "cannot be reserved"),
    ("AccessLogs=true", "may write logs"),
    ("MonthlyBudgetUsd=10", "needs BudgetEmail"),
    ("NoSuchParameter=1", "no parameter NoSuchParameter"),
])
def test_what_would_not_work_is_named(parameter, says):
    status, told = preflight(parameter)
    assert status == 1 and says in told, told


def test_a_vector_index_that_does_not_fit_its_model_is_named():
    status, told = preflight("Embedder=openai", "EmbeddingModel=my-model", "EmbeddingDimensions=8")
    assert status == 1 and "EmbeddingSpace must be my_model_8" in told
    assert preflight("Embedder=openai", "EmbeddingModel=my-model", "EmbeddingDimensions=8", "EmbeddingSpace=my_model_8")[0] == 0
    status, told = preflight("NextEmbedder=openai", "NextEmbeddingModel=my-model", "NextEmbeddingDimensions=8")
    assert status == 1 and "NextEmbeddingSpace must be my_model_8" in told


def test_the_small_preset_becomes_a_change_set_of_a_stack_of_its_own(tmp_path):
    template = Path(os.environ["TEMPLATE"])
    told = subprocess.run(["sam", "deploy", "--template", template, "--config-file", ROOT / "samconfig.toml", "--config-env", "dev",
                           "--no-execute-changeset", "--no-progressbar"], cwd=tmp_path, capture_output=True, text=True)
    assert told.returncode == 0, told.stdout + told.stderr
    cloudformation = boto3.client("cloudformation")
    assert cloudformation.describe_stacks(StackName="colloquy-dev")["Stacks"][0]["StackStatus"] == "REVIEW_IN_PROGRESS"
    cloudformation.delete_stack(StackName="colloquy-dev")
