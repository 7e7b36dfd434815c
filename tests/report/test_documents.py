"""PDF and Word documents: whole, tagged, the same on every run, and deaf to what a cell says."""

import html
import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from nbformat import v4

from easitrace.report.chapter import BODY
from easitrace.report.documents import write_documents
from easitrace.report.documents.equations import arrange
from easitrace.report.documents.layout import LENGTHWISE, UPRIGHT, decimals_aligned, fit, text_width
from easitrace.report.documents.source import Cell, Run, Table, read_page
from easitrace.report.execute import Ran
from easitrace.report.markup import mathml
from easitrace.report.render import Study, render

WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
TITLE, BANNER = "EASI ≤ 7 & more", "Synthetic cohort, not patient data"
HOSTILE = [
    "<script>alert(1)</script>",
    "[click](javascript:alert(1))",
    r"\input{/etc/passwd} \write18{id}",
    '#read("/etc/passwd")',
    '#import "@preview/cetz:0.3.0": *',
    '=HYPERLINK("http://evil.example","y")',
    "{{7*7}} {#set} #{1+1} #[x] $x^2$",
    "= no heading",
    "- no item",
    "+ no item",
    "1. no item",
    "/ no: term",
    "https://evil.example/x // no comment",
    "/* no comment */ @no-reference <no-label>",
    "*not strong* _not emphasised_ `no code` ~",
    "a\\b\\ c a--b---c ... -? -1 5-6 'single'",
    "&amp; & < > &#60;",
    "≤ − – × → α β Δ é ñ ø Ł č ½ ‰ € ≥ ≠ ≈ ± µ √ ∞",
    "שלום",
    "{ MERGEFIELD x } { INCLUDEPICTURE }",
]
STRAIGHT = str.maketrans("“”‘’", "\"\"''")
SIGNS = re.compile(r"[\s\u200b\u2060]+")


def output(markup: str, **metadata: Any) -> Any:
    return v4.new_output("display_data", {"text/html": markup}, metadata=metadata)


def shown(kind: str, name: str, body: str, text: str = "Caption.", **more: str) -> Any:
    about = {"kind": kind, "anchor": f"c-{name}", "caption": text, "note": f"Note {text}", "alt": text, **more}
    return output(f"{BODY}{body}{BODY}", easitrace=about)


def table(header: list[str], rows: list[list[str]], align: str = "gt_right") -> str:
    heads = "".join(f'<th class="{align}" scope="col">{html.escape(name)}</th>' for name in header)
    body = "".join(
        "<tr>" + "".join(f'<td class="{align}">{html.escape(text)}</td>' for text in row) + "</tr>" for row in rows
    )
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{body}</tbody></table>"


DRAWING = (
    '<svg xmlns="http://www.w3.org/2000/svg" width="483pt" height="300pt" viewBox="0 0 483 300">'
    '<path d="M 0 0 L 483 300" style="stroke: #000000"/></svg>'
)


def made(folder: Path, *outputs: Any, markdown: str = "", study: Study | None = None) -> Path:
    """Both documents of a page with these outputs."""
    cells = [v4.new_markdown_cell(markdown), v4.new_code_cell("", outputs=list(outputs), execution_count=1)]
    study = study or Study("s", TITLE, (("Cohort", "25 patients"),), BANNER)
    page = render([Ran("c", v4.new_notebook(cells=cells), {"title": "A chapter", "status": "complete"}, 1.0)], study)
    assert write_documents(page, study, ["html", "pdf", "docx"], folder) == []
    return folder


def squeezed(text: str) -> str:
    return SIGNS.sub("", text)


def pdf(folder: Path) -> Any:
    from pypdf import PdfReader

    return PdfReader(folder / "report.pdf")


def pdf_text(folder: Path) -> str:
    return squeezed("".join(page.extract_text() for page in pdf(folder).pages))


def word(folder: Path) -> Any:
    import docx

    return docx.Document(str(folder / "report.docx"))


