"""Starts ministack with what its REST APIs lack of what template.yaml uses.

Methods named ANY in an API's OpenAPI body, and the integrations that stream: their address, and the framing of their
answers (a prelude, eight NUL bytes, the body), which come whole instead of bit by bit. The permission for a batch of
messages, which in AWS is that for one. And the values of parameters, which AWS::LanguageExtensions puts into a template.
"""

import json

from language_extensions import resolved
from ministack import app
from ministack.core import iam_actions
from ministack.services import apigateway_v1 as rest
from ministack.services.cloudformation import language_extensions

ANY = "x-amazon-apigateway-any-method"
SEPARATOR = "\0" * 8

action_of = iam_actions.extract_iam_action
import_operation = rest._import_operation
lambda_of = rest._extract_lambda_ref_from_integration_uri
proxy_response = rest._lambda_proxy_response
apply_extensions = language_extensions.apply


def action_of_batches_too(*request):
    action = action_of(*request)
    return action.removesuffix("Batch") if action and action.startswith("sqs:") else action


def import_any_too(api, resource, method, *rest_of_it):
    return import_operation(api, resource, "ANY" if method.lower() == ANY else method, *rest_of_it)


def lambda_of_streams_too(uri):
    return lambda_of((uri or "").replace("/response-streaming-invocations", "/invocations"))


def unframed(result):
    framed = result.get("body")
    if isinstance(framed, str) and SEPARATOR in framed:
        prelude, body = framed.split(SEPARATOR, 1)
        result = {**result, "body": {**json.loads(prelude), "body": body}}
    return proxy_response(result)


def extensions_and_parameters(template, parameters):
    return resolved(apply_extensions(template, parameters), parameters)


language_extensions.apply = extensions_and_parameters
iam_actions.extract_iam_action = action_of_batches_too
rest._OPENAPI_HTTP_METHODS = {*rest._OPENAPI_HTTP_METHODS, ANY}
rest._import_operation = import_any_too
rest._extract_lambda_ref_from_integration_uri = lambda_of_streams_too
rest._lambda_proxy_response = unframed
app.main()
