"""Whatever stands in data and titles is text on the page, in the tables' files and in the results, and nothing else."""

import csv
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from bleach._vendor.html5lib import HTMLParser  # type: ignore[import-untyped]
from bleach._vendor.html5lib.html5parser import ParseError  # type: ignore[import-untyped]
from great_tables import GT
from hostile_study import HOSTILE
from nbformat import v4

from easitrace.cohort.inert import LIVE, inert
from easitrace.report import chapter as chapters
from easitrace.report.chapter import Chapter
from easitrace.report.execute import Ran
from easitrace.report.figures.canvas import canvas, in_house_style, legible
from easitrace.report.index import write_index
from easitrace.report.markup import clean_html, clean_svg, printable
from easitrace.report.prose.results import plain
from easitrace.report.references import cited_keys, numbered
from easitrace.report.render import Study, render

CITING = "[@kenward1997] [Table](#01_a-nowhere)"
TEXTS = [*HOSTILE, "nothing\x00 and \x07bell", "\uff1dSUM(1)", CITING, "x" * 1_000_000]
LABELS = TEXTS[:-1]
HTML = "{http://www.w3.org/1999/xhtml}"
FETCHING = {"script", "iframe", "object", "embed", "link", "base", "form", "img", "image", "audio", "video", "source"}
QUOTES = str.maketrans(dict.fromkeys("'\"\u2018\u2019\u201c\u201d"))


@in_house_style
def labelled(names: list[str]) -> Any:
    figure, ax = canvas(6)
    ax.barh(range(len(names)), range(len(names)), label=names[0])
    ax.set_yticks(range(len(names)), names)
    ax.set_title(names[12])
    ax.legend()
    return figure


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("hostile")


@pytest.fixture(scope="module")
def page(folder: Path) -> Iterator[str]:
    """A chapter that says, tabulates and draws every text, rendered under a hostile title."""
    cells: list[Any] = [v4.new_markdown_cell("# A"), v4.new_markdown_cell("## Table")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            chapters,
            "_show",
            lambda markup, kind="text/html", **about: cells.append(
                v4.new_code_cell(outputs=[v4.new_output("display_data", {kind: markup}, metadata=about)])
            ),
        )
        _fill(Chapter("01_a", "A <b>", output=folder))
    result = json.loads((folder / "results" / "01_a.json").read_text(encoding="utf-8"))
    skipped = {"title": HOSTILE[0], "status": "skipped", "reason": HOSTILE[4]}
    ran = [Ran("01_a", v4.new_notebook(cells=cells), result, 0), Ran("02_b", v4.new_notebook(), skipped, 0)]
    facts = tuple((text, text) for text in LABELS)
    yield render(ran, Study("s", "".join(HOSTILE), facts, HOSTILE[4] + HOSTILE[11]))


def _fill(chapter: Chapter) -> None:
    for number, text in enumerate(TEXTS):
        chapter.say("Of {who}.", **{"who": text}) if number == 0 else None
        chapter.say(f"Of {{who_{number}}} and {plain(text)}.", **{f"who_{number}": text})
    data = pd.DataFrame({"level": TEXTS, "mixed": [1.5, None, *TEXTS[2:]], TEXTS[15]: range(len(TEXTS))})
    chapter.table(GT(data), data, name="levels", caption=HOSTILE[1], note=HOSTILE[7])
    chapter.figure(labelled(TEXTS), name="drawn", caption=HOSTILE[2], alt=" ".join(LABELS), note=HOSTILE[8])
    chapter.finish()


def parsed(page: str) -> Any:
    """The tree of a page that has no error at all."""
    return HTMLParser(strict=True).parse(page)


def words(text: str) -> str:
    return " ".join(printable(text).translate(QUOTES).split())


def test_the_parser_refuses_what_is_not_html() -> None:
    with pytest.raises(ParseError):
        parsed("<!DOCTYPE html><title>a</title><p><b></p>")


def test_nothing_of_it_runs_or_is_fetched(page: str) -> None:
    elements = [element for element in parsed(page).iter() if isinstance(element.tag, str)]
    assert FETCHING.isdisjoint({element.tag.rpartition("}")[2] for element in elements})
    assert [element.tag for element in elements].count(f"{HTML}style") == 1
    attributes = [(str(name), value) for element in elements for name, value in element.attrib.items()]
    assert [name for name, _ in attributes if name.lower().startswith("on")] == []
    assert [value for name, value in attributes if name.endswith(("href", "src")) and not value.startswith("#")] == []
    assert [value for name, value in attributes if name == "style" and re.search(r"url\(|@import", value)] == []
    assert "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:" in page


