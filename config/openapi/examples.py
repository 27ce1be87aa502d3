"""An example for every body: a value of each field by its name where it has one, else by its kind."""

from typing import Any

Json = dict[str, Any]
DEEPEST = 7
ID = "0199c0de-7a1b-7c3d-8e4f-5a6b7c8d9e0f"
AT = "2026-11-20T09:30:00Z"
BY_NAME: Json = {
    "phone": "+55 11 91234-5678",
    "phone_normalized": "+5511912345678",
    "name": "Ada Lovelace",
    "title": "Biology, first term",
    "email": "ada@example.com",
    "body": "Hello, is my order on its way?",
    "slug": "demo",
    "lead_status": "qualified",
    "lead_score": 72,
    "timezone": "America/Sao_Paulo",
    "next": None,
    "previous": None,
    "quiz_code": "KIDS1",
    "nickname": "Robin",
    "prefix": "sb_Jc4ZtQ7w",
    "key": "order_number",
    "url": "https://example.com/hooks/switchboard",
    "currency": "EUR",
}


def add(operation: Json, document: Json) -> None:
    bodies = [operation.get("requestBody", {})]
    bodies += [answer for status, answer in operation["responses"].items() if status.startswith("2")]
    for body in bodies:
        for kind, content in body.get("content", {}).items():
            if kind == "application/json" and "example" not in content and "examples" not in content:
                content["example"] = of(content.get("schema", {}), document)


def of(schema: Json, document: Json, name: str = "", depth: int = 0) -> Any:
    if "$ref" in schema:
        return of(document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], document, name, depth)
    for key in ("example", "const", "default"):
        if key in schema:
            return schema[key]
    if "enum" in schema:
        return next((one for one in schema["enum"] if one), None)
    for key in ("allOf", "oneOf", "anyOf"):
        if key in schema:
            return of(schema[key][0], document, name, depth)
    kinds = schema.get("type", "object")
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if depth > DEEPEST:
        return None if "null" in kinds else ([] if "array" in kinds else {})
    return _value(kinds[0], schema, document, name, depth)


def _value(kind: str, schema: Json, document: Json, name: str, depth: int) -> Any:
    known = BY_NAME.get(name)
    if name in BY_NAME and _is_a(known, schema):
        return known
    if kind == "object":
        return {key: of(member, document, key, depth + 1) for key, member in schema.get("properties", {}).items()}
    if kind == "array":
        return [of(schema.get("items", {}), document, name.removesuffix("s"), depth + 1)]
    if kind == "string":
        return _string(schema, name)
    return {"integer": max(1, schema.get("minimum", 1)), "number": 1.5, "boolean": True}.get(kind)


def _string(schema: Json, name: str) -> str:
    fixed = {"uuid": ID, "date-time": AT, "date": AT[:10], "email": BY_NAME["email"], "uri": BY_NAME["url"]}
    return fixed.get(schema.get("format", "")) or name.replace("_", " ") or "text"


def _is_a(value: Any, schema: Json) -> bool:
    kinds = schema.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    if schema.get("format") in {"uuid", "date-time", "date"}:
        return False
    return {type(None): "null", str: "string", int: "integer"}[type(value)] in kinds
