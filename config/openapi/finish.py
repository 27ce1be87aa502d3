"""The last step of the OpenAPI document: ways to sign in, areas, errors, roads that Django never sees, examples."""

from collections.abc import Iterator
from typing import Any

from config.openapi import examples, roads

Json = dict[str, Any]
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")
WORKSPACE = "/api/v1/workspaces/{workspace}/"

SCHEMES: Json = {
    "bearer": {
        "type": "http",
        "scheme": "bearer",
        "description": "An access token of the identity provider (Supabase), or an API key of the workspace (`sb_…`).",
    },
    "apiKey": {
        "type": "apiKey",
        "in": "header",
        "name": "X-API-Key",
        "description": "The same API key in a header of its own. It does what its scopes say, in its workspace.",
    },
    "cookie": {
        "type": "apiKey",
        "in": "cookie",
        "name": "sb_session_8000",
        "description": "A signed-in browser; the name ends in the server's port. Writes also carry `X-CSRFToken`.",
    },
}
SIGNED_IN: list[Json] = [{"bearer": []}, {"apiKey": []}, {"cookie": []}]

# The area of what stands right below a workspace, or below /api/v1/.
AREAS = {
    "members": "People and access",
    "invitations": "People and access",
    "api-keys": "People and access",
    "audit": "People and access",
    "audit.csv": "People and access",
    "features": "People and access",
    "presence": "People and access",
    "me": "People and access",
    "contacts": "Contacts",
    "attributes": "Contacts",
    "views": "Contacts",
    "imports": "Contacts",
    "duplicates": "Contacts",
    "merges": "Contacts",
    "search": "Contacts",
    "teams": "Conversations",
    "conversations": "Conversations",
    "attachments": "Conversations",
    "channels": "Conversations",
    "labels": "Conversations",
    "saved-replies": "Conversations",
    "macros": "Conversations",
    "drafts": "Conversations",
    "reports": "Conversations",
    "chats": "Web chat",
    "widgets": "Web chat",
    "exams": "Exams",
    "sessions": "Exams",
    "leaderboards": "Leaderboards",
    "billing-accounts": "Billing",
    "payment-attempts": "Billing",
    "deliveries": "Outbox",
    "jobs": "Outbox",
    "crons": "Outbox",
    "outbox": "Outbox",
    "webhook-calls": "Outgoing webhooks",
    "webhook-subscriptions": "Outgoing webhooks",
    "events": "Outgoing webhooks",
    "webhooks": "Incoming webhooks",
}
OTHER = "Workspace"
ABOUT = {
    "People and access": "Who belongs to a workspace and as what, keys for machines, who changed what.",
    "Contacts": "Customers, and everything known about them.",
    "Conversations": "The shared inbox.",
    "Web chat": "A conversation as its customer sees it.",
    "Exams": "Sitting an exam, and watching one.",
    "Leaderboards": "Public boards of quizzes.",
    "Billing": "Stripe's customers and payments.",
    "Outbox": "What came in, what is to be done, and what failed.",
    "Outgoing webhooks": "Other systems that hear what happens here.",
    "Incoming webhooks": "Addresses that providers call. Each is signed in its provider's way.",
    OTHER: "The workspace itself.",
}
# What is said of a parameter wherever it stands without words of its own.
PARAMETERS = {
    "cursor": "From `next` or `previous` of the page before. Opaque.",
    "limit": "Rows of a page, 1 to 200.",
    "workspace": "The workspace's slug.",
    "contact": "A contact's id.",
    "conversation": "A conversation's id.",
    "exam": "An exam's slug.",
    "session": "A session's id.",
    "user": "A person's id.",
}
PROBLEM: Json = {
    "type": "object",
    "description": "RFC 9457. Programs go by `code`, which never changes; people read `detail`. Some add members.",
    "properties": {
        "type": {"type": "string", "const": "about:blank"},
        "title": {"type": "string", "description": "The status in words."},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "code": {"type": "string", "description": "Stable, such as `not_found`, `invalid`, `last_owner`."},
        "detail": {"type": "string", "description": "A sentence that may be shown."},
        "errors": {
            "type": "object",
            "description": "With `invalid`: what is wrong, by field, as a list of sentences.",
            "additionalProperties": True,
        },
        "retry_after": {"type": "number", "description": "With 429 and 503: seconds to wait, as in Retry-After."},
    },
    "required": ["type", "title", "status", "code", "detail"],
    "additionalProperties": True,
}
# name: status, title, code, sentence, members of its own
ERRORS: dict[str, tuple[str, str, str, str, Json]] = {
    "Invalid": (
        "400",
        "Bad Request",
        "invalid",
        "The request is not valid.",
        {"errors": {"limit": ["A whole number from 1 to 200."]}},
    ),
    "NotSignedIn": ("401", "Unauthorized", "not_signed_in", "Sign in first.", {}),
    "Forbidden": ("403", "Forbidden", "forbidden", "Your role does not allow this.", {}),
    "NotFound": ("404", "Not Found", "not_found", "Not found.", {}),
    "Conflict": ("409", "Conflict", "conflict", "Something else got there first.", {}),
    "TooLarge": ("413", "Request Entity Too Large", "too_large", "The request is too large.", {}),
    "TooManyRequests": (
        "429",
        "Too Many Requests",
        "too_many_requests",
        "Too many requests. Wait a moment.",
        {"retry_after": 12},
    ),
    "Unavailable": ("503", "Service Unavailable", "unavailable", "Not available right now. Try again.", {}),
}


