"""What notebooks show, made safe: only known elements, attributes and styles leave this module.

Text from a data file can reach a page through a table cell, a sentence or a figure label. HTML passes bleach with the
lists below, SVG an XML parser with its own lists; scripts, event handlers, style sheets, frames, forms and links to
anywhere but this page have no place in either. Equations are set as MathML, so that no script is needed.
"""

import html
import re
from collections.abc import Callable
from functools import cache
from typing import Any
from xml.etree import ElementTree


class EquationError(ValueError):
    """An equation that cannot be set."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


TAGS = _words(
    """a b blockquote br caption code col colgroup dd del div dl dt em h1 h2 h3 h4 h5 h6 hr i img li ol p pre s small
    span strong sub sup table tbody td tfoot th thead tr ul"""
)
GENERAL = frozenset({"class", "title", "dir", "lang"})
SPECIFIC = {
    "a": frozenset({"href"}),
    "img": frozenset({"src", "alt"}),
    "td": frozenset({"colspan", "rowspan", "style"}),
    "th": frozenset({"colspan", "rowspan", "scope", "style"}),
    **dict.fromkeys(("h1", "h2", "h3", "h4", "h5", "h6"), frozenset({"id"})),
    "span": frozenset({"style"}),
    "ol": frozenset({"start"}),
}
STYLES = ("text-align", "font-weight", "font-style", "white-space", "padding-left", "text-indent")
PICTURE = re.compile(r"data:image/(png|jpeg|gif|webp);base64,[A-Za-z0-9+/=\s]+")

SVG = "{http://www.w3.org/2000/svg}"
XLINK = "{http://www.w3.org/1999/xlink}href"
SHAPES = _words(
    """svg g path defs use clipPath rect circle ellipse line polyline polygon text tspan title desc image
    linearGradient radialGradient stop pattern mask marker symbol"""
)
DRAWING = _words(
    """d id x y x1 y1 x2 y2 cx cy r rx ry fx fy width height points transform viewBox style class fill fill-opacity
    fill-rule stroke stroke-width stroke-opacity stroke-dasharray stroke-linecap stroke-linejoin opacity clip-path
    clip-rule clipPathUnits gradientUnits gradientTransform patternUnits patternTransform offset stop-color
    stop-opacity text-anchor font-family font-size font-weight font-style preserveAspectRatio markerWidth
    markerHeight refX refY orient role aria-label"""
)
NUMBER = re.compile(r"-?\d+\.\d{4,}")
REMOTE = re.compile(r"url\(|@import|javascript:|expression\(", re.IGNORECASE)
ALIGNED = re.compile(r"\\(begin|end)\{(?:aligned|split|align)\}")
CELL = re.compile(r"(<t[dh] [^>]*scope=\"row\"[^>]*>|<td[^>]*>)(.*?)(</t[dh]>)", re.DOTALL)
BLANKS = " \t\r\n"
HEADING = re.compile(r"<th[^>]*scope=\"col\"[^>]*>[^<]*</th>")
BRACKET = re.compile(r"\[[^\]]*\]|\([^)]*\)")
SHORT_HEADER = 24
SHORT_CELL = 10
VERBATIM = re.compile(r"(<(?:pre|code|math|svg)\b.*?</(?:pre|code|math|svg)>|<[^>]*>)", re.DOTALL)
APOSTROPHE = re.compile(r"(?<=\w)'")
SHIFTED = re.compile(r"\b1 \+ (?=\w)")
RELATION = re.compile(r"\b([Pn]) (=|&lt;|&gt;) (?=[\d.])")
OPENING = re.compile(r"(?<![^\s(\[\u2014])\"(?=\S)")
LOCAL = re.compile(r"url\(#([^)]+)\)")
PLACES = frozenset({"d", "points", "x", "y", "x1", "y1", "x2", "y2", "width", "height"})
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")
REPLACEMENT = "\ufffd"
SCROLLING = '<span class="equation" role="group" tabindex="0" aria-label="Equation">{}</span>'
NUMBERED = re.compile(r"&#(?:[xX][0-9a-fA-F]+|[0-9]+);")


def printable(text: str) -> str:
    """Text with a visible mark in the place of control characters and of those that turn the order of letters."""
    return UNPRINTABLE.sub(REPLACEMENT, text)


def clean_html(markup: str) -> str:
    """HTML with nothing but known elements; the text of everything else stays, as text."""
    return NUMBERED.sub(_printed, printable(str(_cleaner().clean(markup))))


def _printed(reference: re.Match[str]) -> str:
    """A character written by its number, unless what it stands for must not be on the page."""
    shown = printable(html.unescape(reference[0]))
    return REPLACEMENT if shown in {"", REPLACEMENT} else reference[0]


@cache
def _cleaner() -> Any:
    import bleach  # type: ignore[import-untyped]
    from bleach.css_sanitizer import CSSSanitizer  # type: ignore[import-untyped]

    return bleach.Cleaner(
        tags=TAGS,
        attributes=_allowed,
        css_sanitizer=CSSSanitizer(allowed_css_properties=STYLES),
        protocols={"data", "https"},
        strip=False,
    )


def _allowed(tag: str, name: str, value: str) -> bool:
    if name == "href":
        return tag == "a" and re.fullmatch(r"#[A-Za-z0-9_-]+", value) is not None
    if name == "src":
        return tag == "img" and PICTURE.fullmatch(value) is not None
    return name in GENERAL or name in SPECIFIC.get(tag, ())


def clean_table(markup: str) -> str:
    """A table with a header cell at the head of every row; numbers break only before a bracket."""
    body = r"(<tr[^>]*>\s*)<td([^>]*)>(.*?)</td>"
    rows = re.sub(body, r'\1<th scope="row"\2>\3</th>', clean_html(markup), flags=re.DOTALL)
    held = CELL.sub(_held_together, rows)
    return HEADING.sub(lambda heading: BRACKET.sub(r'<span class="whole">\g<0></span>', heading[0]), held)


def _held_together(cell: re.Match[str]) -> str:
    start, content, end = cell.groups()
    short = len(content) <= (SHORT_HEADER if start.startswith("<th") else SHORT_CELL)
    if "<" in content or " " not in content or not (short or "gt_right" in start):
        return cell[0]
    parts = re.split(r" (?=[(\[])", content)
    return start + " ".join(f'<span class="whole">{part}</span>' for part in parts) + end


def typographic(markup: str) -> str:
    """Curly quotation marks, unbroken `P = .003`, `1 + score`; tags, code, equations and drawings stay."""
    pieces = VERBATIM.split(markup)
    pieces[::2] = [APOSTROPHE.sub("\u2019", OPENING.sub("\u201c", piece)) for piece in pieces[::2]]
    pieces[::2] = [piece.replace('"', "\u201d") for piece in pieces[::2]]
    pieces[::2] = [RELATION.sub("\\1\u00a0\\2\u00a0", piece) for piece in pieces[::2]]
    pieces[::2] = [SHIFTED.sub("1\u00a0+\u00a0", piece) for piece in pieces[::2]]
    return "".join(pieces)


def clean_svg(markup: str, prefix: str, alt: str) -> str:
    """A drawing without comments, metadata and style sheets, its names made its own, its coordinates shortened.

    Parameters
    ----------
    markup : str
        An `<svg>` element.
    prefix : str
        Put before every name inside, so that two drawings on a page do not answer to the same one; begins with a
        letter.
    alt : str
        What a reader who cannot see the drawing is told.
    """
    markup = printable(markup)
    root = ElementTree.fromstring(markup)
    _prune(root)
    used = set(LOCAL.findall(markup)) | set(re.findall(r'href="#([^"]+)"', markup))
    for element in root.iter():
        _own_attributes(element, prefix, used)
    width, _ = root.attrib.pop("width", ""), root.attrib.pop("height", "")
    limit = f"max-width:calc(1.2 * {width});" if re.fullmatch(r"[\d.]+(pt|px|in|mm)", width) else ""
    root.attrib |= {"role": "img", "aria-label": alt, "style": f"{limit}stroke-linejoin:round;stroke-linecap:butt"}
    return _inline(root)


def _inline(root: ElementTree.Element) -> str:
    """XML as it stands inside HTML: no name spaces, no blanks between elements."""
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        element.tail = (element.tail or "").strip(BLANKS) or None
        element.text = (element.text or "").strip(BLANKS) or None
    return ElementTree.tostring(root, encoding="unicode")


def _prune(element: ElementTree.Element) -> None:
    for child in list(element):
        if not isinstance(child.tag, str) or child.tag.removeprefix(SVG) not in SHAPES:
            element.remove(child)
        else:
            _prune(child)


def _own_attributes(element: ElementTree.Element, prefix: str, used: set[str]) -> None:
    kept = {}
    for name, value in element.attrib.items():
        if name in {XLINK, "href"}:
            kept["href"] = _own_link(element, prefix, value)
        elif name == "id":
            kept["id"] = f"{prefix}-{value}" if value in used else ""
        elif name in DRAWING and not REMOTE.search(LOCAL.sub("", value)):
            shorter = NUMBER.sub(_shorter, value) if name in PLACES else value
            kept[name] = LOCAL.sub(rf"url(#{prefix}-\1)", shorter)
    element.attrib.clear()
    element.attrib.update({name: value for name, value in kept.items() if value})


def _own_link(element: ElementTree.Element, prefix: str, value: str) -> str:
    """A link into the drawing or a picture inside it; nothing else."""
    if value.startswith("#"):
        return f"#{prefix}-{value[1:]}"
    return value if element.tag == f"{SVG}image" and PICTURE.fullmatch(value) else ""


def _shorter(number: re.Match[str]) -> str:
    return f"{float(number[0]):.2f}".rstrip("0").rstrip(".")


def mathml(latex: str, *, block: bool) -> str:
    """An equation as MathML with its LaTeX as alternative text.

    Raises
    ------
    EquationError
        When the equation cannot be read or has an unknown command.
    """
    from latex2mathml.converter import convert

    source = ALIGNED.sub(r"\\\1{align*}", latex)
    try:
        root = ElementTree.fromstring(convert(source, display="block" if block else "inline"))
    except Exception as error:
        raise EquationError(f"{latex.strip()!r} cannot be set ({type(error).__name__})") from error
    if unknown := [element.text for element in root.iter() if (element.text or "").startswith("\\")]:
        raise EquationError(f"{latex.strip()!r} has the unknown command {unknown[0]}")
    for element in root.iter():
        for name in [name for name in element.attrib if name.endswith("href")]:
            del element.attrib[name]
        if element.text == "~":
            element.tag, element.text = "mo", "\u223c"
        if element.tag.endswith("mi") and len(element.text or "") == 1 and "mathvariant" not in element.attrib:
            _as_letter(element)
    root.set("alttext", latex.strip())
    return _inline(root)


def _as_letter(element: ElementTree.Element) -> None:
    """A variable in the italic of the text, a Greek capital upright."""
    if "\u0391" <= (element.text or "") <= "\u03a9":
        element.set("mathvariant", "normal")
    else:
        element.set("class", "variable")


def markdown_html(source: str, heading: Callable[[str, int], str]) -> str:
    """Markdown as safe HTML with MathML.

    Parameters
    ----------
    source : str
        nbconvert's Markdown: mistune's with tables and `$...$`.
    heading : callable
        From a heading's HTML and level (1 to 6) to its HTML.
    """
    renderer = _renderer_class()(heading)
    from nbconvert.filters.markdown_mistune import MarkdownWithMath

    page = clean_html(MarkdownWithMath(renderer=renderer).render(source.translate(renderer.RESERVED)))
    return re.sub(r"\ue000(\d+)\ue001", lambda place: renderer.equations[int(place[1])], page)


@cache
def _renderer_class() -> Any:
    from nbconvert.filters.markdown_mistune import IPythonRenderer

    class Renderer(IPythonRenderer):  # type: ignore[misc]
        """nbconvert's renderer with equations put aside while the rest is made safe."""

        RESERVED = dict.fromkeys((0xE000, 0xE001))

        def __init__(self, heading: Callable[[str, int], str]) -> None:
            super().__init__(escape=False, exclude_anchor_links=True)
            self.equations: list[str] = []
            self._heading = heading

        def heading(self, text: str, level: int, **attrs: Any) -> str:
            return self._heading(text, level)

        def inline_math(self, body: str) -> str:
            return self._aside(mathml(body, block=False))

        def block_math(self, body: str) -> str:
            return self._aside(SCROLLING.format(mathml(body, block=True)))

        def latex_environment(self, name: str, body: str) -> str:
            return self._aside(SCROLLING.format(mathml(rf"\begin{{{name}}}{body}\end{{{name}}}", block=True)))

        def _aside(self, equation: str) -> str:
            self.equations.append(equation)
            return f"\ue000{len(self.equations) - 1}\ue001"

    return Renderer


def plain_text(markup: str) -> str:
    """The words of a piece of HTML."""
    return html.unescape(re.sub(r"<[^>]+>", "", markup)).strip()


def preformatted(text: str) -> str:
    """Printed text, without terminal colours."""
    return f"<pre>{html.escape(COLOUR.sub('', text), quote=False)}</pre>"
