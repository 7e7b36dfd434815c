"""Typst, which sees one folder, no network and at first only the fonts that come with Python packages."""

import re
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from easitrace.errors import MachineError, Problem

LONGEST, BREAK = 45, "\u200b"
JOINER = "\u2060"
VERBATIM = re.compile(r"(<(?:pre|code|math)\b.*?</(?:pre|code|math)>|<[^>]*>)", re.DOTALL)
SHORT_FORM = re.compile(r"(?<=-)(?=[-?])|(?<=\.)(?=\.)|(?<=(?<!\w)-)(?=\d)")
STANDARD = "ua-1"
FONTS = ("DejaVuSans.ttf", "DejaVuSans-Bold.ttf")
NO_LETTER = "could not be displayed with font"


def breakable(text: str, longest: int = LONGEST) -> str:
    """Text whose words have a place to break after every `longest` letters, which shows nothing itself."""
    return re.sub(rf"[^\s{BREAK}]{{{longest}}}(?=[^\s{BREAK}])", rf"\g<0>{BREAK}", text)


def literal_html(markup: str) -> str:
    """HTML whose text Typst shows letter by letter: long words may break, `--`, `...`, `-?`, `-1` stay what they are.

    Typst has short forms of dashes and the like which pandoc does not escape; a joiner, which shows nothing, parts
    them. Code and equations are left alone, tags and entities stay whole.
    """
    letter = r"(?:&[^;\s]+;|[^<>&\s])"
    pieces = VERBATIM.split(markup)
    pieces[::2] = [re.sub(rf"{letter}{{{LONGEST}}}(?={letter})", rf"\g<0>{BREAK}", piece) for piece in pieces[::2]]
    pieces[::2] = [SHORT_FORM.sub(JOINER, piece) for piece in pieces[::2]]
    return "".join(pieces)


class LetterError(Exception):
    """A letter that none of the fonts has."""


def compile_typst(main: Path, **options: Any) -> list[bytes]:
    """The pages (format png) or the one document (pdf) of a Typst file, which can read nothing outside its folder.

    Raises
    ------
    LetterError
        When a letter cannot be shown; only when `pdf_standards` asks that all can.
    MachineError
        E613 when Typst is missing or fails.
    """
    try:
        import typst

        fonts = str(_more_fonts(main.parent))
        made: Any = typst.compile(str(main), root=str(main.parent), font_paths=[fonts], timestamp=0, **options)
    except (ImportError, RuntimeError) as error:
        what = str(error).strip().partition("\n")[0]
        if NO_LETTER in what:
            raise LetterError(what) from error
        raise MachineError(Problem("E613", "typst", what, "reinstall the package typst")) from error
    return list(made) if isinstance(made, list) else [made]


def _more_fonts(folder: Path) -> Path:
    """DejaVu Sans, which comes with matplotlib and has letters that Typst's own fonts lack (Arabic, arrows)."""
    found = find_spec("matplotlib")
    for place in (found.submodule_search_locations if found else None) or ():
        for name in FONTS:
            shutil.copyfile(Path(place) / "mpl-data" / "fonts" / "ttf" / name, folder / name)
    return folder


def compile_pdf(main: Path) -> tuple[bytes, list[Problem]]:
    """The PDF of a Typst file, tagged for readers who cannot see it (PDF/UA-1).

    Letters that the packages' fonts do not have are looked for in the system's. When they are not there either, the
    PDF has boxes in their place, does not claim the standard, and there is a problem to tell.
    """
    try:
        return compile_typst(main, format="pdf", pdf_standards=[STANDARD], ignore_system_fonts=True)[0], []
    except LetterError:
        pass
    try:
        return compile_typst(main, format="pdf", pdf_standards=[STANDARD])[0], []
    except LetterError as error:
        problem = Problem("E613", "typst", f"shows a box: {error}", "install a font that has the letter")
        return compile_typst(main, format="pdf")[0], [problem]