def finish(result: Json, generator: Any, request: Any, public: bool) -> Json:
    roads.add(result)
    components = result.setdefault("components", {})
    components["securitySchemes"] = SCHEMES
    components.setdefault("schemas", {})["Problem"] = PROBLEM
    components["responses"] = {name: _response(*error) for name, error in ERRORS.items()}
    result["security"] = SIGNED_IN
    result["tags"] = [{"name": name, "description": words} for name, words in ABOUT.items()]
    for path, method, operation in operations(result):
        operation["tags"] = [area(path)]
        operation.setdefault("summary", operation["operationId"].replace("_", " ").capitalize())
        operation["security"] = _security(operation, path)
        _say_parameters(operation)
        _add_errors(path, method, operation)
    _make_nullable(result)
    for _path, _method, operation in operations(result):
        examples.add(operation, result)
    return result


def operations(document: Json) -> Iterator[tuple[str, str, Json]]:
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                yield path, method, item[method]


def area(path: str) -> str:
    rest = path.removeprefix(WORKSPACE).removeprefix("/api/v1/").lstrip("/")
    noun = rest.split("/")[0]
    return AREAS.get(noun) or ("Contacts" if noun.startswith("contact-") else OTHER)


def _security(operation: Json, path: str) -> list[Json]:
    said = operation.get("security", [])
    if path.startswith("/webhooks/") or said == [{}]:
        return [{}]
    return [*SIGNED_IN, {}] if {} in said else SIGNED_IN


def _say_parameters(operation: Json) -> None:
    for parameter in operation.get("parameters", []):
        if not parameter.get("description") and parameter["name"] in PARAMETERS:
            parameter["description"] = PARAMETERS[parameter["name"]]


def _add_errors(path: str, method: str, operation: Json) -> None:
    fits = {"TooManyRequests", "Unavailable"}
    if operation.get("parameters") or operation.get("requestBody"):
        fits |= {"Invalid", "NotFound"}
    if operation["security"] != [{}]:
        fits |= {"NotSignedIn"}
    if path.startswith(WORKSPACE):
        fits |= {"Forbidden", "NotFound"}
    if method in {"post", "put", "patch", "delete"}:
        fits |= {"Conflict"}
    if operation.get("requestBody"):
        fits |= {"TooLarge"}
    if path.startswith("/webhooks/"):
        fits = {"Invalid", "NotSignedIn", "NotFound", "TooLarge", "Unavailable"} - (
            set() if "{channel}" in path else {"NotFound"}
        )
    responses = operation["responses"]
    for name in ERRORS:
        status = ERRORS[name][0]
        if name in fits and not responses.get(status, {}).get("content"):
            responses[status] = {"$ref": f"#/components/responses/{name}"}
    operation["responses"] = dict(sorted(responses.items()))


def _response(status: str, title: str, code: str, sentence: str, more: Json) -> Json:
    example = {"type": "about:blank", "title": title, "status": int(status), "code": code, "detail": sentence, **more}
    answer: Json = {
        "description": sentence,
        "content": {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}, "example": example}
        },
    }
    if status in {"429", "503"}:
        answer["headers"] = {"Retry-After": {"description": "Seconds to wait.", "schema": {"type": "integer"}}}
    return answer


def _make_nullable(node: Any) -> None:
    """Schemas written by hand say it in the way of 3.0."""
    if isinstance(node, list):
        for member in node:
            _make_nullable(member)
    if not isinstance(node, dict):
        return
    if node.get("nullable") is True and ("type" in node or "$ref" in node or "allOf" in node):
        del node["nullable"]
        if isinstance(node.get("type"), str):
            node["type"] = [node["type"], "null"]
        elif "type" not in node:
            rest = {key: node.pop(key) for key in ("$ref", "allOf") if key in node}
            node["oneOf"] = [rest, {"type": "null"}]
    for member in node.values():
        _make_nullable(member)