def test_the_style_sheet_holds_nothing_of_it(page: str) -> None:
    style = page.partition("<style>")[2].partition("</style>")[0]
    assert not re.search(r"@import|url\(|://|[<>]script", style) and "body { display: none }" not in style


def test_all_of_it_can_be_read(page: str) -> None:
    read = words("".join(parsed(page).itertext()))
    assert [text for text in TEXTS if words(text) not in read] == []
    assert not re.search(r"[\x00-\x08\u202a-\u202e]", page)


def test_no_text_becomes_a_link_or_a_citation(page: str) -> None:
    links = [element.attrib["href"] for element in parsed(page).iter(f"{HTML}a")]
    assert set(links) == {"#content", "#01_a", "#section-01_a-table"}
    assert cited_keys(plain(CITING)) == [] and numbered(plain("[@x]")) == plain("[@x]")


def test_the_results_keep_it_as_it_is(page: str, folder: Path) -> None:
    numbers = json.loads((folder / "results" / "01_a.json").read_text(encoding="utf-8"))["numbers"]
    assert [numbers[f"who_{number}"] for number in range(len(TEXTS))] == TEXTS


def test_a_spreadsheet_finds_no_formula(page: str, folder: Path) -> None:
    csv.field_size_limit(10_000_000)
    with (folder / "tables" / "01_a_levels.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0][2] == f"'{TEXTS[15]}"
    assert [cell for row in rows for cell in row if cell.startswith(LIVE)] == []
    assert [row[0].removeprefix("'") for row in rows[1:]] == TEXTS
    assert [row[1] for row in rows[1:3]] == ["1.5", ""]


def test_numbers_stay_numbers_in_a_table() -> None:
    table = pd.DataFrame({"a": [-1.5, 2.0], "b": ["-1.5", "-x"], "c": pd.Categorical(["=1+1", None])})
    made = inert(table)
    assert made["a"].tolist() == [-1.5, 2.0] and made["b"].tolist() == ["-1.5", "'-x"]
    assert made["c"].tolist()[0] == "'=1+1" and made["c"].isna().tolist() == [False, True]


@pytest.mark.parametrize("reference", ["&#8238;", "&#x202E;", "&#0;", "&#7;", "&#xD800;", "&#x110000;", "&#xffff;"])
def test_a_character_that_must_not_be_there_cannot_come_by_its_number(reference: str) -> None:
    assert clean_html(f"a{reference}b").startswith("a\ufffd")


def test_other_characters_can_come_by_their_number() -> None:
    assert clean_html("&#65;&#x4e2d;") == "&#65;&#x4e2d;"


def test_names_inside_a_drawing_are_names_of_xml(page: str) -> None:
    link = '<path id="a"/><use href="#a"/>\x0b'
    drawing = clean_svg(f'<svg xmlns="http://www.w3.org/2000/svg">{link}</svg>', "in-01_a", "")
    assert 'id="in-01_a-a"' in drawing and "\ufffd" in drawing
    inside = page.partition('<div class="drawing"')[2].partition("</div>")[0]
    assert inside.count(' id="') and inside.count(' id="') == inside.count(' id="in-01_a-drawn-')


def test_a_long_name_keeps_its_beginning_and_its_end_in_a_figure() -> None:
    assert legible("group\n" + "a" * 50 + "b" * 50) == "group\n" + "a" * 40 + "\u2026" + "b" * 19
    assert legible("a" * 60) == "a" * 60 and legible("turned \u202e round") == "turned \ufffd round"


def test_the_list_of_studies_holds_it_as_text(tmp_path: Path) -> None:
    (tmp_path / ".staging").mkdir()
    (tmp_path / "s" / "tables").mkdir(parents=True)
    about = {"study": "s", "title": HOSTILE[0], "synthetic": HOSTILE[4], "started": HOSTILE[1]}
    (tmp_path / "s" / "manifest.json").write_text(json.dumps(about))
    key = pd.DataFrame({"question": "How many?", "answer": LABELS})
    inert(key).to_csv(tmp_path / "s" / "tables" / "00_summary_key.csv", index=False)
    tree = parsed(write_index(tmp_path).read_text(encoding="utf-8"))
    read = words("".join(tree.itertext()))
    assert [text for text in [*LABELS, *HOSTILE[:2], HOSTILE[4]] if words(text) not in read] == []
    assert {element.attrib["href"] for element in tree.iter(f"{HTML}a")} == {"s/report.html"}
    assert FETCHING.isdisjoint({str(element.tag).rpartition("}")[2] for element in tree.iter()})
