"""The committed report as page, PDF, Word document, CSV files and results: one set of numbers in all of them."""

import csv
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from easitrace.report.documents import write_documents
from easitrace.report.documents.source import Source, Table, read_page
from easitrace.report.render import Study

COMMITTED = Path(__file__).parents[2] / "reports" / "baricitinib"
NUMBER = re.compile(r"(?<![\w.])[−-]?(?:\d+\.\d+|\.\d+|\d+)(?![\w.])")
VALUE = re.compile(r"-?(?:\d+(?:\.\d+)?|\.\d+)(?:e-?\d+)?")
BLANKS = re.compile(r"[\s\u200b\u2060]+")
TITLE, BANNER = "A title", "Synthetic cohort, not patient data"
WORD = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"


@dataclass(frozen=True)
class Read:
    """What was read back: the page, the text of the PDF, the Word document."""

    page: Source
    pdf: str
    word: Any
    folder: Path


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Read:
    import docx
    from pypdf import PdfReader

    folder = tmp_path_factory.mktemp("documents")
    page = (COMMITTED / "report.html").read_text(encoding="utf-8")
    page = re.sub(r"(<svg [^>]*>).*?</svg>", r"\1</svg>", page, flags=re.DOTALL)  # drawings take pypdf long to read
    study = Study("baricitinib", TITLE, (("Cohort", "25 patients"),), BANNER)
    assert write_documents(page, study, ["html", "pdf", "docx"], folder) == []
    sheets = [squeezed(sheet.extract_text()) for sheet in PdfReader(folder / "report.pdf").pages]
    text = "".join(
        re.sub(rf"{squeezed(TITLE + BANNER)}|{n}of{len(sheets)}", "", sheet) for n, sheet in enumerate(sheets, 1)
    )
    return Read(read_page(page), text, docx.Document(str(folder / "report.docx")), folder)


def squeezed(text: str) -> str:
    return BLANKS.sub("", text)


def tables(page: Source) -> list[Table]:
    return [found for found in page.floats if isinstance(found, Table)]


def cells(table: Table) -> list[list[str]]:
    return [[squeezed(cell.text) for cell in row] for row in (*table.header, *table.body)]


def word_cells(table: Any) -> list[list[str]]:
    """The cells of a Word table as they stand in its markup; a merged cell is one."""
    return [
        [squeezed("".join(text.text or "" for text in cell.iter(f"{WORD}t"))) for cell in row.iterfind(f"{WORD}tc")]
        for row in table._tbl.iterfind(f"{WORD}tr")
    ]


def test_every_table_of_the_page_is_in_word_cell_by_cell(read: Read) -> None:
    assert len(read.word.tables) == len(tables(read.page)) > 20
    for ours, theirs in zip(tables(read.page), read.word.tables, strict=True):
        assert word_cells(theirs) == cells(ours), ours.number


def test_every_table_of_the_page_is_in_the_pdf_row_by_row(read: Read) -> None:
    text = squeezed(read.pdf)
    place = 0
    for table in tables(read.page):
        place = text.index(squeezed(f"{table.number}.{table.caption}"), place)
        for row in cells(table)[len(table.header) :]:
            found = text.find("".join(row), place)
            assert found >= 0, (table.number, row)
            place = found


def test_every_sentence_of_the_page_is_in_both_documents(read: Read) -> None:
    import lxml.html

    pdf, word = squeezed(read.pdf), squeezed("".join(text.text or "" for text in read.word.element.iter(f"{WORD}t")))
    page = lxml.html.fromstring(read.page.prose_without_equation_marks)
    sentences = [p.text_content() for p in page.iter("p") if p.find(".//math") is None]
    sentences = [sentence for sentence in sentences if read.page.token not in sentence]
    assert len(sentences) > 40
    assert [sentence for sentence in sentences if squeezed(sentence) not in word] == []
    assert [sentence for sentence in sentences if squeezed(sentence) not in pdf] == []


def test_the_numbers_of_the_tables_are_those_of_the_csv_files(read: Read) -> None:
    """Each printed number is a value of the table's CSV file, or a hundred times it, to the printed digits."""
    strangers = {}
    for table, shown in zip(tables(read.page), read.word.tables, strict=True):
        with (COMMITTED / "tables" / f"{table.anchor.replace('-', '_')}.csv").open(encoding="utf-8") as file:
            values = list(values_of(list(csv.reader(file))))
        body = [text for row in word_cells(shown)[len(table.header) :] for text in row[1:]]
        printed = [number for text in body for number in NUMBER.findall(text.replace("<.001", ""))]
        strangers[table.anchor] = [number for number in printed if not any(rounds(value, number) for value in values)]
    assert {anchor: numbers for anchor, numbers in strangers.items() if numbers} == {}


def values_of(rows: list[list[str]]) -> Iterator[float]:
    """The numbers of a CSV file, their hundredfold, and the percentages of one number of a row in another."""
    for row in rows[1:]:
        numbers = [float(number) for text in row for number in VALUE.findall(text)]
        yield from numbers
        yield from (100 * number for number in numbers)
        yield from (100 * part / whole for part in numbers for whole in numbers if 0 <= part < whole)


def rounds(value: float, printed: str) -> bool:
    decimals = len(printed.partition(".")[2])
    return abs(abs(value) - abs(float(printed.replace("−", "-")))) <= 0.5 * 10**-decimals * (1 + 1e-9)


def test_the_results_are_printed_in_the_word_document(read: Read) -> None:
    numbers = json.loads((COMMITTED / "results.json").read_text(encoding="utf-8"))["02_course"]["numbers"]
    place = [table.anchor for table in tables(read.page)].index("00_summary-glance")
    header, *rows = word_cells(read.word.tables[place])
    column = next(place for place, name in enumerate(header) if name.startswith("Median"))
    medians = {row[0].lower(): row[column].partition("[")[0].partition("(")[0] for row in rows}
    names = {"baseline": "median_baseline", "week4": "median_week_4", "week12": "median_week_12"}
    assert medians == {visit: f"{numbers[name]:.1f}" for visit, name in names.items()}