def word_text(folder: Path) -> str:
    return squeezed("".join(text.text or "" for text in word(folder).element.iter(f"{WORD}t")))


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A chapter with an equation, references, a short, a long and a wide table, and a figure."""
    rows = [[f"row {number}", "12.8 (9.3 to 19.3)"] for number in range(80)]
    wide = [[f"{number}.5\u00a0(1.2\u00a0to\u00a09.9)" for number in range(14)]]
    return made(
        tmp_path_factory.mktemp("whole"),
        output('<p>See <a href="#c-short">Table</a> and <a href="#c-falls">Figure</a>.</p>'),
        shown("table", "short", table(["Visit", "Median"], [["week 4", "6.25"], ["week 12", "12"]])),
        shown("table", "long", table(["Line", "Heading of all pages"], rows)),
        shown(
            "table",
            "wide",
            table([f"Measured {number}" for number in range(14)], wide),
        ),
        shown("figure", "falls", DRAWING, "Falling.", alt="EASI falls"),
        markdown="## Model\n\nWith $\\beta_j$ the mean:\n\n$$y_{ij} = \\beta_j + \\varepsilon_{ij}$$",
    )


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each text as sentence, header, cell, caption, note and description; some in the head of the report."""
    outputs = []
    for number, text in enumerate(HOSTILE):
        outputs += [
            output(f"<p>{html.escape(text)}</p>"),
            shown("table", f"t{number}", table([text, "n"], [[text, "1"]], "gt_left"), text),
            shown("figure", f"f{number}", DRAWING.replace("300", "30"), text),
        ]
    study = Study("s", HOSTILE[3], ((HOSTILE[0], HOSTILE[2]), ("File", HOSTILE[4])), HOSTILE[1])
    return made(tmp_path_factory.mktemp("hostile"), *outputs, study=study)


@pytest.mark.parametrize("text", HOSTILE)
def test_text_comes_out_as_it_is(hostile: Path, text: str) -> None:
    """As sentence, header, cell, twice as caption and note; the page sets curly quotation marks."""
    for read in (pdf_text(hostile), word_text(hostile)):
        assert read.translate(STRAIGHT).count(squeezed(text)) >= 7


def test_nothing_that_text_says_is_done(hostile: Path) -> None:
    for read in (pdf_text(hostile), word_text(hostile)):
        assert "root:" not in read and "uid=" not in read and "{{49}}" not in read
    raw = (hostile / "report.pdf").read_bytes()
    assert not re.search(rb"/(?:URI|JavaScript|JS|Launch|EmbeddedFile|OpenAction)\b", raw)
    with zipfile.ZipFile(hostile / "report.docx") as archive:
        relations = "".join(archive.read(name).decode() for name in archive.namelist() if name.endswith(".rels"))
        document = archive.read("word/document.xml").decode()
    assert 'TargetMode="External"' not in relations and "altChunk" not in document
    fields = {field.split()[0] for field in re.findall(r"<w:instrText[^>]*>([^<]*)<", document)}
    assert fields == {"SEQ", "TOC"}


def test_signs_that_turn_or_break_text_are_made_visible(tmp_path: Path) -> None:
    folder = made(
        tmp_path, shown("table", "t", table(["a"], [["x\u202e12"]])), study=Study("s", "T\u202e\u0001", (), "")
    )
    assert "x\ufffd12" in word_text(folder) and "T\ufffd\ufffd" in word_text(folder)
    assert "x\ufffd12" in pdf_text(folder)


def test_a_letter_without_a_font_is_told_and_the_pdf_is_there(tmp_path: Path) -> None:
    study = Study("s", "A letter: \U000f1234")
    cells = [v4.new_markdown_cell("Text.")]
    page = render([Ran("c", v4.new_notebook(cells=cells), {"title": "A", "status": "complete"}, 1.0)], study)
    (problem,) = write_documents(page, study, ["pdf", "docx"], tmp_path)
    assert problem.code == "E613" and problem.where == "report.pdf" and "shows a box" in problem.what
    assert "Text." in pdf_text(tmp_path) and "\U000f1234" in word_text(tmp_path)


def test_letters_of_other_scripts_come_from_the_system_or_are_told(tmp_path: Path) -> None:
    """The fonts of the packages have no Chinese: with such a font on the machine all is well, without it a box."""
    cells = [v4.new_markdown_cell("Text 你好.")]
    study = Study("s", "T")
    page = render([Ran("c", v4.new_notebook(cells=cells), {"title": "A", "status": "complete"}, 1.0)], study)
    told = [problem.what for problem in write_documents(page, study, ["pdf", "docx"], tmp_path)]
    assert "你好" in (word_text(tmp_path) if told else pdf_text(tmp_path))
    assert all("shows a box" in what and "你" in what for what in told)


def test_words_without_an_end_stay_on_the_paper(tmp_path: Path) -> None:
    long = "W" * 300
    folder = made(
        tmp_path, output(f"<p>{long}&amp;{long}</p>"), shown("table", "t", table([long, "b"], [["a", long]]), long)
    )
    places: list[float] = []

    def visit(text: str, _: Any, matrix: list[float], *__: Any) -> None:
        places.append(matrix[4] + 5 * len(text) if "W" in text else 0)

    for page in pdf(folder).pages:
        page.extract_text(visitor_text=visit)
        assert max(places) <= float(page.mediabox.width)
    assert f"{long}&{long}" in pdf_text(folder)


