"""Telephone numbers: what was typed or received, as E.164, and the digits under which variants of one number meet.

Facts from the national numbering plans as `phonenumbers` carries them, and from WhatsApp's habit of keeping ids from
before Brazil added a ninth digit and Mexico dropped its leading 1.
"""

import re
import unicodedata
from dataclasses import dataclass
from functools import cache

import phonenumbers
from phonenumbers import COUNTRY_CODE_TO_REGION_CODE, NumberParseException, PhoneMetadata, PhoneNumberFormat

_NOT_DIGITS = re.compile(r"\D")
_SCHEME = re.compile(r"^(whatsapp|tel|sms):", re.IGNORECASE)
_LONGEST = 250  # characters; the library's own limit
_OF_WHATSAPP = re.compile(r"(?:https?://)?wa\.me/\+?|@(?:s\.whatsapp\.net|c\.us)$", re.IGNORECASE)
_CONTEXT = re.compile(r"phone-context=(\+[0-9]+)")
_INTERNATIONAL = re.compile(r"\+[0-9\s().\-]+", re.ASCII)
_MAYBE_ID = re.compile(r"[1-9][0-9\s.\-]*", re.ASCII)
_CODES = frozenset(map(str, COUNTRY_CODE_TO_REGION_CODE))
_MEXICAN_MOBILE = ("044", "045")  # once dialled before a mobile's number


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


# --- What somebody may mean by it ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Reading:
    phone: Phone
    rank: int  # 0 for what is meant if it is anybody's number; what ranks behind counts only when nobody has that


def readings(text: str, region: str = "") -> list[Reading]:
    """Every number that the text may stand for, the likeliest first; none when it cannot be read.

    More tolerant than `parse`, since nothing is kept of it: a number as a person typed it, as an address carried it (a
    plus becomes a space there), or as WhatsApp names it (digits alone, which may also be a number of the region).
    """
    cleaned = _cleaned(text)
    plain = _plainly_international(cleaned)
    if plain is not None:
        return [Reading(plain, 0)]
    if not cleaned.startswith("+"):
        return _local(cleaned, region)
    rest = cleaned[1:].lstrip()
    if rest.startswith("0"):  # no country's code does: a plus put before what was dialled
        return _local(rest, region)
    found = parse(cleaned)
    return [Reading(found, 0)] if found else []


def needs_region(text: str) -> bool:
    """Whether what it means depends on where it is said."""
    cleaned = _cleaned(text)
    return _plainly_international(cleaned) is None and not re.match(r"\+\s*[1-9]", cleaned)


def _cleaned(text: str) -> str:
    """In ASCII digits, without what a screen or a link puts around a number."""
    if text[:1] == "+" and text[1:].isascii() and text[1:].isdigit():
        return text
    if len(text) > _LONGEST:
        return ""
    if not text.isascii():
        text = "".join(map(_ascii, unicodedata.normalize("NFKC", text)))
    text = _SCHEME.sub("", text.replace("%2B", "+").replace("%2b", "+").rstrip())
    text, _, parameters = text.partition(";")
    context = _CONTEXT.search(parameters)
    if context and "+" not in text:
        return f"{context[1]} {text.strip()}"
    bare = _OF_WHATSAPP.sub("", text.strip())
    if bare != text.strip():
        return "+" + bare.lstrip("+ ")
    # In an address a plus that was not escaped arrives as a space.
    lost_plus = text[:1].isspace() and text.lstrip()[:1].isdigit() and text.lstrip()[:1] != "0"
    return ("+" if lost_plus else "") + text.strip()


def _ascii(character: str) -> str:
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    kind = unicodedata.category(character)
    if kind in {"Cf", "Cc"}:
        return ""  # direction marks and joiners, as copied out of a chat
    if kind == "Pd" or character == "\u2212":
        return "-"
    return " " if kind == "Zs" else character


def _plainly_international(text: str) -> Phone | None:
    """The many that are E.164 but for what stands between the digits, for a tenth of the library's time. None where
    the library might see more in it: a trunk zero after the country's code, an Argentinian 15."""
    digits = text[1:]
    if not (text[:1] == "+" and digits.isdigit()):
        if _INTERNATIONAL.fullmatch(text) is None:
            return None
        digits = _NOT_DIGITS.sub("", text)
    for length in (1, 2, 3):
        code = digits[:length]
        if code in _CODES:
            trunk = _trunk(code)
            match = trunk.match(digits[length:]) if trunk else None
            return None if match and match.end() else from_international(digits)
    return None


@cache
def _trunk(code: str) -> "re.Pattern[str] | None":
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(int(code), COUNTRY_CODE_TO_REGION_CODE[int(code)][0])
    pattern = metadata.national_prefix_for_parsing if metadata else None
    return re.compile(pattern) if pattern else None


def _local(text: str, region: str) -> list[Reading]:
    """As a number of the region, and where the digits can be that, as one with its country's code."""
    if region == "MX" and text[:3] in _MEXICAN_MOBILE:
        text = text[3:]
    here = parse(text, region or None)
    # Brackets, letters and a leading zero are how people write, not how ids look.
    abroad = parse("+" + _NOT_DIGITS.sub("", text)) if _MAYBE_ID.fullmatch(text) else None
    found = list(dict.fromkeys(phone for phone in (here, abroad) if phone))
    valid = [phone for phone in found if _is_valid(phone)]
    return [Reading(phone, 0) for phone in valid] + [
        Reading(phone, rank) for rank, phone in enumerate([phone for phone in found if phone not in valid], len(valid))
    ]


def _is_valid(phone: Phone) -> bool:
    number = _parsed(phone.e164, None)
    return number is not None and phonenumbers.is_valid_number(number)


def variants(phone: Phone) -> list[str]:
    """E.164 of every form of the same number: what a column may hold that was filled before there were match keys."""
    digits = phone.match
    found = dict.fromkeys((phone.e164, "+" + digits))
    if digits.startswith("55") and len(digits) == 12 and digits[4] in "6789":
        found["+" + digits[:4] + "9" + digits[4:]] = None
    elif digits.startswith("52") and len(digits) == 12:
        found["+521" + digits[2:]] = None
    return list(found)
