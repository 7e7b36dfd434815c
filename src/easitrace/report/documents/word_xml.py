"""Small pieces of Word's markup."""

from typing import Any


def make(tag: str, *children: Any, **attributes: str) -> Any:
    """An element of Word's main name space with attributes of the same."""
    from docx.oxml import OxmlElement
    from docx.oxml.ns import qn

    element = OxmlElement(f"w:{tag}")
    for name, value in attributes.items():
        element.set(qn(f"w:{name}"), value)
    element.extend(child for child in children if child is not None)
    return element


def text_run(text: str, *properties: Any) -> Any:
    """A run of text, blanks kept."""
    run = make("r", make("rPr", *properties)) if properties else make("r")
    words = make("t")
    words.text = text
    words.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
    run.append(words)
    return run


def field(instruction: str, shown: str) -> list[Any]:
    """A field that Word can update, with what it shows until then."""
    code = make("instrText")
    code.text = f" {instruction} "
    code.set("{http://www.w3.org/XML/1998/namespace}space", "preserve")
    begin, separate, end = (make("r", make("fldChar", fldCharType=kind)) for kind in ("begin", "separate", "end"))
    return [begin, make("r", code), separate, text_run(shown), end]


def paragraph(style: str, *children: Any, keep_next: bool = False, align: str = "", after: float | None = None) -> Any:
    """A paragraph in a style, named by its identifier; `after` is the space below in points, if not the style's."""
    properties = make(
        "pPr",
        make("pStyle", val=style),
        make("keepNext") if keep_next else None,
        None if after is None else make("spacing", after=str(round(20 * after))),
        make("jc", val=align) if align else None,
    )
    return make("p", properties, *children)


def bookmarked(name: str, number: int, *children: Any) -> list[Any]:
    """Elements inside a bookmark that links can go to; without a name, the elements alone."""
    if not name:
        return list(children)
    start = make("bookmarkStart", id=str(number), name=name)
    return [start, *children, make("bookmarkEnd", id=str(number))]
