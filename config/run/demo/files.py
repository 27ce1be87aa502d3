"""Files of the demo's conversations, drawn and written here: a receipt, a form, a voice message."""

import hashlib
import io
import math
import struct
import wave
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from uuid import UUID

from inbox import storage

INK, PAPER, GREEN, GREY = (38, 44, 56), (250, 250, 247), (34, 139, 94), (205, 210, 216)
Colour = tuple[int, int, int]
Box = tuple[int, int, int, int]  # left, top, width, height


@dataclass(frozen=True, slots=True)
class DemoFile:
    """`line`: of the conversation, from its beginning; `alone`: a message of its own straight after that line."""

    line: int
    kind: str
    name: str
    content_type: str
    make: Callable[[], bytes]
    alone: bool = False


@dataclass(frozen=True, slots=True)
class KeptFile:
    storage_name: str
    size: int
    sha256: str


def keep_files(files: list[DemoFile], workspace_id: UUID) -> Mapping[str, KeptFile]:
    """Into the storage, before the transaction that names them."""
    return {file.name: _keep(file.make(), workspace_id) for file in files}


def drop_files(kept: Mapping[str, KeptFile]) -> None:
    for file in kept.values():
        storage.remove(file.storage_name)


def _keep(content: bytes, workspace_id: UUID) -> KeptFile:
    name = storage.keep(io.BytesIO(content), workspace_id)
    return KeptFile(name, len(content), hashlib.sha256(content).hexdigest())


def receipt() -> bytes:
    """A bank's slip, as a telephone shows it: words as bars, the sum in green, a tick."""
    lines: list[tuple[Box, Colour]] = [((0, 0, 480, 84), GREEN), ((28, 30, 150, 24), PAPER)]
    for row, width in enumerate((250, 180, 310, 220, 280, 140)):
        top = 150 + row * 58
        lines += [((28, top, 96, 12), GREY), ((28, top + 20, width, 16), INK)]
    lines += [((28, 520, 424, 3), GREY), ((28, 552, 120, 18), INK), ((290, 546, 162, 30), GREEN)]
    return _png(480, 620, lines)


def floor_plan() -> bytes:
    walls: list[tuple[Box, Colour]] = [((40, 40, 560, 8), INK), ((40, 392, 560, 8), INK), ((40, 40, 8, 360), INK)]
    walls += [((592, 40, 8, 240), INK), ((300, 40, 8, 200), INK), ((300, 320, 8, 80), INK), ((40, 232, 160, 8), INK)]
    walls += [((360, 90, 180, 100), GREY), ((80, 90, 160, 90), GREY), ((80, 280, 120, 70), GREY)]
    return _png(640, 440, [*walls, ((560, 300, 60, 60), GREEN)])


def _png(width: int, height: int, boxes: list[tuple[Box, Colour]]) -> bytes:
    rows = [bytearray(bytes(PAPER) * width) for _ in range(height)]
    for (left, top, wide, high), colour in boxes:
        for row in rows[top : top + high]:
            row[left * 3 : (left + wide) * 3] = bytes(colour) * wide
    packed = zlib.compress(b"".join(b"\x00" + row for row in rows), 9)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def form() -> bytes:
    """One page that any reader opens."""
    text = b"BT /F1 20 Tf 60 760 Td (Registration) Tj 0 -40 Td /F1 12 Tf (Name: Layan) Tj 0 -24 Td (Two seats) Tj ET"
    parts = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 5 0 R >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(text), text),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
    ]
    page, places = bytearray(b"%PDF-1.4\n"), []
    for number, part in enumerate(parts, 1):
        places.append(len(page))
        page += b"%d 0 obj\n%s\nendobj\n" % (number, part)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    begin = len(page)
    page += b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(parts) + 1, table)
    return bytes(page + b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(parts) + 1, begin))


def voice() -> bytes:
    """Four seconds that rise and fall as a voice does."""
    rate = 8000
    sound = io.BytesIO()
    with wave.open(sound, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(1)
        out.setframerate(rate)
        out.writeframes(bytes(_sample(step / rate) for step in range(rate * 4)))
    return sound.getvalue()


def _sample(second: float) -> int:
    pitch = 170 + 40 * math.sin(second * 2.1)
    loud = 0.5 + 0.5 * math.sin(second * 9) * math.sin(second * 2.3)
    return 128 + int(60 * loud * math.sin(second * pitch * 2 * math.pi))
