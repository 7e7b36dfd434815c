"""What a chapter shows and hands on."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from great_tables import GT

from easitrace.report.chapter import BODY, Chapter, _numbered


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any]]]:
    seen: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(
        "IPython.display.display", lambda data, raw, metadata: seen.append((data["text/html"], metadata))
    )
    return seen


def figure() -> Any:
    from matplotlib.figure import Figure

    drawn = Figure(figsize=(2, 1))
    drawn.subplots().plot([0, 1], [0, 1], label="line")
    return drawn


def test_numbers_said_are_recorded_and_printed_in_the_style(tmp_path: Path, shown: list[Any]) -> None:
    chapter = Chapter("02_course", "Course", output=tmp_path, style={"decimal": ","})
    chapter.say("Median {median:.1f} (<b>{who}</b>), see [Table](#02_course-a).", median=3.14159, who="<i>P07</i>")
    chapter.finish()
    assert shown[0][0] == (
        '<p>Median 3,1 (&lt;b&gt;&lt;i&gt;P07&lt;/i&gt;&lt;/b&gt;), see <a href="#02_course-a">Table</a>.</p>'
    )
    result = json.loads((tmp_path / "results" / "02_course.json").read_text())
    assert result["numbers"] == {"median": 3.14159, "who": "<i>P07</i>"}
    assert result["status"] == "complete"


def test_a_number_cannot_change() -> None:
    chapter = Chapter("a", "A")
    chapter.record(n=3)
    chapter.record(n=3)
    with pytest.raises(ValueError, match="n is 3 and cannot become 4"):
        chapter.record(n=4)


def test_a_table_keeps_twelve_digits_and_leaves_the_style_sheet_behind(tmp_path: Path, shown: list[Any]) -> None:
    data = pd.DataFrame({"visit": ["<b>"], "mean": [1 / 3]})
    Chapter("a", "A", output=tmp_path).table(GT(data), data, name="means", caption="Means & <i>", note="n < 5")
    assert (tmp_path / "tables" / "a_means.csv").read_bytes() == b"visit,mean\n<b>,0.333333333333\n"
    markup, metadata = shown[0]
    assert metadata["easitrace"] == {
        "kind": "table", "anchor": "a-means", "caption": "Means & <i>", "note": "n < 5"
    }  # fmt: skip
    assert markup.split(BODY)[1].startswith("<table") and "<style" not in markup
    assert "<figcaption>Means &amp; &lt;i&gt;</figcaption>" in markup


def test_a_figure_has_the_same_bytes_twice(tmp_path: Path, shown: list[Any]) -> None:
    for name in ("one", "two"):
        Chapter("a", "A", output=tmp_path / name).figure(figure(), name="f", caption="C.", alt='Rises "a lot"')
    first, second = ((tmp_path / name / "figures" / "a_f.svg").read_bytes() for name in ("one", "two"))
    assert first == second
    assert b"<dc:date>" not in first and b'aria-label="Rises &quot;a lot&quot;"' in first


@pytest.mark.parametrize("name", ["../x", "A", "a b", ""])
def test_a_name_that_is_no_slug_is_refused(name: str, shown: list[Any]) -> None:
    with pytest.raises(ValueError, match="must be lower-case"):
        Chapter("a", "A").figure(figure(), name=name, caption="C.", alt="A")


def test_a_name_is_used_once(shown: list[Any]) -> None:
    chapter = Chapter("a", "A")
    chapter.figure(figure(), name="f", caption="C.", alt="A")
    with pytest.raises(ValueError, match="names two"):
        chapter.table(GT(pd.DataFrame({"a": [1]})), pd.DataFrame(), name="f", caption="C.")


def test_a_skipped_chapter_says_why(tmp_path: Path, shown: list[Any]) -> None:
    Chapter("06_proms", "PROMs", output=tmp_path).skip("No <PROM> was recorded.")
    result = json.loads((tmp_path / "results" / "06_proms.json").read_text())
    assert (result["status"], result["reason"]) == ("skipped", "No <PROM> was recorded.")
    assert shown[0][0] == "<p>No &lt;PROM&gt; was recorded.</p>"


def test_without_an_output_folder_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shown: list[Any]
) -> None:
    monkeypatch.chdir(tmp_path)
    chapter = Chapter("a", "A")
    chapter.figure(figure(), name="f", caption="C.", alt="A")
    chapter.finish()
    assert list(tmp_path.iterdir()) == []


def test_the_last_digits_on_which_processors_differ_are_not_kept() -> None:
    chapter = Chapter("a", "A")
    chapter.record(n=0.1 + 0.2)
    chapter.record(n=0.3)
    assert chapter.numbers == {"n": 0.3}


def test_identifiers_of_a_figure_do_not_hang_on_coordinates() -> None:
    svg = '<clipPath id="p2d7919dfb6"/><path id="m424c29ac82"/><use href="#m424c29ac82" clip-path="url(#p2d7919dfb6)"/>'
    other = svg.replace("p2d7919dfb6", "peb9518af88")
    assert _numbered(svg) == _numbered(other)
    assert _numbered(svg).endswith('<use href="#m1" clip-path="url(#p0)"/>')
