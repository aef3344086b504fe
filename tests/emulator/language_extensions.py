"""What AWS::LanguageExtensions leaves to AWS::Serverless: in the resources, parameters are the values they have.

That is all of it that template.yaml relies on; CloudFormation's own does more, and the emulator's does not do this.
"""


def resolved(template, values):
    return {**template, "Resources": _at(template["Resources"], values)}


def _at(node, values):
    if isinstance(node, dict):
        if set(node) == {"Ref"} and node["Ref"] in values:
            return values[node["Ref"]]
        return {key: _at(value, values) for key, value in node.items()}
    if isinstance(node, list):
        return [_at(value, values) for value in node]
    return node
