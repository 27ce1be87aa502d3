"""Small real files, made in code: a picture, a voice note without a voice, a document. For customers to send."""

import random
import struct
import zlib
from collections.abc import Callable, Iterator

WIDTH, HEIGHT = 320, 200
_OPUS_SILENCE = b"\xf8\xff\xfe"  # 20 ms
_FRAMES = 100


def picture(chance: random.Random) -> bytes:
    """A PNG: bands of two colours, so that one can tell it from the next."""
    one, two = ((chance.randrange(40, 220), chance.randrange(40, 220), chance.randrange(40, 220)) for _ in range(2))
    step = chance.randrange(14, 40)
    rows = b"".join(
        b"\0" + b"".join(bytes(one if (x + y) // step % 2 else two) for x in range(WIDTH)) for y in range(HEIGHT)
    )
    head = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", head), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    )


def voice_note() -> bytes:
    """Two seconds of Opus in Ogg, as WhatsApp records them."""
    head = b"OpusHead" + struct.pack("<BBHIHB", 1, 1, 312, 48000, 0, 0)
    tags = b"OpusTags" + struct.pack("<I", 9) + b"simulator" + struct.pack("<I", 0)
    return b"".join(
        (
            _ogg_page(0, 0, 2, [head]),
            _ogg_page(1, 0, 0, [tags]),
            _ogg_page(2, 960 * _FRAMES, 4, [_OPUS_SILENCE] * _FRAMES),
        )
    )


def _ogg_page(number: int, position: int, flags: int, packets: list[bytes]) -> bytes:
    lengths = bytes(len(packet) for packet in packets)  # each shorter than 255
    head = struct.pack("<4sBBqIIIB", b"OggS", 0, flags, position, 1, number, 0, len(packets)) + lengths
    page = head + b"".join(packets)
    return page[:22] + struct.pack("<I", _ogg_checksum(page)) + page[26:]


def _ogg_checksum(page: bytes) -> int:
    value = 0
    for byte in page:
        value ^= byte << 24
        for _ in range(8):
            value = ((value << 1) ^ 0x04C11DB7) & 0xFFFFFFFF if value & 0x80000000 else value << 1
    return value


def document(words: str) -> bytes:
    """A PDF of one page with one line, which must be plain ASCII."""
    line = f"BT /F1 20 Tf 60 740 Td ({words}) Tj ET".encode("ascii", "replace")
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R"
        b" /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(line), line),
    )
    return b"".join(_pdf(objects))


def _pdf(objects: tuple[bytes, ...]) -> Iterator[bytes]:
    yield (text := b"%PDF-1.4\n")
    length, places = len(text), []
    for number, data in enumerate(objects, 1):
        places.append(length)
        yield (text := b"%d 0 obj\n%s\nendobj\n" % (number, data))
        length += len(text)
    rows = b"".join(b"%010d 00000 n \n" % place for place in places)
    yield b"xref\n0 %d\n0000000000 65535 f \n%s" % (len(objects) + 1, rows)
    yield b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, length)


# By WhatsApp's name of the kind: file name, type, bytes.
SAMPLES: dict[str, Callable[[random.Random], tuple[str, str, bytes]]] = {
    "image": lambda chance: ("photo.png", "image/png", picture(chance)),
    "audio": lambda _: ("voice.ogg", "audio/ogg; codecs=opus", voice_note()),
    "document": lambda chance: ("receipt.pdf", "application/pdf", document(f"Receipt {chance.randrange(1000, 9999)}")),
}
