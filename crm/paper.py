"""What everything that is printed as a PDF shares: fonts of the system, the letters that they have, and a foot."""

import logging
import unicodedata
from importlib.util import find_spec
from pathlib import Path
from typing import Literal, cast

from django.utils.translation import gettext as _
from fpdf import FPDF
from fpdf.fonts import TTFFont
from fpdf.unicode_script import get_unicode_script

# Of what systems have: without one, letters beyond Latin are shown as question marks
FONTS = (
    Path("/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"),
    Path("/usr/share/fonts/dejavu/DejaVuSans.ttf"),
    Path("/usr/share/fonts/TTF/DejaVuSans.ttf"),
)
# For letters that it lacks: one font for each script, and one with the letters of East Asia
OF_SCRIPT = "/usr/share/fonts/truetype/noto/NotoSans{script}-Regular.ttf"
OF_EAST_ASIA = "/usr/share/fonts/truetype/droid/DroidSansFallbackFull.ttf"
OWN = "report"
FOOT = 12  # mm above the lower edge
# It tells of every letter that it keeps of a font, hence of the names that are printed
logging.getLogger("fontTools").setLevel(logging.WARNING)


class Paper(FPDF):
    """A4. What people wrote goes through `printable` before it is put on it, and `whole` comes last."""

    def __init__(self, title: str, orientation: Literal["portrait", "landscape"] = "portrait") -> None:
        super().__init__(orientation=orientation, format="A4")
        self.alias_nb_pages("")  # somebody may be called by the sign for it
        self._letters: set[int] = set()
        self._looked_for: set[str] = set()  # files of fonts
        font = next((path for path in FONTS if path.exists()), None)
        self.family = OWN if font else "helvetica"
        if font:
            self._learn(OWN, font)
            if find_spec("uharfbuzz") is not None:
                # Letters that join, and text that runs from right to left
                self.set_text_shaping(use_shaping_engine=True)
        self._title = self.printable(title)
        self.set_title(title)
        self.add_page()

    def printable(self, text: str) -> str:
        """A letter that no font here has is a question mark: left alone it would be nothing at all. What would turn
        the order of the words around it is left out."""
        kept = [letter for letter in text if not _turns(letter)]
        if self.family != OWN:
            return "".join(kept).encode("latin-1", "replace").decode("latin-1")
        return "".join(letter if not letter.isprintable() or self._has(letter) else "?" for letter in kept)

    def whole(self) -> bytes:
        """With a foot on each page: of what it is, and which of how many."""
        self.set_auto_page_break(False)
        self.set_font(self.family, size=8)
        self.set_text_color(110)
        pages = self.page
        for page in range(1, pages + 1):
            self.page = page
            self.current_font_is_set_on_page = False
            self.set_y(-FOOT)
            self.cell(self.epw - 40, 5, fitting(self, self._title, self.epw - 42))
            self.cell(40, 5, _("Page %(n)s of %(all)s") % {"n": page, "all": pages}, align="R")
        return bytes(self.output())

    def _has(self, letter: str) -> bool:
        if ord(letter) in self._letters:
            return True
        script = get_unicode_script(letter).name.title().replace("_", "")
        for name in (OF_SCRIPT.format(script=script), OF_EAST_ASIA):
            if name not in self._looked_for:
                self._looked_for.add(name)
                if Path(name).exists():
                    self._learn(f"letters{len(self._looked_for)}", Path(name))
                    self.set_fallback_fonts([family for family in self.fonts if family != OWN], exact_match=False)
        return ord(letter) in self._letters

    def _learn(self, family: str, font: Path) -> None:
        self.add_font(family, fname=str(font))
        self._letters.update(cast("TTFFont", self.fonts[family]).cmap)


def fitting(paper: FPDF, text: str, width: float) -> str:
    """Cut to so many millimetres, and marked where it is cut."""
    if paper.get_string_width(text) <= width:
        return text
    end = "…" if paper.is_ttf_font else "..."
    while text and paper.get_string_width(text + end) > width:
        text = text[:-1]
    return text + end


def _turns(letter: str) -> bool:
    """Embeddings, overrides and isolates."""
    return unicodedata.bidirectional(letter) in {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
