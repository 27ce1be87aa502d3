"""Reads a file of contacts as a person's spreadsheet wrote it: its letters, its delimiter, its rows one at a time."""

import codecs
import csv
import io
from collections.abc import Iterator
from contextlib import suppress
from typing import IO

from charset_normalizer import from_bytes

from crm.services.imports.errors import Unreadable

SAMPLE = 64 * 1024  # bytes
DELIMITERS = ",;\t|"
MOST_COLUMNS = 200
LONGEST_NAME = 120  # characters of a column's name
PREVIEW_ROWS = 5
LONGEST_CELL = 128 * 1024  # characters: far longer is a quotation mark that is never closed
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # begins as UTF-16's does
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# A guess among these is no better than a coin, and spreadsheets of western Europe write the first.
_WESTERN = {
    "cp1252",
    "latin_1",
    "iso8859_15",
    "iso8859_9",
    "cp1254",
    "cp1250",
    "iso8859_2",
    "mac_roman",
    "cp850",
    "cp437",
}
_WESTERN |= {
    "cp858",
    "cp1257",
    "iso8859_3",
    "iso8859_14",
    "iso8859_10",
    "iso8859_13",
    "iso8859_16",
    "mac_latin2",
    "cp775",
}
_WESTERN |= {
    "cp852",
    "cp500",
    "cp037",
    "cp1140",
    "cp1026",
    "cp1258",
    "hp_roman8",
    "mac_iceland",
    "mac_turkish",
    "cp273",
}
Row = list[str]


def encoding_of(file: IO[bytes]) -> str:
    """By its mark, else UTF-8 when every byte of it is, else what its letters are most like."""
    file.seek(0)
    sample = file.read(SAMPLE)
    marked = next((name for mark, name in _MARKS if sample.startswith(mark)), None)
    if marked:
        return marked
    if b"\x00" in sample:
        return _without_mark(sample)
    if _is_utf8(file):
        return "utf-8"
    guess = from_bytes(sample).best()
    found = guess.encoding if guess else "cp1252"
    return "cp1252" if found in _WESTERN else found


def _without_mark(sample: bytes) -> str:
    """Latin letters of UTF-16 leave every second byte empty."""
    even, odd = sample[0::2].count(0), sample[1::2].count(0)
    if max(even, odd) < len(sample) // 8:
        raise Unreadable("This is not a text file.")
    return "utf-16-le" if odd > even else "utf-16-be"


def _is_utf8(file: IO[bytes]) -> bool:
    file.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")()
    try:
        while part := file.read(1024 * 1024):
            decoder.decode(part)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def is_known_encoding(name: str) -> bool:
    try:
        return codecs.lookup(name)._is_text_encoding
    except (LookupError, ValueError):
        return False


def delimiter_of(file: IO[bytes], encoding: str) -> str:
    """The one that cuts the first rows into most columns, evenly. `sep=;` in the first row says it outright."""
    file.seek(0)
    try:
        text = codecs.getincrementaldecoder(encoding)().decode(file.read(SAMPLE))
    except UnicodeDecodeError:
        raise Unreadable(f"The file is not written in {encoding}.") from None
    first = text.split("\n", 1)[0].strip()
    if first.lower().startswith("sep=") and len(first) == 5:
        return first[4]
    lines = text.splitlines(keepends=True)[:50]
    return max(DELIMITERS, key=lambda sign: _fit(lines, sign))


def _fit(lines: list[str], sign: str) -> tuple[int, int]:
    try:
        widths = [len(row) for row in csv.reader(lines[:-1] or lines, delimiter=sign) if row]
    except csv.Error:
        return (0, 0)
    if not widths or widths[0] < 2:
        return (0, 0)
    return (sum(1 for width in widths if width == widths[0]) * 100 // len(widths), widths[0])


def header_of(file: IO[bytes], encoding: str, delimiter: str) -> list[str]:
    rows = _raw(file, encoding, delimiter)
    header = next(rows, None)
    if not header or not any(name.strip() for name in header):
        raise Unreadable("The file has no header: its first row names the columns.")
    if len(header) > MOST_COLUMNS:
        raise Unreadable(f"The file has more than {MOST_COLUMNS} columns.")
    return _named(header)


def _named(header: Row) -> list[str]:
    """Every column by a name of its own, so that a mapping can speak of it."""
    names: list[str] = []
    for place, raw in enumerate(header, start=1):
        name = " ".join(raw.replace("\x00", "").split())[:LONGEST_NAME] or f"Column {place}"
        again = name
        count = 1
        while again in names:
            count += 1
            again = f"{name} ({count})"
        names.append(again)
    return names


def rows_of(file: IO[bytes], encoding: str, delimiter: str, *, after: int = 0) -> Iterator[tuple[int, Row]]:
    """Numbered from 1 under the header; `after` skips what is done."""
    rows = _raw(file, encoding, delimiter)
    next(rows, None)
    for number, row in enumerate(rows, start=1):
        if number > after:
            yield number, row


def preview_of(file: IO[bytes], encoding: str, delimiter: str) -> list[Row]:
    rows = rows_of(file, encoding, delimiter)
    return [row for _, (_, row) in zip(range(PREVIEW_ROWS), rows, strict=False)]


def _raw(file: IO[bytes], encoding: str, delimiter: str) -> Iterator[Row]:
    """Raises Unreadable where the letters or the quotes end in nothing."""
    file.seek(0)
    csv.field_size_limit(LONGEST_CELL)  # of the whole process, in which the move from the old system takes any length
    text = io.TextIOWrapper(file, encoding=encoding, newline="")
    reader = csv.reader(text, delimiter=delimiter)
    first = True
    try:
        for row in reader:
            if first and len(row) <= 2 and row and row[0].lower().startswith("sep="):
                continue
            first = False
            yield row
    except UnicodeError:
        raise Unreadable(f"Near line {reader.line_num + 1} the file is not written in {encoding}.") from None
    except csv.Error:
        raise Unreadable(
            f"Near line {reader.line_num} a cell is too long: there may be a quotation mark that is never closed."
        ) from None
    finally:
        with suppress(ValueError):  # closed already
            text.detach()
