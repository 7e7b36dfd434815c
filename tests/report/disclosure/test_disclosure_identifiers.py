"""Nobody whom the files name may be named in what is shared: not those left out of the analysis either."""

from pathlib import Path

import pytest

from chapters import run_chapter
from easitrace import read_cohort
from easitrace.cli import _sharing
from easitrace.parameters import check_parameters
from easitrace.report.disclosure.share import write_share
from easitrace.report.render import Study

NO_BASELINE, ONLY_JOINED, ONLY_EVENTS = "Qz7-4vx01", "Kw3-9bt22", "Xf5-2hd33"


@pytest.fixture
def study(tmp_path: Path) -> dict[str, object]:
    """24 patients with events, and three named in the files who are not analysed."""
    analysed = [f"Ab1-{n:03d}pq" for n in range(24)]
    rows = [(who, week, 20 + n - week) for n, who in enumerate(analysed) for week in (0, 12)]
    write(tmp_path / "scores.csv", "patient,week,easi", [*rows, (NO_BASELINE, 12, 9)])
    write(tmp_path / "people.csv", "patient,age", [(who, 40) for who in (*analysed, NO_BASELINE, ONLY_JOINED)])
    columns = {name: name for name in ("week", "age", "event", "event_day")}
    files = {"data": str(tmp_path / "scores.csv"), "patient_data": str(tmp_path / "people.csv")}
    visits = {"baseline": 0, "week 12": 12}
    return {**files, "event_data": str(tmp_path / "events.csv"), "columns": columns, "visits": visits}


def write(path: Path, header: str, rows: list[tuple[object, ...]]) -> None:
    lines = [",".join(map(str, row)) for row in rows]
    path.write_text("\n".join([header, *lines, ""]), encoding="utf-8")


def with_events(study: dict[str, object], event: str) -> None:
    """Ten patients have the event, and somebody who is in no other file."""
    people = [f"Ab1-{n:03d}pq" for n in range(10)]
    rows = [(who, event, 5) for who in (*people, ONLY_EVENTS)]
    write(Path(str(study["event_data"])), "patient,event,event_day", list(rows))


def test_the_cohort_knows_all_identifiers_of_its_files(study: dict[str, object]) -> None:
    with_events(study, "acne")
    cohort = read_cohort(**study)  # type: ignore[arg-type]
    assert len(cohort.patients) == 24
    assert set(cohort.identifiers) - set(cohort.patients["patient"]) == {NO_BASELINE, ONLY_JOINED, ONLY_EVENTS}
    assert len(cohort.identifiers) == 27


SLOW = [pytest.param(who, marks=pytest.mark.slow) for who in (ONLY_JOINED, ONLY_EVENTS)]


@pytest.mark.parametrize("who", [NO_BASELINE, "nobody", *SLOW])
def test_who_was_left_out_is_looked_for_too(
    who: str, study: dict[str, object], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The event's words are shared, ten patients having it; they name somebody who is not analysed."""
    with_events(study, f"rash as in {who}")
    for chapter in ("01_cohort", "07_treatment"):
        run_chapter(chapter, monkeypatch, **study, decision_week=12, output=str(tmp_path / "stage"))
    own = {"study": "x", "title": "X", "decision_week": 12, "estimand": "treatment-policy", "seed": 1}
    parameters = check_parameters({**own, **study, "disclosure": "share-5"})
    sharing = _sharing(parameters, read_cohort(**study))  # type: ignore[arg-type]
    assert sharing is not None
    outcome = write_share(tmp_path / "stage", Study("x", "X"), sharing, ("html",))
    if who == "nobody":
        assert outcome.withheld is None
        assert "rash as in nobody" in (tmp_path / "stage" / "share" / "report.html").read_text(encoding="utf-8")
    else:
        assert outcome.withheld is not None
        assert {problem.code for problem in outcome.withheld.problems} == {"E504"}
