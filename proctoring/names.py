"""Names that a child may pick: two friendly words each, in four languages. Nothing of the child is in them."""

import hashlib
import secrets
from collections.abc import Collection

ENGLISH = (
    "Brave Bright Calm Clever Cosmic Curious Daring Dazzling Eager Fearless Friendly Gentle Glowing Golden Happy Jolly "
    "Kind Lively Lucky Magic Mango Merry Mighty Misty Nimble Pixel Playful Quick Quiet Rocket Shiny Silver Smart "
    "Sparkling Speedy Sunny Swift Turbo Wise Zippy",
    "Badger Comet Dolphin Dragon Eagle Falcon Firefly Fox Gecko Giraffe Hedgehog Heron Kangaroo Koala Lemur Lion Lynx "
    "Meteor Narwhal Otter Owl Panda Parrot Penguin Phoenix Planet Puffin Quokka Rabbit Raccoon Robin Seal Sparrow "
    "Squirrel Star Tiger Toucan Turtle Walrus Wolf",
)
SPANISH = (
    "Ágil Alegre Amable Audaz Brillante Dulce Feliz Fuerte Genial Gigante Grande Leal Noble Paciente Puntual Salvaje "
    "Sonriente Valiente Veloz Verde",
    "Águila Ballena Búho Colibrí Cometa Cóndor Delfín Dragón Estrella Halcón Jaguar León Lince Llama Mariposa Nutria "
    "Panda Pingüino Puma Tigre Tucán Tortuga Zorro",
)
INDONESIAN = (
    "Berani Bijak Cepat Ceria Cerdas Emas Gagah Gembira Hebat Jujur Kuat Lincah Pandai Perak Ramah Riang Sabar Tangguh "
    "Tenang Terang",
    "Badak Banteng Bintang Cenderawasih Elang Gajah Harimau Jalak Kancil Kelinci Komodo Kucing Lumba Merak Nuri "
    "Orangutan Paus Penyu Rajawali Rusa Singa Tarsius Tupai",
)
ARABIC = (
    "شجاع ذكي سريع لطيف سعيد قوي هادئ ماهر نشيط كريم لامع مرح حكيم رائع صبور",
    "نمر أسد صقر نجم قمر دلفين باندا غزال فهد نسر ببغاء حصان أرنب بطريق سنجاب كوكب شهاب",
)


def _english(first: str, second: str) -> str:
    return f"{first} {second}"


def _noun_first(first: str, second: str) -> str:
    return f"{second} {first}"


_LANGUAGES = {
    "en": (ENGLISH, _english),
    "es": (SPANISH, _noun_first),
    "id": (INDONESIAN, _noun_first),
    "ar": (ARABIC, _noun_first),
}
LANGUAGES = tuple(_LANGUAGES)
TRIES = 8


def suggest(language: str, count: int, *, taken: Collection[str] = ()) -> list[str]:
    """Different ones, none of `taken` (in small letters); with a number where the plain ones are gone."""
    found: list[str] = []
    used = set(taken)
    while len(found) < count:
        name = next((one for one in (_any(language) for _ in range(TRIES)) if one.lower() not in used), None)
        while name is None or name.lower() in used:
            name = f"{_any(language)} {secrets.randbelow(9_900) + 100}"
        used.add(name.lower())
        found.append(name)
    return found


def name_for(seed: str, language: str = "en") -> str:
    """Always the same for the same seed."""
    digest = hashlib.sha256(seed.encode()).digest()
    (firsts, seconds), join = _LANGUAGES[language]
    first, second = firsts.split(), seconds.split()
    return join(first[digest[0] % len(first)], second[digest[1] % len(second)])


def _any(language: str) -> str:
    (firsts, seconds), join = _LANGUAGES.get(language, _LANGUAGES["en"])
    return join(secrets.choice(firsts.split()), secrets.choice(seconds.split()))
