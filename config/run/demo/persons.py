"""The customers before they are rows: names in their script, a number of their country, what is known of them."""

import unicodedata
from collections import defaultdict
from dataclasses import dataclass, field
from itertools import product
from random import Random

import phonenumbers

from config.run.demo.regions import REGIONS
from config.run.demo.texts import Pool, Reader, pool
from crm.phones import Phone, from_international
from crm.services.contacts import Sender

SOURCES = ("WhatsApp", "Website", "School fair", "A friend", "Newsletter", "Import")
TAGS = ("parent", "newsletter", "referral", "school fair", "speaks English", "evening group", "morning group")


@dataclass(frozen=True, slots=True)
class Name:
    given: str
    family: str
    latin: str  # the given name for an e-mail address
    woman: bool


@dataclass
class Person:
    pool: Pool
    language: str
    name: str
    given: str
    woman: bool
    digits: str = ""  # as dialled; none for who chats on the website
    whatsapp: str = ""  # as WhatsApp knows it, which may be an older form
    typed: str = ""
    email: str = ""
    town: str = ""
    source: str = ""
    tags: list[str] = field(default_factory=list)

    @property
    def reader(self) -> Reader:
        return Reader(self.given, self.woman)

    @property
    def phone(self) -> Phone | None:
        return from_international(self.digits) if self.digits else None

    def senders(self) -> list[Sender]:
        """How this person has shown up: dialled, and as WhatsApp sends it."""
        found = [Sender(phone=self.phone)] if self.phone else []
        if self.whatsapp:
            found.append(Sender(phone=from_international(self.whatsapp), whatsapp=self.whatsapp))
        return found


class Crowd:
    """Gives out people, nobody twice."""

    def __init__(self, rng: Random) -> None:
        self._rng = rng
        self._names: dict[str, list[Name]] = {}
        self._numbers: dict[str, list[str]] = {}
        self._drawn: dict[str, int] = defaultdict(int)

    def person(self, language: str) -> Person:
        words = pool(language).words
        name = self._name(language)
        regions = words["regions"][0].split()
        region = regions[self._drawn[language] % len(regions)]
        self._drawn[language] += 1
        whole = pool(language).word("name").format(given=name.given, family=name.family)
        return self.known(language, whole, name.given, woman=name.woman, region=region, latin=name.latin)

    def known(self, language: str, name: str, given: str, *, woman: bool, region: str, latin: str = "") -> Person:
        rng = self._rng
        digits = self._number(region)
        address = _address(latin or name)
        return Person(
            pool=pool(language),
            language=pool(language).word("language"),
            name=name,
            given=given,
            woman=woman,
            digits=digits,
            whatsapp=_as_whatsapp_knows(digits, rng),
            typed=_as_typed(digits, rng),
            email=f"{address}{rng.randrange(10, 99)}@mail.example" if address and rng.random() < 0.6 else "",
            town=rng.choice(REGIONS[region].towns),
            source=rng.choice(SOURCES),
            tags=sorted(rng.sample(TAGS, rng.choice((0, 0, 1, 1, 2)))),
        )

    def _name(self, language: str) -> Name:
        if language not in self._names:
            self._names[language] = _names(pool(language))
            self._rng.shuffle(self._names[language])
        return self._names[language].pop()

    def _number(self, region: str) -> str:
        if region not in self._numbers:
            blocks = REGIONS[region].blocks
            each = max(60 // len(blocks), 1)
            self._numbers[region] = [
                block.number(place) for block in blocks for place in self._rng.sample(block.numbers(), each)
            ]
            self._rng.shuffle(self._numbers[region])
        return self._numbers[region].pop()


def _names(of: Pool) -> list[Name]:
    names = []
    for key, woman in (("women", True), ("men", False)):
        for both, family in product(of.words[key], of.words["family"]):
            given, _, latin = both.partition("=")
            names.append(Name(given, family, latin or given, woman))
    return names


def _address(name: str) -> str:
    """ASCII letters of a name, or nothing."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return "".join(letter for letter in plain if letter.isalpha())


def _as_whatsapp_knows(digits: str, rng: Random) -> str:
    """Older accounts kept Mexico's 1 after the country code and Brazil's eight digits."""
    if digits.startswith("52") and rng.random() < 0.5:
        return "521" + digits[2:]
    if digits.startswith("55") and rng.random() < 0.4:
        return digits[:4] + digits[5:]
    return digits


def _as_typed(digits: str, rng: Random) -> str:
    if rng.random() < 0.3:
        return f"+{digits}"
    number = phonenumbers.parse(f"+{digits}")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)
