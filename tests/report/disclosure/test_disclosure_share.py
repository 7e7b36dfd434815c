"""What is written for others holds no hostile word of the cells and nothing that did not pass the gate."""

import datetime
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from hostile import CANARIES, PARAMETERS, words, write_cohort
from recovery import default_tables

from chapters import run_chapter
from easitrace.report.disclosure import drawings, page, sheets
from easitrace.report.disclosure.entry import Entry
from easitrace.report.disclosure.gate import Key, Ledger, Told
from easitrace.report.disclosure.prepare import RESHAPED
from easitrace.report.disclosure.profiles import THRESHOLDS, Interval, Profile, profile_named
from easitrace.report.disclosure.scan import scan
from easitrace.report.disclosure.share import write_share
from easitrace.report.disclosure.sharing import Shared, Sharing
from easitrace.report.render import Study
from easitrace.report.style import Style

PROFILES = list(THRESHOLDS)
STUDY = Study("cohort", "A cohort", (("Cohort", "25 patients"), ("Data", "cohort.csv")), "")
FILES = re.compile(r"report\.(html|pdf|docx)|results\.json|tables/\w+\.csv|figures/\w+\.svg")
Write = Callable[..., Shared]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """What the first chapters write of the hostile cohort."""
    folder = tmp_path_factory.mktemp("hostile")
    data = write_cohort(folder, long=True)
    reading = {"data": str(data), "output": str(folder / "stage"), "published": None, **PARAMETERS}
    with pytest.MonkeyPatch.context() as patch:
        for chapter in ("01_cohort", "02_course"):
            run_chapter(chapter, patch, **reading)
    yield folder / "stage"


@pytest.fixture
def write(stage: Path, tmp_path: Path) -> Write:
    """Write the report for others; it goes into `tmp_path`."""
    (tmp_path / "tables").symlink_to(stage / "tables")

    def share(profile: Profile, **changes: object) -> Shared:
        sharing = Sharing(profile, CANARIES, "EASI", "log1p", Interval(), {})
        return write_share(tmp_path, STUDY, replace(sharing, **changes), ("html",))  # type: ignore[arg-type]

    return share


@pytest.mark.parametrize("name", PROFILES)
def test_no_hostile_word_of_the_cells_gets_out(name: str, write: Write, tmp_path: Path, stage: Path) -> None:
    outcome = write(profile_named(name))
    assert outcome.withheld is None
    share = tmp_path / "share"
    assert scan(share, CANARIES).problems == ()
    remarks = words(stage.parent / "cohort.csv")[["who", "remark"]].stack()
    everything = "\n".join(path.read_text(encoding="utf-8") for path in share.rglob("*") if path.is_file())
    assert not any(remark[:60] in everything for remark in remarks)
    assert not re.search(r"<script|onerror|javascript:|https?://(?!www\.w3\.org)|\u202e", everything)


def test_the_full_tables_do_hold_them(stage: Path) -> None:
    """The control: without it, the test above could pass because nothing was planted."""
    found = scan(stage / "tables", CANARIES).problems
    assert len({problem.where for problem in found}) >= 1
    assert all(problem.code == "E504" for problem in found)
    planted = words(stage.parent / "cohort.csv")["remark"].nunique()
    text = (stage / "tables" / "01_cohort_baseline.csv").read_text(encoding="utf-8")
    assert sum(canary in text for canary in CANARIES) == planted == 25


