"""Makes the copy of template.yaml that an emulator on this machine can run: the same resources, with what it cannot do told apart.

usage: prepare.py TEMPLATE CODE_FOLDER ENDPOINT > COPY
"""

import sys

from samcli.yamlhelper import yaml_dump, yaml_parse


# What it cannot make.
UNKNOWN = {"AWS::XRay::SamplingRule"}


def prepared(template, code, endpoint):
    function = template["Globals"]["Function"]
    function["Architectures"] = ["x86_64"]
    function["Environment"]["Variables"]["AWS_ENDPOINT_URL"] = endpoint
    for name in [name for name, resource in template["Resources"].items() if resource["Type"] in UNKNOWN]:
        del template["Resources"][name]
    for resource in template["Resources"].values():
        properties = resource["Properties"]
        if resource["Type"] == "AWS::Serverless::Function":
            properties["CodeUri"] = f"{code}/{resource.pop('Metadata')['BuildProperties']['Binary']}"
        if "ScalingConfig" in properties:
            # It compares a number that comes from a parameter as text.
            properties["ScalingConfig"] = {"MaximumConcurrency": 5}
        if "Metrics" in properties:
            # It does not calculate: the alarm is on one of the metrics, instead of their ratio.
            stat = next(metric["MetricStat"] for metric in properties.pop("Metrics") if "MetricStat" in metric)
            properties |= stat.pop("Metric") | {"Period": stat["Period"], "Statistic": stat["Stat"]}
    return at(template, endpoint)


def at(node, endpoint):
    """The same, with the APIs' public addresses at the emulator's."""
    if isinstance(node, dict):
        return {key: at(value, endpoint) for key, value in node.items()}
    if isinstance(node, list):
        return [at(value, endpoint) for value in node]
    if isinstance(node, str) and ".execute-api." in node and node.startswith("https://"):
        api, path = node.removeprefix("https://").split(".execute-api.${AWS::Region}.${AWS::URLSuffix}")
        return f"{endpoint}/_aws/execute-api/{api}{path}"
    return node


if __name__ == "__main__":
    path, code, endpoint = sys.argv[1:]
    with open(path, encoding="utf-8") as file:
        print(yaml_dump(prepared(yaml_parse(file.read()), code, endpoint)))
