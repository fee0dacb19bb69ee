"""The API's table, and the OpenAPI 3.1 document made from it."""

import re
from functools import cache
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from dashboards.api import calls, casework, looking, models, running
from dashboards.api.endpoint import AFTER, LIMIT, SCOPE, Endpoint, Parameter
from dashboards.console.access import Access
from hinomi.incident import Status

BEHIND = Parameter("after", "`next` of the page before.", {"type": "string", "maxLength": 400})
STATUS = Parameter("status", "Only these.", {"type": "string", "enum": [status.value for status in Status]})
SEARCH = (
    Parameter("q", "A query in the search language.", {"type": "string", "maxLength": 8000}),
    Parameter(
        "from",
        "From this time on (ISO 8601; Japan time where it names no zone).",
        {"type": "string", "maxLength": 40},
    ),
    Parameter("to", "Before this time.", {"type": "string", "maxLength": 40}),
    Parameter("dataset", "Only this dataset.", {"type": "string", "maxLength": 200}),
    LIMIT,
    BEHIND,
)
R, W, A = Access.READ, Access.WORK, Access.APPROVE
ONE = "/incidents/{number:int}"
ENDPOINTS = (
    Endpoint(
        "GET",
        "/incidents",
        R,
        "Incidents, newest first",
        calls.incidents,
        models.Incidents,
        None,
        (STATUS, LIMIT, AFTER),
        apart=True,
    ),
    Endpoint("GET", ONE, R, "One incident", calls.incident, models.Incident, apart=True),
    Endpoint(
        "POST",
        f"{ONE}/acknowledge",
        W,
        "Take an incident",
        calls.acknowledge,
        models.Incident,
        models.Nothing,
        apart=True,
    ),
    Endpoint(
        "POST",
        f"{ONE}/assign",
        W,
        "Assign an incident",
        calls.assign,
        models.Incident,
        models.Assign,
        apart=True,
    ),
    Endpoint(
        "POST", f"{ONE}/comment", W, "Add a note", calls.comment, models.Incident, models.Comment, apart=True
    ),
    Endpoint(
        "POST",
        f"{ONE}/close",
        W,
        "Close with a verdict",
        calls.close,
        models.Incident,
        models.Close,
        apart=True,
    ),
    Endpoint(
        "POST", f"{ONE}/reopen", W, "Open again", calls.reopen, models.Incident, models.Reason, apart=True
    ),
    Endpoint(
        "POST", f"{ONE}/grade", W, "Set the grade", calls.regrade, models.Incident, models.Grade, apart=True
    ),
    Endpoint(
        "GET",
        "/approvals",
        R,
        "Requests for approval",
        calls.approvals,
        models.Listed,
        None,
        (LIMIT, AFTER),
        apart=True,
    ),
    Endpoint(
        "POST",
        "/approvals/{approval}",
        A,
        "Approve or deny a plan",
        calls.decide,
        models.Listed,
        models.Decision,
        apart=True,
    ),
    Endpoint("GET", "/runs", R, "Playbook runs", calls.runs, models.Listed, None, (LIMIT, AFTER), apart=True),
    Endpoint("GET", "/alerts", R, "Alerts", calls.alerts, models.Listed, None, (LIMIT, AFTER), apart=True),
    Endpoint("GET", "/events", R, "Search events", calls.events, models.Found, None, SEARCH, apart=True),
    Endpoint("GET", "/sources", R, "Health of the sources", calls.sources, models.Listed, apart=True),
    Endpoint("GET", "/rules", R, "Rules in force", calls.rules, models.Listed),
    Endpoint("GET", "/compliance", R, "Controls and their state", calls.compliance, models.Listed),
    Endpoint(
        "GET",
        "/reports",
        R,
        "Reports that were made",
        calls.reports,
        models.Listed,
        None,
        (LIMIT, AFTER),
        apart=True,
    ),
    *casework.ENDPOINTS,
    *running.ENDPOINTS,
    *looking.ENDPOINTS,
)


@cache
def openapi() -> dict[str, Any]:
    """The document. Answers: what each returns, and problem details for everything that can go wrong."""
    used: dict[str, type[BaseModel]] = {
        one.__name__: one for e in ENDPOINTS for one in (e.returns, e.given, models.Problem) if one
    }
    _, definitions = models_json_schema(
        [(one, "validation") for one in used.values()], ref_template="#/components/schemas/{model}"
    )
    paths: dict[str, Any] = {}
    for endpoint in ENDPOINTS:
        paths.setdefault(_path(endpoint), {})[endpoint.method.lower()] = _operation(endpoint)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Hinomi",
            "version": "1",
            "description": "The console as an API. Tokens are made on the account page.",
        },
        "servers": [{"url": "/api/v1"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
            "schemas": definitions["$defs"],
        },
    }


def _path(endpoint: Endpoint) -> str:
    return re.sub(r":int\}", "}", endpoint.path)


def _operation(endpoint: Endpoint) -> dict[str, Any]:
    made: dict[str, Any] = {
        "summary": endpoint.about,
        "operationId": f"{endpoint.handler.__name__}",
        "description": f"Scope: {SCOPE[endpoint.access]}.{_DESK if endpoint.desk else ''}",
        "parameters": [*_in_path(endpoint), *map(_in_query, endpoint.parameters)],
        "responses": {
            "200": {
                "description": "Done.",
                "content": {"application/json": {"schema": _ref(endpoint.returns)}},
            },
            **{code: _wrong(words) for code, words in _WRONG.items()},
        },
    }
    if endpoint.given is not None:
        made["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": _ref(endpoint.given)}},
        }
    return made


_DESK = " The rules of the desk hold as on the page: a well-formed body may be refused with 400 or 403."
_WRONG = {
    "400": "Something in the request is not valid.",
    "401": "No valid token.",
    "403": "The token, its user or the rules of the desk do not allow it.",
    "404": "There is nothing under this address.",
    "409": "Somebody changed it at the same time.",
    "503": "A server does not answer.",
}


def _wrong(words: str) -> dict[str, Any]:
    return {"description": words, "content": {"application/problem+json": {"schema": _ref(models.Problem)}}}


def _ref(model: type[BaseModel]) -> dict[str, str]:
    return {"$ref": f"#/components/schemas/{model.__name__}"}


def _in_path(endpoint: Endpoint) -> list[dict[str, Any]]:
    found = re.findall(r"\{(\w+)(:int)?\}", endpoint.path)
    whole = {"type": "integer", "minimum": 0, "maximum": 2**31}
    word = {"type": "string", "minLength": 1, "pattern": "^[A-Za-z0-9._-]+$"}
    return [
        {"name": name, "in": "path", "required": True, "schema": whole if number else word}
        for name, number in found
    ]


def _in_query(one: Parameter) -> dict[str, Any]:
    return {"name": one.name, "in": "query", "description": one.about, "schema": one.schema}
