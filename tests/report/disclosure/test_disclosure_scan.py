"""The scanner finds an identifier wherever a file can hide one, and nothing where there is none."""

import base64
import gzip
import json
import re
import zipfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from easitrace.cli import main
from easitrace.errors import DisclosureError
from easitrace.report.disclosure.scan import read_identifiers, scan

NAME = "Q7-4vx01"
OTHER = "B3-8km22"


def text(content: str, name: str = "file.html") -> Callable[[Path, str], None]:
    """A text file, `@` standing for the identifier."""
    return lambda folder, who: (folder / name).write_text(content.replace("@", who), encoding="utf-8") and None


def coded(content: str) -> str:
    return base64.b64encode(content.encode()).decode()


def notebook(folder: Path, who: str) -> None:
    twin = {"output_type": "display_data", "data": {"text/plain": ["patient ", who[:3], who[3:]]}, "metadata": {}}
    cells = [{"cell_type": "code", "source": [], "outputs": [twin], "metadata": {}, "execution_count": 1}]
    (folder / "chapter.ipynb").write_text(json.dumps({"cells": cells, "metadata": {}, "nbformat": 4}))


def picture_in_notebook(folder: Path, who: str) -> None:
    output = {"data": {"image/png": base64.encodebytes(png(who)).decode()}}
    (folder / "chapter.ipynb").write_text(json.dumps({"cells": [{"outputs": [output]}]}))


def png(who: str) -> bytes:
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    about, file = PngInfo(), BytesIO()
    about.add_text("Comment", f"drawn for {who}", zip=True)
    Image.new("L", (4, 4)).save(file, "png", pnginfo=about)
    return file.getvalue()


def jpeg(folder: Path, who: str) -> None:
    from PIL import Image

    picture = Image.new("L", (4, 4))
    exif = picture.getexif()
    exif[0x013B] = who
    picture.save(folder / "photo.jpg", exif=exif)


def word(folder: Path, who: str) -> None:
    import docx

    document = docx.Document()
    paragraph = document.add_paragraph("patient ")
    for part in (who[:4], who[4:]):
        paragraph.add_run(part).bold = part == who[:4]
    document.save(str(folder / "report.docx"))


def word_properties(folder: Path, who: str) -> None:
    import docx

    document = docx.Document()
    document.core_properties.author = who
    document.save(str(folder / "report.docx"))


def sheet(folder: Path, who: str) -> None:
    import openpyxl

    book = openpyxl.Workbook()
    assert book.active is not None
    book.active["B2"] = who
    book.save(folder / "table.xlsx")


def pdf(folder: Path, who: str) -> None:
    import typst

    (folder / "page.typ").write_text(f"Course of #[{who}] by visit")
    (folder / "report.pdf").write_bytes(typst.compile(str(folder / "page.typ")))
    (folder / "page.typ").unlink()


def pdf_with(change: Callable[[Any, str], Any]) -> Callable[[Path, str], None]:
    def write(folder: Path, who: str) -> None:
        from pypdf import PdfWriter

        writer = PdfWriter()
        writer.add_blank_page(100, 100)
        change(writer, who)
        writer.write(folder / "report.pdf")

    return write


