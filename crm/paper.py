"""What everything that is printed as a PDF shares: a font of the system, with the letters that it has."""

import logging
from importlib.util import find_spec
from pathlib import Path
from typing import cast

from fpdf import FPDF
from fpdf.fonts import TTFFont

# Of what systems have: without one, letters beyond Latin are shown as question marks
FONTS = (
    Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"),
    Path("/usr/share/fonts/dejavu/DejaVuSans.ttf"),
    Path("/usr/share/fonts/TTF/DejaVuSans.ttf"),
)
OWN = "report"
_letters: set[int] = set()  # of that font
# It tells of every letter that it keeps of a font, hence of the names that are printed
logging.getLogger("fontTools").setLevel(logging.WARNING)


def family_of(paper: FPDF) -> str:
    """Made known to the paper."""
    font = next((path for path in FONTS if path.exists()), None)
    if font is None:
        return "helvetica"
    paper.add_font(OWN, fname=str(font))
    _letters.update(cast("TTFFont", paper.fonts[OWN]).cmap)
    if find_spec("uharfbuzz") is not None:
        # Letters that join, and text that runs from right to left
        paper.set_text_shaping(use_shaping_engine=True)
    return OWN


def printable(text: str, family: str) -> str:
    """A letter that the font does not have is a question mark: left alone it would be nothing at all."""
    if family != OWN:
        return text.encode("latin-1", "replace").decode("latin-1")
    return "".join(letter if ord(letter) in _letters or not letter.isprintable() else "?" for letter in text)
