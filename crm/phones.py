"""Telephone numbers: what was typed or received, as E.164, and the digits under which variants of one number meet.

Facts from the national numbering plans as `phonenumbers` carries them, and from WhatsApp's habit of keeping ids from
before Brazil added a ninth digit and Mexico dropped its leading 1.
"""

import re
from dataclasses import dataclass

import phonenumbers
from phonenumbers import NumberParseException, PhoneNumberFormat

_NOT_DIGITS = re.compile(r"\D")
_SCHEME = re.compile(r"^(whatsapp|tel|sms):", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Phone:
    e164: str
    match: str  # digits; equal for the variants of one number that are safe to unite


def parse(text: str, region: str | None = None) -> Phone | None:
    """A number as a person or a provider wrote it; `region` is the ISO country for numbers without a country code.

    Possible is enough: validity tables age, and a message from a number they do not know still has to arrive.
    """
    cleaned = _SCHEME.sub("", text.strip())
    if re.search(r"[A-Za-z]{3,}", cleaned.split("ext")[0]):
        return None  # vanity letters and alphanumeric senders are not numbers
    number = _parsed(cleaned, region)
    if cleaned.startswith("00") and (number is None or not phonenumbers.is_valid_number(number)):
        cleaned = (
            "+" + cleaned[2:]
        )  # 00 works only where it is the local exit code; elsewhere people write it all the same
        number = _parsed(cleaned, None)
    if number is not None and phonenumbers.is_possible_number(number):
        return from_international(phonenumbers.format_number(number, PhoneNumberFormat.E164))
    return from_international(cleaned) if cleaned.startswith("+") else None


def _parsed(text: str, region: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        return phonenumbers.parse(text, region)
    except NumberParseException:
        return None


def from_international(digits: str) -> Phone | None:
    """A number that begins with its country code, with or without the plus, as WhatsApp ids do."""
    bare = _NOT_DIGITS.sub("", digits)
    if not 6 <= len(bare) <= 15:
        return None
    return Phone(e164="+" + _without_mexican_one(bare), match=match_key(bare))


def _without_mexican_one(digits: str) -> str:
    return "52" + digits[3:] if len(digits) == 13 and digits.startswith("521") else digits


def match_key(digits: str) -> str:
    """One key for the variants that are surely one number. Argentina's 54 and 549 are not: those are look-up only."""
    digits = _without_mexican_one(digits)
    if len(digits) == 13 and digits.startswith("55") and digits[4] == "9" and digits[5] in "6789":
        return digits[:4] + digits[5:]  # without the ninth digit: short ids never had it
    return digits


def lookup_keys(phone: Phone) -> list[str]:
    """Match keys to try, the number's own first; more than one contact found under the others means no guess."""
    digits = phone.match
    keys = [digits]
    if digits.startswith("549") and len(digits) == 13:
        keys.append("54" + digits[3:])
    elif digits.startswith("54") and len(digits) == 12 and digits[2] != "9":
        keys.append("549" + digits[2:])
    return keys
