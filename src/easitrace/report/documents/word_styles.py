"""The styles of the Word document, set on those that pandoc's documents have, so that an editor finds them by name."""

from typing import Any

from easitrace.report.documents.word_xml import make

FONT, MONO = "Times New Roman", "Courier New"
CAPTION, NOTE, PICTURE, TABLE_TEXT = "Caption", "TableNote", "Figure", "TableText"
BANNER, FACT, TABLE, CONTENTS = "Banner", "Fact", "Table", "TOC1"
TABLE_SIZE = 8.5
WARN, SOFT = "6B3A00", "595959"
BODY = ("Body Text", "First Paragraph", "Compact", "Block Text", "Definition", "Definition Term")
HEADINGS = (("Title", 19, 0, 8), ("Heading 1", 15, 22, 8), ("Heading 2", 12, 14, 5), ("Heading 3", 10.5, 10, 4))


def set_styles(document: Any) -> None:
    """One serif family, black headings, small captions, notes and tables."""
    styles = document.styles
    _defaults(styles)
    for name in BODY:
        _set(styles[name], size=10.5, before=0, after=6)
    _set(styles["Compact"], size=10.5, before=0, after=2)
    for name, size, before, after in HEADINGS:
        _set(styles[name], size=size, before=before, after=after, bold=True, keep=True)
    for name in (f"Heading {level}" for level in range(4, 7)):
        _set(styles[name], size=10.5, before=8, after=4, bold=True, keep=True)
    _set(_named(styles, CAPTION), size=9, before=8, after=5)
    _set(_new(styles, NOTE, "Table Note"), size=8, before=4, after=14, colour=SOFT)
    _set(_new(styles, TABLE_TEXT, "Table Text"), size=TABLE_SIZE, before=1.5, after=1.5)
    _set(_new(styles, BANNER, "Banner"), size=9, before=0, after=10, colour=WARN)
    _set(_new(styles, FACT, "Fact"), size=9, before=0, after=1)
    _set(_new(styles, CONTENTS, "toc 1"), size=10, before=0, after=1)
    _set(_named(styles, "TOCHeading"), size=10.5, before=14, after=3, bold=True, keep=True)
    _set(styles["Figure"], size=10.5, before=10, after=2)
    _set(styles["Source Code"], size=8, before=0, after=6, font=MONO)
    styles["Verbatim Char"].font.name = MONO
    _plain_table(styles["Table"])
    _plain_link(styles["Hyperlink"])


def _named(styles: Any, identifier: str) -> Any:
    return next(style for style in styles if style.style_id == identifier)


def _defaults(styles: Any) -> None:
    """The font of everything, and the language for spelling."""
    from docx.oxml.ns import qn

    defaults = styles.element.find(qn("w:docDefaults")).find(qn("w:rPrDefault")).find(qn("w:rPr"))
    for old in list(defaults):
        defaults.remove(old)
    defaults.append(_fonts(FONT))
    defaults.append(make("sz", val="21"))
    defaults.append(make("lang", val="en-GB", eastAsia="en-US", bidi="ar-SA"))
    for style in styles.element.iter(qn("w:rFonts")):
        if style is not defaults[0]:
            style.getparent().replace(style, _fonts(FONT))


def _fonts(name: str) -> Any:
    return make("rFonts", ascii=name, hAnsi=name, cs=name, eastAsia=name)


def _set(
    style: Any,
    *,
    size: float,
    before: float,
    after: float,
    bold: bool = False,
    keep: bool = False,
    colour: str = "000000",
    font: str = FONT,
) -> None:
    from docx.shared import Pt, RGBColor

    style.font.size, style.font.bold, style.font.italic = Pt(size), bold, False
    style.font.color.rgb = RGBColor.from_string(colour)
    style.font.name = font
    style.paragraph_format.space_before, style.paragraph_format.space_after = Pt(before), Pt(after)
    style.paragraph_format.line_spacing = 1.0 if size < 10 else 1.12
    style.paragraph_format.keep_with_next = keep or None
    style.paragraph_format.widow_control = True
    style.paragraph_format.alignment = 0


def _new(styles: Any, identifier: str, name: str) -> Any:
    from docx.enum.style import WD_STYLE_TYPE

    style = styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH)
    style.element.set("{http://schemas.openxmlformats.org/wordprocessingml/2006/main}styleId", identifier)
    style.base_style = styles["Normal"]
    style.quick_style = True
    return style


def _plain_table(style: Any) -> None:
    """No border and no first-row rule of the style: the tables bring their three rules."""
    from docx.oxml.ns import qn

    for conditional in style.element.findall(qn("w:tblStylePr")):
        style.element.remove(conditional)


def _plain_link(style: Any) -> None:
    from docx.shared import RGBColor

    style.font.color.rgb = RGBColor(0x0B, 0x55, 0x77)
