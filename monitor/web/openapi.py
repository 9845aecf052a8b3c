"""The API's own description, OpenAPI 3.1: made from the table of routes and the Structs, so that it cannot drift."""

import re
from typing import Any

import msgspec
from msgspec import Struct

from monitor.web.refused import Refused
from monitor.web.routes import ROOT, ROUTES, Route

_REFERENCES = "#/components/schemas/{name}"
_ABOUT = (
    "What people and programs see and change of a running monitor. Changes are answered when they are committed. "
    "Texts, labels and links in answers come from posts: hostile, to be escaped by whoever renders them."
)
_MEANS = {
    400: "The request is not understood.",
    401: "The token is missing or wrong.",
    403: "Without a token: another host name, or another site's page.",
    404: "There is no such thing.",
    409: "It is there already, or the configuration cannot take it.",
    413: "The body is too large.",
    429: "Another one is running; come again.",
    503: "The store or the monitor cannot do it now; come again.",
}


def document(version: str) -> dict[str, Any]:
    """The OpenAPI document."""
    structs = {Refused} | {struct for route in ROUTES for struct in (route.answers, route.takes) if struct is not None}
    _, schemas = msgspec.json.schema_components(sorted(structs, key=lambda one: one.__name__), ref_template=_REFERENCES)
    paths: dict[str, dict[str, Any]] = {}
    for route in ROUTES:
        paths.setdefault(ROOT + route.path, {})[route.method.lower()] = _operation(route)
    whole = {
        "openapi": "3.1.0",
        "info": {"title": "Virality monitor", "version": version, "description": _ABOUT},
        "servers": [{"url": "/"}],
        "security": [{}, {"token": []}],
        "paths": paths,
        "components": {"schemas": schemas, "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
    }
    plain: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(whole))
    return plain


def _operation(route: Route) -> dict[str, Any]:
    responses = {str(route.status): {"description": "Done.", "content": _json(route.answers)}}
    for status in sorted({*route.refusals, 401, 403}):
        responses[str(status)] = {"description": _MEANS[status], "content": _json(Refused)}
    operation: dict[str, Any] = {"operationId": route.name, "summary": route.does, "responses": responses}
    if parameters := [*_of_path(route), *_of_query(route)]:
        operation["parameters"] = parameters
    if route.takes is not None:
        operation["requestBody"] = {"required": True, "content": _json(route.takes)}
    elif route.toml:
        operation["requestBody"] = {"required": True, "content": {"application/toml": {"schema": {"type": "string"}}}}
    return operation


def _of_path(route: Route) -> list[dict[str, Any]]:
    names = re.findall(r"\{(\w+)\}", route.path)
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _of_query(route: Route) -> list[dict[str, Any]]:
    if route.query is None:
        return []
    schema = msgspec.json.schema(route.query)["$defs"]
    properties = schema[route.query.__name__]["properties"]
    return [
        {"name": name, "in": "query", "required": False, "schema": _inlined(part, schema)}
        for name, part in properties.items()
    ]


def _inlined(part: dict[str, Any], definitions: dict[str, Any]) -> dict[str, Any]:
    """A parameter's schema with what it refers to in place: the components hold bodies only."""
    if "anyOf" in part:
        return part | {"anyOf": [_inlined(arm, definitions) for arm in part["anyOf"]]}
    if "$ref" in part:
        return dict(definitions[part["$ref"].rpartition("/")[2]])
    return part


def _json(struct: type[Struct]) -> dict[str, Any]:
    return {"application/json": {"schema": {"$ref": _REFERENCES.format(name=struct.__name__)}}}
