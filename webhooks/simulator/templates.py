"""The templates that the simulated providers have approved, and Meta's check of a send against them."""

import re
from dataclasses import dataclass, field
from typing import Any

from webhooks.simulator.replies import graph_refusal
from webhooks.simulator.state import JSON

_BLANK = re.compile(r"\{\{\s*(\w+)\s*\}\}")


def filled(text: str, values: dict[str, str]) -> str:
    return _BLANK.sub(lambda found: values.get(found[1], found[0]), text)


# --- Twilio -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Content:
    sid: str
    name: str
    language: str
    types: JSON
    variables: dict[str, str] = field(default_factory=dict)
    category: str = "UTILITY"

    @property
    def body(self) -> str:
        return str(next(iter(self.types.values())).get("body", ""))


CONTENTS: tuple[Content, ...] = (
    Content(
        "HX00000000000000000000000000000001",
        "class_reminder",
        "en",
        {"twilio/text": {"body": "Hi {{1}}, your class starts {{2}}. See you there!"}},
        {"1": "Ada", "2": "tomorrow at 9:00"},
    ),
    Content(
        "HX00000000000000000000000000000002",
        "payment_received",
        "es",
        {"twilio/text": {"body": "Hola {{1}}, recibimos tu pago de {{2}}. ¡Gracias!"}},
        {"1": "Lucía", "2": "49 EUR"},
    ),
    Content(
        "HX00000000000000000000000000000003",
        "still_interested",
        "en",
        {
            "twilio/quick-reply": {
                "body": "Hello {{1}}, are you still interested in {{2}}?",
                "actions": [{"title": "Yes", "id": "yes"}, {"title": "No, thanks", "id": "no"}],
            }
        },
        {"1": "Ada", "2": "the Saturday group"},
        "MARKETING",
    ),
    Content(
        "HX00000000000000000000000000000004",
        "we_are_back",
        "en",
        {"twilio/text": {"body": "We are back. How can we help?"}},
    ),
)


# --- Meta, through Kapso --------------------------------------------------------------------------------------


def _template(number: int, name: str, language: str, *components: JSON, category: str, named: bool = False) -> JSON:
    return {
        "id": f"90000000000000{number}",
        "name": name,
        "language": language,
        "status": "APPROVED",
        "category": category,
        "parameter_format": "NAMED" if named else "POSITIONAL",
        "components": list(components),
    }


META_TEMPLATES: tuple[JSON, ...] = (
    _template(
        1,
        "class_reminder",
        "en_US",
        {
            "type": "BODY",
            "text": "Hi {{1}}, your class starts {{2}}. See you there!",
            "example": {"body_text": [["Ada", "tomorrow at 9:00"]]},
        },
        {"type": "FOOTER", "text": "Reply STOP to hear no more of this"},
        category="UTILITY",
    ),
    _template(
        2,
        "order_confirmation",
        "en_US",
        {
            "type": "BODY",
            "text": "Thank you, {{customer_name}}. Your order {{order_number}} is confirmed.",
            "example": {
                "body_text_named_params": [
                    {"param_name": "customer_name", "example": "Jessica"},
                    {"param_name": "order_number", "example": "ORD-1"},
                ]
            },
        },
        category="UTILITY",
        named=True,
    ),
    _template(
        3,
        "exam_results",
        "en_US",
        {
            "type": "HEADER",
            "format": "TEXT",
            "text": "Results of {{1}}",
            "example": {"header_text": ["the mock exam"]},
        },
        {
            "type": "BODY",
            "text": "{{1}}, you have {{2}} of {{3}} points.",
            "example": {"body_text": [["Sam", "17", "20"]]},
        },
        {
            "type": "BUTTONS",
            "buttons": [
                {
                    "type": "URL",
                    "text": "See details",
                    "url": "https://school.example/results/{{1}}",
                    "example": ["https://school.example/results/42"],
                },
                {"type": "QUICK_REPLY", "text": "Call me"},
            ],
        },
        category="UTILITY",
    ),
    _template(
        4,
        "recibo",
        "es",
        {"type": "HEADER", "format": "DOCUMENT", "example": {"header_handle": ["https://school.example/recibo.pdf"]}},
        {
            "type": "BODY",
            "text": "Hola {{1}}, aquí está tu recibo.",
            "example": {"body_text": [["Lucía"]]},
        },
        category="UTILITY",
    ),
    _template(
        5, "we_are_back", "en_US", {"type": "BODY", "text": "We are back. How can we help?"}, category="MARKETING"
    ),
    _template(
        6,
        "we_are_back",
        "id",
        {"type": "BODY", "text": "Kami sudah buka lagi. Ada yang bisa kami bantu?"},
        category="MARKETING",
    ),
    _template(7, "spring_offer", "en_US", {"type": "BODY", "text": "Spring offer!"}, category="MARKETING")
    | {"status": "PAUSED"},
)


