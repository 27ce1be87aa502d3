"""What a file is by its content. What it calls itself is believed only where its bytes cannot say, and never for more
than they allow: whatever is not on this list is a plain stream of bytes to be downloaded."""

import puremagic

HEAD = 64 * 1024  # bytes that are enough to tell
UNKNOWN = "application/octet-stream"
TEXT = "text/plain"

PICTURES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
SOUNDS = frozenset(
    {"audio/mpeg", "audio/ogg", "audio/mp4", "audio/aac", "audio/amr", "audio/wav", "audio/3gpp", "audio/webm"}
)
FILMS = frozenset({"video/mp4", "video/3gpp", "video/quicktime", "video/webm"})
_OFFICE = "application/vnd.openxmlformats-officedocument."
OFFICE = {
    "docx": f"{_OFFICE}wordprocessingml.document",
    "xlsx": f"{_OFFICE}spreadsheetml.sheet",
    "pptx": f"{_OFFICE}presentationml.presentation",
}
OLD_OFFICE = {"doc": "application/msword", "xls": "application/vnd.ms-excel", "ppt": "application/vnd.ms-powerpoint"}
PAPERS = frozenset(
    {"application/pdf", "application/zip", "application/rtf", "image/heic", *OFFICE.values(), *OLD_OFFICE.values()}
)
PLAIN = frozenset({TEXT, "text/csv", "text/vcard"})
ALLOWED = PICTURES | SOUNDS | FILMS | PAPERS | PLAIN
# Shown in the page by the browser's own decoders, which run no script. Everything else is downloaded.
SHOWN = PICTURES | SOUNDS | FILMS

# The library's words for what has another usual name.
_SAME = {
    "application/ogg": "audio/ogg",
    "audio/x-wav": "audio/wav",
    "audio/wave": "audio/wav",
    "audio/mp3": "audio/mpeg",
    "audio/m4a": "audio/mp4",
    "audio/x-m4a": "audio/mp4",
    "audio/opus": "audio/ogg",
    "image/jpg": "image/jpeg",
    "image/heif": "image/heic",
    "text/rtf": "application/rtf",
    "text/x-vcard": "text/vcard",
}
# Boxes that hold a film or only its sound: here the sender knows better than the first bytes.
_SOUND_OF = {"video/mp4": "audio/mp4", "video/3gpp": "audio/3gpp", "video/webm": "audio/webm"}
_ZIP, _OLE, _AMR = b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"#!AMR"
# Programs and what a browser would run as a page. Kept when a customer sends one, refused from our own people.
_RUNS = (b"MZ", b"\x7fELF", b"#!/", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe")
_MARKUP = (b"<!doctype", b"<html", b"<svg", b"<script", b"<?xml", b"<body", b"<head", b"<iframe")


IMAGE, AUDIO, VIDEO, DOCUMENT, STICKER = KINDS = ("image", "audio", "video", "document", "sticker")


def content_type_of(head: bytes, *, declared: str = "", name: str = "") -> str:
    """One of ALLOWED, or UNKNOWN."""
    declared = _plain(declared)
    if is_dangerous(head):
        return UNKNOWN
    found = _from_bytes(head, declared, name)
    return found if found in ALLOWED else UNKNOWN


def is_dangerous(head: bytes) -> bool:
    """A program, or a page with script in it."""
    start = head.lstrip(b"\xef\xbb\xbf \t\r\n")
    return head.startswith(_RUNS) or start[:512].lower().startswith(_MARKUP) or b"<script" in start[:1024].lower()


def kind_of(content_type: str, wanted: str = "") -> str:
    """How a thread shows it: as the provider called it where the content agrees, else as a document."""
    family = _family(content_type)
    if wanted == STICKER:
        return STICKER if content_type in {"image/webp", "image/png"} else family
    return wanted if wanted in {family, DOCUMENT} else family


def _family(content_type: str) -> str:
    for kind, types in ((IMAGE, PICTURES), (AUDIO, SOUNDS), (VIDEO, FILMS)):
        if content_type in types:
            return kind
    return DOCUMENT


def _plain(content_type: str) -> str:
    """Without parameters such as `codecs=opus`."""
    word = content_type.partition(";")[0].strip().lower()
    return _SAME.get(word, word)


def _from_bytes(head: bytes, declared: str, name: str) -> str:
    ending = name.rpartition(".")[2].lower()
    if head.startswith(_ZIP):
        return declared if declared in OFFICE.values() else OFFICE.get(ending, "application/zip")
    if head.startswith(_OLE):
        return declared if declared in OLD_OFFICE.values() else OLD_OFFICE.get(ending, UNKNOWN)
    if head.startswith(_AMR):
        return "audio/amr"
    if head[:2] and head[0] == 0xFF and head[1] & 0xE6 == 0xE2:  # a frame of MPEG sound, layer III
        return "audio/mpeg"
    if head[4:8] == b"ftyp" and head[8:11] in {b"M4A", b"M4B"}:
        return "audio/mp4"
    found = _by_library(head)
    if found in _SOUND_OF and declared.startswith("audio/"):
        return _SOUND_OF[found]
    return found if found in ALLOWED else _as_text(head, declared, ending)


def _by_library(head: bytes) -> str:
    try:
        matches = puremagic.magic_string(head)
    except (puremagic.PureError, ValueError):
        return ""
    return next((known for match in matches if (known := _plain(match.mime_type)) in ALLOWED - PLAIN), "")


def _as_text(head: bytes, declared: str, ending: str) -> str:
    try:
        # The head may end within a character.
        words = head[: HEAD - 4].decode() if len(head) >= HEAD else head.decode()
    except UnicodeDecodeError:
        return UNKNOWN
    if "\x00" in words:
        return UNKNOWN
    return declared if declared in PLAIN else "text/csv" if ending == "csv" else TEXT