def test_without_the_gate_nothing_is_shared(write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def as_it_is(table: pd.DataFrame, entry: Entry, threshold: int) -> pd.DataFrame:
        return RESHAPED[entry.table](table, threshold) if entry.table in RESHAPED else table

    def everything(ledger: Ledger, profile: Profile, hidden: frozenset[Key]) -> Told:
        return Told(profile, dict(ledger.counts))

    monkeypatch.setattr(sheets, "prepared", as_it_is)
    monkeypatch.setattr(sheets.gate, "release", everything)
    outcome = write(profile_named("share-5"))
    assert outcome.withheld is not None
    assert {problem.code for problem in outcome.withheld.problems} == {"E504"}
    assert outcome.withheld.exit_code == 5
    assert not (tmp_path / "share").exists()


@pytest.mark.parametrize("name", PROFILES)
def test_only_the_listed_kinds_of_files_are_there(name: str, write: Write, tmp_path: Path) -> None:
    write(profile_named(name))
    share = tmp_path / "share"
    names = [path.relative_to(share).as_posix() for path in share.rglob("*") if path.is_file()]
    assert all(FILES.fullmatch(name) for name in names)
    assert {"report.html", "results.json"} < set(names)


def test_the_page_says_its_profile_and_how_much_is_masked(write: Write, tmp_path: Path) -> None:
    outcome = write(profile_named("share-8"))
    page = (tmp_path / "share" / "report.html").read_text(encoding="utf-8")
    masked, counts = outcome.record["masked"], outcome.record["counts"]
    assert f"share-8: {masked} of {counts} counts masked" in page
    assert f"{masked} of {counts} counts are masked." in page
    assert "Counts below 8 are masked" in page
    assert "cohort.csv" not in page
    assert "25 patients</dd>" in page.replace("about 25 patients", "25 patients")


def test_of_the_data_cut_the_month_is_told(write: Write, tmp_path: Path) -> None:
    write(profile_named("share-8"), cut=datetime.date(2021, 6, 30))
    page = (tmp_path / "share" / "report.html").read_text(encoding="utf-8")
    assert re.search(r"Data cut</dt>\s*<dd>June 2021</dd>", page)
    assert "30 June" not in page and "2021-06-30" not in page


def test_figures_and_their_words_are_of_told_numbers(write: Write, tmp_path: Path) -> None:
    """24 patients were seen at week 4 and 18 at week 12: told are 25 and 20."""
    write(profile_named("share-5"))
    course = pd.read_csv(tmp_path / "share" / "tables" / "02_course_course.csv")
    (axes,) = drawings.medians(course, "EASI", Style()).axes
    assert [label.get_text() for label in axes.get_xticklabels()] == ["0\nn = 25", "4\nn = 25", "12\nn = 20"]
    drawing = (tmp_path / "share" / "figures" / "02_course_medians.svg").read_text(encoding="utf-8")
    assert "<!--" not in drawing
    assert "metadata" not in drawing
    page = (tmp_path / "share" / "report.html").read_text(encoding="utf-8")
    assert 'aria-label="Median EASI: baseline 13.0, week 4 6.0, week 12 9.5."' in page


def test_arms_are_named_once_in_their_figures() -> None:
    """Quartiles of the late arm are masked, and so is its change."""
    arms = {"arm": ["early", "late"], "week": [4.0, 4.0], "n": [20, 25], "n_pairs": [20, "[c]"], "median": [4.0, 6.0]}
    drawn = pd.DataFrame(arms).assign(q1=[3.0, "[c]"], q3=[8.0, "[c]"], shift=-4.0, lower=-7.0, upper=-1.0)
    (axes,) = drawings.medians(drawn, "EASI", Style()).axes
    assert [text.get_text() for text in axes.texts] == [
        "early 4.0",
        "late 6.0",
        "Week",
        "early, n",
        "20",
        "late, n",
        "25",
    ]
    shown = []
    chapter: Any = SimpleNamespace(figure=lambda figure, **about: shown.append(figure), style=Style())
    names = page.Names("EASI", "log1p", 0.95, {})
    page._changes(chapter, drawn.drop(columns="n").assign(name=drawn["arm"] + ", week 4 v baseline"), names)
    (axes,) = shown[0].axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["early, week 4 v baseline  (n = 20)"]


def test_a_number_that_is_masked_is_in_no_results(write: Write, tmp_path: Path) -> None:
    write(profile_named("share-11"))
    results = json.loads((tmp_path / "share" / "results.json").read_text(encoding="utf-8"))
    about = results["00_about"]["numbers"]
    assert about["patients"] == 25
    assert about["threshold"] == 13
    assert set(results["01_cohort"]["numbers"]) == set()


def test_a_higher_smallest_number_masks_the_cohort(write: Write, tmp_path: Path) -> None:
    outcome = write(profile_named("share-11", 40))
    page = (tmp_path / "share" / "report.html").read_text(encoding="utf-8")
    assert outcome.record["masked"] == outcome.record["counts"]
    assert "so few patients that their number is masked" in page


def test_the_same_tables_give_the_same_bytes(write: Write, tmp_path: Path) -> None:
    def written() -> dict[str, bytes]:
        write(profile_named("share-5"))
        return {path.name: path.read_bytes() for path in (tmp_path / "share").rglob("*") if path.is_file()}

    assert written() == written()


@pytest.mark.slow
def test_a_cohort_with_two_arms(tmp_path: Path) -> None:
    """The built-in cohort twice, as two arms of one."""
    (tmp_path / "tables").mkdir()
    for path in default_tables().glob("*.csv"):
        table = pd.read_csv(path)
        doubled = pd.concat([table.assign(arm=arm) for arm in ("early", "late")])
        doubled.to_csv(tmp_path / "tables" / path.name, index=False)
    sharing = Sharing(profile_named("share-5"), CANARIES, "EASI", "log1p", Interval(), {})
    outcome = write_share(tmp_path, STUDY, sharing, ("html",))
    assert outcome.withheld is None
    course = pd.read_csv(tmp_path / "share" / "tables" / "02_course_course.csv")
    assert list(zip(course["arm"], course["n"], strict=True))[2:4] == [("early", 20), ("late", 25)]
    assert "about 50 patients" in (tmp_path / "share" / "report.html").read_text(encoding="utf-8")
