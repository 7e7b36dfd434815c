"""Whatever the files hold: rows, patients, visits and adverse events add up, and scores after a stop are marked."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from easitrace.cohort.cohort import Cohort
from easitrace.cohort.describe import STATES, attendance
from easitrace.cohort.flow import EVENTS_LEFT_OUT, EVENTS_READ, EVENTS_USED, LOST
from easitrace.cohort.read import read_cohort
from easitrace.errors import DataError

VISITS = {"baseline": 0, "week 4": 4, "week 12": 12}
WINDOWS = {"baseline": [-7, 3], "week 4": [14, 42], "week 12": [56, 112]}
PATIENTS = st.sampled_from("ABCDEF")
DAYS = st.one_of(st.just(""), st.integers(-20, 130).map(str))
SCORES = st.one_of(st.just(""), st.integers(0, 720).map(lambda tenths: str(tenths / 10)))
LABELS = st.sampled_from([*VISITS, "EXTRA"])
ROWS = st.lists(st.tuples(PATIENTS, LABELS, DAYS, SCORES), min_size=1, max_size=25)
ITCH = st.lists(st.tuples(PATIENTS, LABELS, DAYS, st.sampled_from(["", "3", "7"])), max_size=12)
PEOPLE = st.dictionaries(PATIENTS, st.sampled_from(["", "10", "30", "90"]), min_size=1)
EVENTS = st.lists(st.tuples(st.sampled_from("ABCZ"), st.sampled_from(["acne", "herpes"]), DAYS), max_size=8)
SLOW = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.filter_too_much]


def table(header: str, rows: Any) -> str:
    return "\n".join([header, *(",".join(row) for row in rows), ""])


def read(folder: Path, rows: Any, itch: Any, people: Any, events: Any, **arguments: Any) -> Cohort:
    """Four files joined; a study that is refused is not of interest here."""
    (folder / "easi.csv").write_text(table("patient,visit,day,easi", rows))
    columns = {"day": "day", "itch_nrs": "itch", "stop_day": "stop", "event": "event", "event_day": "on"}
    given: dict[str, Any] = {"columns": columns | arguments.pop("columns", {}), "visits": VISITS, "windows": WINDOWS}
    for name, text in (
        ("visit_data", table("patient,visit,day,itch", itch or [("A", "baseline", "0", "5")])),
        ("patient_data", table("patient,stop", people.items())),
        ("event_data", table("patient,event,on", events or [("A", "acne", "5")])),
    ):
        path = folder / f"{name}.csv"
        path.write_text(text)
        given[name] = [path] if name == "visit_data" else path
    try:
        return read_cohort(folder / "easi.csv", **given, **arguments)
    except DataError as error:
        codes = {problem.code for problem in error.problems}
        assert codes <= {"E215", "E216", "E220", "E224", "E226"}, error
        assume(False)
        raise


def holds(cohort: Cohort) -> None:
    flow, visits, patients = cohort.flow, cohort.visits, cohort.patients
    total = flow[flow["detail"] == ""].set_index("step")["n"]
    assert (flow["n"] >= 0).all()
    assert total["visits read"] - total[list(LOST)].sum() == total["visits used"] == len(visits)
    assert total["patients read"] - total["patients without a baseline score"] == len(patients)
    assert total["patients analysed"] == len(patients)
    assert total[EVENTS_READ] - total[EVENTS_LEFT_OUT] == total[EVENTS_USED] == len(cohort.events)
    assert not visits.duplicated(["patient", "visit"]).any()
    assert set(visits["patient"]) == set(patients["patient"]) >= set(cohort.events["patient"])
    assert not visits[cohort.measured].isna().all(axis=1).any()
    stop = visits["patient"].map(patients.set_index("patient")["stop_day"])
    np.testing.assert_array_equal(visits["after_stop"], visits["day"].fillna(7 * visits["week"]) > stop)
    states = attendance(cohort)
    assert states.groupby("visit", observed=False).size().tolist() == [len(patients)] * len(VISITS)
    counted = states.groupby(["visit", "state"], observed=True).size()
    by_visit = flow[flow["step"].isin(STATES)].set_index(["detail", "step"])["n"]
    assert by_visit.groupby("detail").sum().tolist() == [len(patients)] * len(VISITS)
    assert {key: n for key, n in by_visit.items() if n} == counted.to_dict()


@pytest.mark.parametrize("rule", [None, "nearest", "last", "worst", "mean"])
@settings(suppress_health_check=SLOW, deadline=None, max_examples=12)
@given(rows=ROWS, itch=ITCH, people=PEOPLE, events=EVENTS)
def test_visits_placed_by_day_add_up(tmp_path, rule, rows, itch, people, events):
    dated = [row for row in rows if row[2]] or [("A", "baseline", "0", "10")]
    holds(read(tmp_path, dated, [row for row in itch if row[2]], people, events, several=rule))


@pytest.mark.parametrize("rule", ["worst", "mean"])
@settings(suppress_health_check=SLOW, deadline=None, max_examples=12)
@given(rows=ROWS, itch=ITCH, people=PEOPLE, events=EVENTS)
def test_visits_named_by_their_label_add_up(tmp_path, rule, rows, itch, people, events):
    rows = [
        ("A", "baseline", "0", "10"),
        *((patient, visit, in_order(visit, day), s) for patient, visit, day, s in rows),
    ]
    itch = [(patient, visit, in_order(visit, day), s) for patient, visit, day, s in itch]
    labelled = {"columns": {"visit": "visit"}, "unscheduled": ["EXTRA"], "several": rule}
    holds(read(tmp_path, rows, itch, people, events, **labelled))


def in_order(visit: str, day: str) -> str:
    """A day that keeps the order of the visits."""
    if day == "" or visit not in VISITS:
        return day
    first, last = WINDOWS[visit]
    return str(first + int(day) % (last - first))