def check_template(template: JSON) -> None:
    """Raises what Meta would answer. Unknown ones and wrong numbers of values are refused, as are paused ones."""
    name, language = template.get("name"), template.get("language")
    code = language.get("code") if isinstance(language, dict) else None
    known = next((one for one in META_TEMPLATES if (one["name"], one["language"]) == (name, code)), None)
    if known is None:
        raise graph_refusal(
            132001,
            "Template name does not exist in the translation",
            f"template name ({name}) does not exist in {code}",
        )
    if known["status"] == "PAUSED":
        raise graph_refusal(132015, "Template is Paused", f"template name ({name}) is paused", status=400)
    given = template.get("components") or []
    if not isinstance(given, list) or not all(isinstance(part, dict) for part in given):
        raise graph_refusal(100, "Invalid parameter", "components must be a list of objects.")
    for component in known["components"]:
        if component["type"] == "BUTTONS":
            _check_buttons(component["buttons"], given)
        else:
            _check_part(component, given, named=known["parameter_format"] == "NAMED")


def _check_part(component: JSON, given: list[JSON], *, named: bool) -> None:
    kind = component["type"].lower()
    parameters = _parameters(given, kind)
    if component.get("format", "TEXT") != "TEXT":
        wanted = component["format"].lower()
        _check_count(kind, 1, len(parameters))
        if parameters[0].get("type") != wanted:
            raise graph_refusal(132012, "Parameter format does not match", f"{kind}: expected {wanted}")
        return
    blanks = _BLANK.findall(component.get("text", ""))
    _check_count(kind, len(blanks), len(parameters))
    if named and {parameter.get("parameter_name") for parameter in parameters} != set(blanks):
        raise graph_refusal(132012, "Parameter format does not match", f"{kind}: parameter_name is missing or wrong")
    if not all(isinstance(parameter.get("text"), str) and parameter["text"] for parameter in parameters):
        raise graph_refusal(131008, "Required parameter is missing", f"{kind}: a parameter has no text")


def _check_buttons(buttons: list[JSON], given: list[JSON]) -> None:
    for place, button in enumerate(buttons):
        blanks = _BLANK.findall(button.get("url", ""))
        of_it = [part for part in given if str(part.get("index")) == str(place)]
        if blanks or button["type"] == "URL":
            _check_count(f"button {place}", len(blanks), len(_parameters(of_it, "button")))


def _parameters(given: list[JSON], kind: str) -> list[JSON]:
    found: list[Any] = []
    for part in given:
        if str(part.get("type", "")).lower() == kind and isinstance(part.get("parameters"), list):
            found += part["parameters"]
    return [parameter for parameter in found if isinstance(parameter, dict)]


def _check_count(where: str, expected: int, given: int) -> None:
    if expected != given:
        details = (
            f"{where}: number of localizable_params ({given}) does not match the expected number of params ({expected})"
        )
        raise graph_refusal(132000, "Number of parameters does not match the expected number of params", details)