def test_two_runs_give_the_same_bytes(whole: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setenv("LC_ALL", "C")
    outputs = (shown("table", "t", table(["a"], [["1"]])), shown("figure", "f", DRAWING))
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        made(tmp_path / name, *outputs, markdown="Text with $x$.")
    for name in ("report.pdf", "report.docx"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_nobodys_name_and_no_date(whole: Path) -> None:
    about = pdf(whole).metadata
    assert about.title == TITLE and about.author is None
    assert about.creation_date is None and about.modification_date is None
    about = word(whole).core_properties
    assert (about.title, about.author, about.language, about.last_modified_by) == (TITLE, "", "en-GB", "")
    assert about.created is None and about.modified is None
    with zipfile.ZipFile(whole / "report.docx") as archive:
        assert {member.date_time for member in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_the_pdf_is_tagged_with_language_outline_and_descriptions(whole: Path) -> None:
    read = pdf(whole)
    catalogue = read.trailer["/Root"]
    assert catalogue["/MarkInfo"]["/Marked"] and catalogue["/Lang"] == "en-GB"
    assert b"pdfuaid:part" in catalogue["/Metadata"].get_data()
    titles = [entry.title for entry in read.outline if not isinstance(entry, list)]
    assert "A chapter" in titles
    objects = [read.get_object(number) for number in range(1, int(read.trailer["/Size"]))]
    described = [str(found["/Alt"]) for found in objects if isinstance(found, dict) and "/Alt" in found]
    assert {"EASI falls", "\\beta_j"} <= set(described)
    assert {"/Table", "/TH", "/TD", "/Caption", "/Formula"} <= {
        str(found.get("/S")) for found in objects if isinstance(found, dict)
    }


def test_every_page_says_study_banner_and_number(whole: Path) -> None:
    pages = pdf(whole).pages
    for number, page in enumerate(pages, 1):
        text = squeezed(page.extract_text())
        assert squeezed(TITLE) in text and squeezed(BANNER) in text and f"{number}of{len(pages)}" in text
    section = word(whole).sections[0]
    assert [shown.text for shown in section.header.paragraphs] == [TITLE, BANNER]
    fields = re.findall(r"instrText[^>]*> (\w+) <", section.footer._element.xml)
    assert fields == ["PAGE", "NUMPAGES"]


def test_tables_of_the_word_document_are_made_to_be_edited(whole: Path) -> None:
    document = word(whole)
    captions = [shown for shown in document.paragraphs if shown.style.style_id == "Caption"]
    assert [caption.text for caption in captions][:1] == ["Table\u00a01. Caption."]
    assert all("SEQ " in caption._p.xml for caption in captions) and len(captions) == 4
    for found in document.tables:
        rows = found._tbl.tr_lst
        assert rows[0].find(f"{WORD}trPr/{WORD}tblHeader") is not None
        assert all(row.find(f"{WORD}trPr/{WORD}cantSplit") is not None for row in rows)
        assert all(row.find(f"{WORD}trPr/{WORD}tblHeader") is None for row in rows[1:])
    links = re.findall(r'w:anchor="([^"]+)"', document.element.xml)
    marks = re.findall(r'<w:bookmarkStart [^>]*w:name="([^"]+)"', document.element.xml)
    assert len(links) == 3 and set(links) <= set(marks) and len(set(marks)) == len(marks)
    assert "oMath" in document.element.xml


def test_pictures_of_the_word_document_are_sharp_and_described(whole: Path) -> None:
    from PIL import Image

    (picture,) = word(whole).inline_shapes
    assert picture._inline.docPr.get("descr") == "EASI falls"
    with zipfile.ZipFile(whole / "report.docx") as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".png"))
        with archive.open(name) as file:
            assert Image.open(file).size[0] == pytest.approx(300 * picture.width.inches, abs=2)


def test_a_long_table_repeats_its_header_and_a_wide_one_turns_the_page(whole: Path) -> None:
    pages = pdf(whole).pages
    holding = [page for page in pages if "row " in page.extract_text()]
    assert len(holding) >= 2 and all("Heading of all pages" in page.extract_text() for page in holding)
    turned = [page for page in pages if page.mediabox.width > page.mediabox.height]
    assert len(turned) == 1 and "Measured 13" in turned[0].extract_text().replace("\n", " ")
    assert [section.page_width > section.page_height for section in word(whole).sections] == [False, True, False]


def columns(*rows: str, align: str = "right") -> Table:
    made_rows = tuple(tuple(Cell((Run(text),), align) for text in row.split("|")) for row in rows)  # type: ignore[arg-type]
    return Table("a", "Table 1", "", "", made_rows[:1], made_rows[1:])


def test_decimal_signs_stand_one_above_the_other() -> None:
    aligned = decimals_aligned(columns("a|b|c", "1.25|7|1.5", "3|8|12 (2)", "–|9|2"))
    texts = [[cell.text for cell in row] for row in aligned.body]
    assert texts[1][0] == "3\u2008\u2007\u2007" and texts[2][0] == "–"
    assert [row[1] for row in texts] == ["7", "8", "9"] and [row[2] for row in texts] == ["1.5", "12 (2)", "2"]


def test_columns_have_the_room_their_words_need() -> None:
    table = columns("Name|n", "incomprehensibility of columns|1")
    layout = fit(table)
    assert sum(layout.widths) == pytest.approx(UPRIGHT) and layout.page == "upright" and layout.short
    assert layout.widths[0] > layout.size * text_width("incomprehensibility")
    wide = fit(columns("|".join("abcdefghijkl" for _ in range(12)), "|".join("1" for _ in range(12))))
    assert wide.page == "lengthwise" and sum(wide.widths) == pytest.approx(LENGTHWISE) and not wide.broken
    assert fit(columns("|".join("abcdefghijkl" for _ in range(40)))).broken


def test_cells_that_span_keep_their_places(tmp_path: Path) -> None:
    body = (
        '<table><thead><tr><th rowspan="2">Visit</th><th colspan="2">Dose</th></tr><tr><th>low</th><th>high</th></tr>'
        '</thead><tbody><tr class="gt_group_heading_row"><th colspan="3">Group</th></tr>'
        '<tr><td rowspan="2">w4</td><td>1</td><td>2</td></tr><tr><td>3</td><td>4</td></tr></tbody></table>'
    )
    (found,) = word(made(tmp_path, shown("table", "t", body))).tables
    grid = [[found.cell(row, column).text for column in range(3)] for row in range(5)]
    assert grid == [
        ["Visit", "Dose", "Dose"],
        ["Visit", "low", "high"],
        ["Group"] * 3,
        ["w4", "1", "2"],
        ["w4", "3", "4"],
    ]


def test_a_power_belongs_to_the_whole_bracket() -> None:
    import lxml.html

    equation = lxml.html.fragment_fromstring(mathml(r"T = \sum_l (\hat Q_l - (1 + m))^2 (v^* + v)", block=True))
    arrange(equation)
    power = next(power for power in equation.iter("msup") if power[1].text == "2")
    assert power[0].tag == "mrow" and power[0].text_content() == "(Q^l−(1+m))"
    star = next(power for power in equation.iter("msup") if power[1].text == "*")
    assert star[1].tag == "mtext" and star.getparent().text_content() == "(v*+v)"


def test_code_is_shown_when_the_page_shows_it(tmp_path: Path) -> None:
    cell = v4.new_code_cell('x = "#let `y`"  # comment', execution_count=1)
    page = render(
        [Ran("c", v4.new_notebook(cells=[cell]), {"title": "A", "status": "complete"}, 1.0)],
        Study("s", "T"),
        show_code=True,
    )
    assert write_documents(page, Study("s", "T"), ["pdf", "docx"], tmp_path) == []
    for text in (pdf_text(tmp_path), word_text(tmp_path)):
        assert squeezed('x = "#let `y`"  # comment') in text


def test_what_is_not_a_page_is_refused() -> None:
    with pytest.raises(ValueError, match="no main part"):
        read_page("<p>no page</p>")


@pytest.mark.parametrize("package", ["pypandoc", "typst"])
def test_a_missing_converter_is_one_problem_for_each_document(
    package: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken" / package).mkdir(parents=True)
    (tmp_path / "broken" / package / "__init__.py").write_text('raise ImportError("not for this machine")')
    monkeypatch.syspath_prepend(tmp_path / "broken")
    for name in [name for name in sys.modules if name.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    cells = [v4.new_code_cell("", outputs=[shown("figure", "f", DRAWING)], execution_count=1)]
    page = render([Ran("c", v4.new_notebook(cells=cells), {"title": "A", "status": "complete"}, 1.0)], Study("s", "T"))
    problems = write_documents(page, Study("s", "T"), ["html", "pdf", "docx"], tmp_path)
    assert [(problem.code, problem.where) for problem in problems] == [("E613", "report.pdf"), ("E613", "report.docx")]
    assert not list(tmp_path.glob("report.*"))


def test_html_alone_loads_nothing(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from easitrace.report.documents import write_documents;"
        "from easitrace.report.render import Study;"
        f"write_documents('', Study('s', 't'), ['html'], Path({str(tmp_path)!r}));"
        "sys.exit(bool({'lxml', 'docx', 'typst', 'pypandoc', 'easitrace.report.documents.source'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_nothing_is_left_in_the_folder(whole: Path) -> None:
    assert sorted(path.name for path in whole.iterdir()) == ["report.docx", "report.pdf"]
