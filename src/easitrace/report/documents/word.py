"""`report.docx`: prose and equations by pandoc, everything else by python-docx, ready to be edited."""

import io
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from easitrace.errors import Problem
from easitrace.report.documents.archive import same_bytes
from easitrace.report.documents.drawings import pictures
from easitrace.report.documents.prose import convert
from easitrace.report.documents.source import Drawing, Source
from easitrace.report.documents.word_floats import drawing_elements, lengthwise, table_elements
from easitrace.report.documents.word_page import front, present_day, set_up_page, turn
from easitrace.report.documents.word_styles import set_styles

if TYPE_CHECKING:
    from easitrace.report.render import Study

LONGEST_PROPERTY = 255


def write_word(source: Source, study: "Study", path: Path, folder: Path) -> list[Problem]:
    """Write the Word document of a page.

    Parameters
    ----------
    source : Source
        The page taken apart.
    study : Study
        Title, facts and banner.
    path : Path
        The file to write.
    folder : Path
        An empty folder to build in.

    Returns
    -------
    list of Problem
        None: Word chooses fonts where it is opened.

    Raises
    ------
    MachineError
        E613 when pandoc or Typst, which draws the pictures, is missing or fails.
    """
    import docx

    prose = convert(source.prose_without_equation_marks, "docx")
    document = docx.Document(io.BytesIO(prose))
    set_styles(document)
    set_up_page(document, study)
    present_day(document)
    _fill_marks(document, source, folder)
    _front(document, study)
    _properties(document, study)
    made = io.BytesIO()
    document.save(made)
    path.write_bytes(same_bytes(made.getvalue()))
    return []


def _fill_marks(document: Any, source: Source, folder: Path) -> None:
    """Tables and figures in the place of their marks."""
    drawn = pictures(source, folder)
    for shown in document.paragraphs:
        mark = re.fullmatch(rf"{source.token}f(\d+)x", shown.text)
        if mark is None:
            continue
        place = int(mark[1])
        found = source.floats[place]
        name = source.anchors.get(found.anchor, "")
        if isinstance(found, Drawing):
            elements = drawing_elements(document, found, drawn[place], place, name)
        else:
            elements = table_elements(found, place, name)
        for element in turn(document, elements) if lengthwise(found) else elements:
            shown._p.addprevious(element)
        shown._p.getparent().remove(shown._p)


def _front(document: Any, study: "Study") -> None:
    from docx.oxml.ns import qn

    body, bookmark, chapters = document.element.body, "", []
    for element in body:
        if element.tag == qn("w:bookmarkStart"):
            bookmark = element.get(qn("w:name"))
        elif element.tag == qn("w:p") and element.style == "Heading1":
            chapters.append((bookmark, "".join(element.xpath(".//w:t/text()"))))
    for place, element in enumerate(front(study, chapters)):
        body.insert(place, element)


def _properties(document: Any, study: "Study") -> None:
    """Title and language; nobody's name, no date."""
    about = document.core_properties
    about.title, about.subject = study.title[:LONGEST_PROPERTY], study.synthetic[:LONGEST_PROPERTY]
    about.language, about.author = "en-GB", ""
    for element in list(about._element):
        if element.tag.endswith(("}created", "}modified", "}lastModifiedBy")):
            about._element.remove(element)