def archive(folder: Path, who: str) -> None:
    with zipfile.ZipFile(folder / "all.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("run.log", f"read {who}")


def archived_name(folder: Path, who: str) -> None:
    with zipfile.ZipFile(folder / "all.zip", "w") as file:
        file.writestr(f"scores/{who}.csv", "1")


HIDDEN_IN: dict[str, Callable[[Path, str], None]] = {
    "text": text("<p>Patient @ stopped.</p>"),
    "attribute": text('<td title="@">7</td>'),
    "comment": text("<p>7</p><!-- @ -->"),
    "small letters": lambda folder, who: text(f"<p>{who.lower()}</p>")(folder, who),
    "no separator": lambda folder, who: text(f"<p>{who.replace('-', '')}</p>")(folder, who),
    "other separators": lambda folder, who: text(f"<p>{who.replace('-', ' / ')[:4]}{who[3:]}</p>")(folder, who),
    "entities": lambda folder, who: text("".join(f"&#{ord(letter)};" for letter in who))(folder, who),
    "split by tags": lambda folder, who: text(f"{who[:4]}<b>{who[4:]}</b>")(folder, who),
    "URL": lambda folder, who: text("".join(f"%{ord(letter):02x}" for letter in who))(folder, who),
    "JSON escapes": lambda folder, who: text('{"a": "' + "".join(f"\\u{ord(x):04x}" for x in who) + '"}', "a.json")(
        folder, who
    ),
    "base64": lambda folder, who: text(f'<img src="data:text/plain;base64,{coded("row of " + who)}">')(folder, who),
    "base64 twice": lambda folder, who: text(f"<p>{coded('x ' + coded('row of ' + who))}</p>")(folder, who),
    "notebook twin": notebook,
    "picture in a notebook": picture_in_notebook,
    "SVG comment": text("<svg><!-- @ --><g/></svg>", "figure.svg"),
    "SVG metadata": text("<svg><metadata>@</metadata></svg>", "figure.svg"),
    "PNG": lambda folder, who: (folder / "figure.png").write_bytes(png(who)) and None,
    "EXIF": jpeg,
    "Word": word,
    "Word properties": word_properties,
    "Excel": sheet,
    "PDF": pdf,
    "PDF metadata": pdf_with(lambda writer, who: writer.add_metadata({"/Author": who})),
    "PDF attachment": pdf_with(lambda writer, who: writer.add_attachment("a.csv", f"{who},7".encode())),
    "log": text("12:00 read @\n", "run.log"),
    "UTF-16": lambda folder, who: (folder / "table.csv").write_bytes(f"id\n{who}".encode("utf-16")) and None,
    "gzip": lambda folder, who: (folder / "log.gz").write_bytes(gzip.compress(f"read {who}".encode())) and None,
    "zip": archive,
    "name in a zip": archived_name,
    "file name": lambda folder, who: (folder / f"figure_{who}.svg").write_text("<svg/>") and None,
}


@pytest.mark.parametrize("place", HIDDEN_IN)
def test_an_identifier_is_found_where_it_hides(place: str, tmp_path: Path) -> None:
    HIDDEN_IN[place](tmp_path, NAME)
    found = scan(tmp_path, [NAME]).problems
    assert [problem.code for problem in found][:1] == ["E504"]
    assert all(NAME.lower() not in problem.what.lower() for problem in found)


@pytest.mark.parametrize("place", HIDDEN_IN)
def test_another_identifier_is_not(place: str, tmp_path: Path) -> None:
    HIDDEN_IN[place](tmp_path, OTHER)
    assert scan(tmp_path, [NAME]).problems == ()


def test_the_place_is_named(tmp_path: Path) -> None:
    (tmp_path / "tables").mkdir()
    (tmp_path / "tables" / "a.csv").write_text(f"week,score\n0,7\n4,{NAME}\n")
    (problem, *_) = scan(tmp_path, [NAME]).problems
    assert problem.where == "tables/a.csv, line 3"


@pytest.mark.parametrize(
    ("text_of_page", "hits"),
    [
        ("patient 7 stopped", 1),
        ("Patient-ID: 7", 1),
        ('"subject_id": 7', 1),
        ("7 patients stopped", 0),
        ("week 7 of 17, mean 7.7", 0),
        ("patients,7", 0),
        ("patient 17", 0),
    ],
)
def test_a_short_number_is_looked_for_after_patient_only_and_that_is_said(
    text_of_page: str, hits: int, tmp_path: Path
) -> None:
    (tmp_path / "page.txt").write_text(text_of_page)
    found = scan(tmp_path, ["7", NAME])
    assert len(found.problems) == hits
    assert [warning.code for warning in found.warnings] == ["W501"]
    assert found.warnings[0].what.startswith("1 of 2 ")


def test_a_long_number_is_no_decimal_and_no_row_of_coordinates(tmp_path: Path) -> None:
    (tmp_path / "figure.svg").write_text('<path d="M 123 456 L 0.123456 1123456"/>')
    assert scan(tmp_path, ["123456"]).problems == ()
    (tmp_path / "figure.svg").write_text("<desc>123456</desc>")
    assert len(scan(tmp_path, ["123456"]).problems) >= 1


def test_many_identifiers_are_found_at_once(tmp_path: Path) -> None:
    identifiers = [f"site-{number:05d}-x" for number in range(3000)]
    (tmp_path / "page.txt").write_text(f"of whom aa{identifiers[1234]}bb and more")
    assert len(scan(tmp_path, identifiers).problems) == 1


def test_what_cannot_be_opened_is_not_clean(tmp_path: Path) -> None:
    (tmp_path / "report.docx").write_bytes(b"PK\x03\x04 not an archive")
    assert [problem.code for problem in scan(tmp_path, [NAME]).problems] == ["E506"]


def test_an_archive_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from easitrace.report.disclosure import extract

    monkeypatch.setattr(extract, "LARGEST", 1000)
    with zipfile.ZipFile(tmp_path / "all.zip", "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("zeros", "0" * 100_000)
    assert [problem.code for problem in scan(tmp_path, [NAME]).problems] == ["E506"]


def test_identifiers_come_from_a_column_or_a_list(tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text(f"\ufeffid;score\n{NAME};7\n{OTHER};8\n", encoding="utf-8")
    assert read_identifiers(tmp_path / "data.csv", "id") == [NAME, OTHER]
    (tmp_path / "list.txt").write_text(f"{NAME}\n{OTHER}\n")
    assert read_identifiers(tmp_path / "list.txt") == [NAME, OTHER]


@pytest.mark.parametrize(
    ("content", "column"), [("id;score\nA1;7\n", None), ("id;score\nA1;7\n", "name"), ("\n\n", None)]
)
def test_a_file_without_identifiers_is_an_error(content: str, column: str | None, tmp_path: Path) -> None:
    (tmp_path / "ids.csv").write_text(content)
    with pytest.raises(DisclosureError, match="E505"):
        scan(tmp_path, read_identifiers(tmp_path / "ids.csv", column))


def test_the_command_ends_with_5_when_there_is_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, names = tmp_path / "out", tmp_path / "ids.csv"
    folder.mkdir()
    names.write_text(f"patient,age\n{NAME},40\n")
    (folder / "a.html").write_text("<p>7</p>")
    command = ["scan", str(folder), "--identifiers", str(names), "--column", "patient"]
    with pytest.raises(SystemExit) as ended:
        main(command)
    assert ended.value.code == 0
    assert "none of 1 identifiers in 1 files" in capsys.readouterr().out
    (folder / "a.html").write_text(f"<p>{NAME}</p>")
    with pytest.raises(SystemExit) as ended:
        main(command)
    assert ended.value.code == 5
    assert "E504 a.html, line 1: holds the identifier q\u2026 (8 characters)" in capsys.readouterr().err


def test_names_and_random_bytes_are_no_identifiers(tmp_path: Path) -> None:
    """A tagged PDF is full of `/P 14 0 R`, and among two million random bytes some of P01 to P25 stand by chance."""
    import numpy as np

    pdf(tmp_path, "\n\n= Heading\n\nWords.".join([""] * 60))
    noise = np.random.default_rng(1).bytes(2_000_000)
    (tmp_path / "noise.bin").write_bytes(noise)
    identifiers = [f"P{number:02d}" for number in range(1, 26)]
    assert sum(identifier.encode() in noise for identifier in identifiers) >= 2
    assert re.search(rb"/P \d\d 0 R", (tmp_path / "report.pdf").read_bytes())
    assert scan(tmp_path, identifiers).problems == ()


def test_what_a_pdf_no_longer_refers_to_is_searched(tmp_path: Path) -> None:
    def leave_behind(writer: Any, who: str) -> None:
        from pypdf.generic import DictionaryObject, NameObject, TextStringObject

        writer._add_object(DictionaryObject({NameObject("/Old"): TextStringObject(who)}))

    pdf_with(leave_behind)(tmp_path, NAME)
    assert len(scan(tmp_path, [NAME]).problems) >= 1
