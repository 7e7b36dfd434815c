"""One page from the chapters: numbered, linked, readable without code, without a network and without a mouse."""

import re
from html.parser import HTMLParser
from typing import Any

import pytest
from nbformat import v4

from easitrace.errors import NotEstimableError
from easitrace.report.chapter import BODY
from easitrace.report.execute import INJECTED, Ran
from easitrace.report.render import Study, render

STUDY = Study(
    "study", "A <title> & 12-week course", (("Cohort", "25 <patients>"),), "Synthetic <cohort>; not patients."
)
DRAWING = '<svg xmlns="http://www.w3.org/2000/svg" width="100pt"><path d="M 0 0"/></svg>'
TABLE = "<table><thead><tr><th>Visit</th></tr></thead><tbody><tr><td>week 4</td></tr></tbody></table>"


def html_output(markup: str, **metadata: Any) -> Any:
    return v4.new_output("display_data", {"text/html": markup}, metadata=metadata)


def shown(kind: str, name: str, chapter: str, caption: str = "Caption.") -> Any:
    about = {"kind": kind, "anchor": f"{chapter}-{name}", "caption": caption, "note": "A note.", "alt": "Falls"}
    return html_output(f"{BODY}{TABLE if kind == 'table' else DRAWING}{BODY}", easitrace=about)


def chapter(name: str, *cells: Any, title: str = "", **result: Any) -> Ran:
    content = {"title": title or name, "status": "complete", **result}
    return Ran(name, v4.new_notebook(cells=list(cells)), content, 1.0)


def code(*outputs: Any, source: str = "secret = 1", **metadata: Any) -> Any:
    return v4.new_code_cell(source, outputs=list(outputs), execution_count=1, metadata=metadata)


@pytest.fixture(scope="module")
def chapters() -> list[Ran]:
    return [
        chapter(
            "00_summary",
            v4.new_markdown_cell("# Summary\n\nSee [Table](#02_course-by_visit), [the course](#02_course)."),
            code(html_output('<p>And <a href="#01_cohort-flow">Figure</a>.</p>')),
        ),
        chapter(
            "01_cohort",
            v4.new_markdown_cell("## Flow\n\n### Detail\n\n## Flow"),
            code(shown("figure", "flow", "01_cohort"), shown("table", "one", "01_cohort", "Who <b>")),
        ),
        chapter(
            "02_course",
            v4.new_markdown_cell("The score $y_{ij}$ of patient $i$."),
            code(shown("table", "by_visit", "02_course"), shown("figure", "spaghetti", "02_course")),
            code(v4.new_output("stream", name="stdout", text="printed <b>\n")),
            code(v4.new_output("stream", name="stderr", text="a warning\n")),
        ),
        chapter("06_proms", title="PROMs", status="skipped", reason="No <PROM> recorded."),
    ]


@pytest.fixture(scope="module")
def page(chapters: list[Ran]) -> str:
    return render(chapters, STUDY)


class Outline(HTMLParser):
    def __init__(self, page: str) -> None:
        super().__init__()
        self.headings: list[int] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.tags: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.tags.append(tag)
        self.ids += [attributes["id"]] if attributes.get("id") else []
        self.links += [attributes["href"]] if tag == "a" and attributes.get("href") else []
        self.headings += [int(tag[1])] if re.fullmatch("h[1-6]", tag) else []


def test_tables_and_figures_are_numbered_in_the_order_of_the_page(page: str) -> None:
    captions = re.findall(r'<figure [^>]*id="([^"]+)">.*?<figcaption><span class="number">([^<]+)\.</span>', page)
    assert captions == [
        ("01_cohort-flow", "Figure\u00a01"),
        ("01_cohort-one", "Table\u00a01"),
        ("02_course-by_visit", "Table\u00a02"),
        ("02_course-spaghetti", "Figure\u00a02"),
    ]


def test_cross_references_get_their_numbers(page: str) -> None:
    assert '<a href="#02_course-by_visit">Table\u00a02</a>' in page
    assert '<a href="#02_course">the course</a>' in page
    assert '<a href="#01_cohort-flow">Figure\u00a01</a>' in page


