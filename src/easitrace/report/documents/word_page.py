"""The pages of the Word document: paper, running head, page numbers, the first page, turned pages."""

import copy
from typing import TYPE_CHECKING, Any

from easitrace.report.documents.word_styles import BANNER, CONTENTS, FACT, SOFT, WARN
from easitrace.report.documents.word_xml import field, make, paragraph, text_run

if TYPE_CHECKING:
    from easitrace.report.render import Study

PAPER = (210.0, 297.0)
MARGINS = (25.0, 22.0, 20.15)  # top, bottom, sides: the text is `layout.UPRIGHT` wide


def set_up_page(document: Any, study: "Study") -> None:
    """A4 with the study's title and banner at the head of every page and "n of N" at its foot."""
    from docx.shared import Mm

    section = document.sections[0]
    section.page_width, section.page_height = (Mm(length) for length in PAPER)
    section.top_margin, section.bottom_margin = Mm(MARGINS[0]), Mm(MARGINS[1])
    section.left_margin = section.right_margin = Mm(MARGINS[2])
    section.header_distance = section.footer_distance = Mm(12)
    lines = [(study.title, SOFT), *([(study.synthetic, WARN)] if study.synthetic else [])]
    head, foot = section.header._element, section.footer._element
    _replace(head, [_small(colour, text_run(text)) for text, colour in lines])
    _replace(foot, [_small(SOFT, *field("PAGE", "1"), text_run(" of "), *field("NUMPAGES", "1"), align="center")])


def present_day(document: Any) -> None:
    """Let Word lay the document out as it does today, not as it did when no version was given."""
    uri = "http://schemas.microsoft.com/office/word"
    setting = make("compatSetting", name="compatibilityMode", uri=uri, val="15")
    settings = document.settings.element
    after = next(child for child in settings if child.tag.endswith("}rsids"))
    after.addprevious(make("compat", setting))


def _replace(part: Any, elements: list[Any]) -> None:
    for old in list(part):
        part.remove(old)
    part.extend(elements)


def _small(colour: str, *runs: Any, align: str = "left") -> Any:
    for run in runs:
        run.insert(0, make("rPr", make("color", val=colour), make("sz", val="15")))
    return paragraph(FACT, *runs, align=align)


def front(study: "Study", chapters: list[tuple[str, str]]) -> list[Any]:
    """Banner, title, facts and contents.

    Parameters
    ----------
    study : Study
        Title, facts and banner.
    chapters : list of (str, str)
        Bookmark and title of every chapter.
    """
    banner = [paragraph(BANNER, text_run(study.synthetic))] if study.synthetic else []
    facts = [
        paragraph(FACT, text_run(f"{term}: ", make("color", val=SOFT)), text_run(what)) for term, what in study.facts
    ]
    return [*banner, paragraph("Title", text_run(study.title)), *facts, *_contents(chapters)]


def _contents(chapters: list[tuple[str, str]]) -> list[Any]:
    """A table of contents that Word can update; as made, links to the chapters."""
    if not chapters:
        return []
    links = [
        paragraph(CONTENTS, make("hyperlink", text_run(title), anchor=bookmark, history="1"))
        for bookmark, title in chapters
    ]
    begin, code, separate, _, end = field(r"TOC \o 1-1 \h \n", "")
    for number, element in enumerate((begin, code, separate)):
        links[0].insert(1 + number, element)
    links[-1].append(end)
    return [paragraph("TOCHeading", text_run("Contents")), *links]


def turn(document: Any, elements: list[Any]) -> list[Any]:
    """Elements on pages that are turned: a section of their own between two upright ones."""
    from docx.oxml.ns import qn

    upright = document.element.body.find(qn("w:sectPr"))
    lengthwise = copy.deepcopy(upright)
    paper = lengthwise.find(qn("w:pgSz"))
    width, height = paper.get(qn("w:w")), paper.get(qn("w:h"))
    paper.set(qn("w:w"), height)
    paper.set(qn("w:h"), width)
    paper.set(qn("w:orient"), "landscape")
    before = make("p", make("pPr", copy.deepcopy(upright)))
    elements[-1].get_or_add_pPr().append(lengthwise)
    return [before, *elements]