def test_a_reference_to_nothing_is_an_error() -> None:
    cell = v4.new_markdown_cell("[Table](#01_cohort-nothing)")
    with pytest.raises(NotEstimableError, match="E405 chapter 01_cohort: refers to #01_cohort-nothing"):
        render([chapter("01_cohort", cell)], STUDY)


def test_a_reference_to_a_skipped_chapter_becomes_words(chapters: list[Ran]) -> None:
    cell = v4.new_markdown_cell("[Table](#06_proms-a)")
    assert "Table (not in this report)" in render([*chapters, chapter("07_x", cell)], STUDY)


def test_a_skipped_chapter_is_one_line_and_not_in_the_contents(page: str) -> None:
    assert '<p class="skipped" id="06_proms"><strong>PROMs.</strong> No &lt;PROM&gt; recorded.</p>' in page
    assert "#06_proms" not in page


def test_headings_descend_one_by_one_and_every_link_arrives(page: str) -> None:
    outline = Outline(page)
    assert outline.headings[0] == 1 and outline.headings.count(1) == 1
    assert all(later <= earlier + 1 for earlier, later in zip(outline.headings, outline.headings[1:], strict=False))
    assert len(set(outline.ids)) == len(outline.ids)
    assert {link.removeprefix("#") for link in outline.links} <= set(outline.ids)
    assert {"main", "nav", "header", "footer"} <= set(outline.tags)


def test_no_code_is_shown_unless_asked_for(chapters: list[Ran], page: str) -> None:
    assert "secret" not in page and "<details" not in page
    with_code = render(chapters, STUDY, show_code=True)
    assert with_code.count('<details class="code"><summary>Code</summary>') == 5
    assert " open" not in re.findall("<details[^>]*>", with_code)[0]


def test_the_parameters_of_a_run_are_named_in_the_code() -> None:
    cell = code(source="seed = 1", tags=[INJECTED])
    assert "<summary>Parameters of this report</summary>" in render([chapter("a", cell)], STUDY, show_code=True)


def test_the_page_needs_no_network_and_no_script(page: str) -> None:
    policy = re.search(r'http-equiv="Content-Security-Policy" content="([^"]+)"', page)
    assert policy is not None and "default-src 'none'" in policy[1] and "script" not in policy[1]
    assert "://" not in page and "<script" not in page and "<link" not in page and "@import" not in page


def test_text_of_the_study_is_escaped(page: str) -> None:
    assert "<title>A &lt;title&gt; &amp; 12-week course</title>" in page
    assert "<dd>25 &lt;patients&gt;</dd>" in page
    assert page.count("Synthetic &lt;cohort&gt;; not patients.") == 2
    assert 'content: "Synthetic  cohort ; not patients."' in page
    assert "Who &lt;b&gt;" in page


def test_printed_text_is_shown_and_messages_are_not(page: str) -> None:
    assert "<pre>printed &lt;b&gt;\n</pre>" in page and "a warning" not in page


def test_equations_are_mathml(page: str) -> None:
    assert page.count("<math") == 2 and "$" not in page.split("</style>")[1]


def test_an_equation_that_cannot_be_set_names_its_chapter() -> None:
    with pytest.raises(NotEstimableError, match="E406 chapter 03_x: the equation"):
        render([chapter("03_x", v4.new_markdown_cell(r"$\nosuch$"))], STUDY)


def test_the_same_chapters_give_the_same_bytes(chapters: list[Ran], page: str) -> None:
    assert render(chapters, STUDY) == page


def test_what_a_notebook_displays_by_itself_comes_out_inert() -> None:
    hostile = "<script>alert(1)</script><img src=x onerror=alert(1)>"
    outputs = [
        v4.new_output("display_data", {kind: text})
        for kind, text in {
            "text/html": f"<table><tr><td>{hostile}</td></tr></table>",
            "text/markdown": f"# {hostile}",
            "text/plain": hostile,
            "image/png": f'iVBOR"{hostile}',
            "application/javascript": hostile,
        }.items()
    ]
    body = render([chapter("a", code(*outputs))], STUDY).split("<main")[1]
    assert "<script" not in body and not re.search(r"<[^>]+onerror", body)
