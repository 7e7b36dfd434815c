"""A chapter whose data are absent says so in one line; the rest of it still comes out."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from chapters import run_chapter
from easitrace.cohort.builtin import load_builtin
from easitrace.cohort.cohort import Cohort
from easitrace.report.chapter import Chapter

BUILT_IN = load_builtin("baricitinib")
PROMS, TREATMENT = "06_patient_reported", "07_treatment"
Change = Callable[[Cohort], Cohort]


class SkippedError(Exception):
    """A chapter was skipped; without a kernel its later cells would go on."""


def without_proms(cohort: Cohort) -> Cohort:
    return replace(cohort, visits=cohort.visits.drop(columns=["poem", "dlqi", "itch_nrs", "iga"]))


def with_empty_proms(cohort: Cohort) -> Cohort:
    return replace(cohort, visits=cohort.visits.assign(poem=np.nan, dlqi=np.nan, itch_nrs=np.nan, iga=np.nan))


def only(*names: str) -> Change:
    return lambda cohort: replace(
        cohort, visits=cohort.visits.drop(columns=[name for name in cohort.measured[1:] if name not in names])
    )


def without_followup_of_poem(cohort: Cohort) -> Cohort:
    poem = cohort.visits["poem"].where(cohort.visits["week"] == 0)
    return replace(cohort, visits=cohort.visits.assign(poem=poem))


def without_stops(cohort: Cohort) -> Cohort:
    people = cohort.patients.assign(stop_day=np.nan, stop_week=np.nan, stop_reason=None)
    return replace(cohort, patients=people.assign(status=people["status"].replace("stopped", "completed")))


def without_stop_days(cohort: Cohort) -> Cohort:
    return replace(cohort, patients=cohort.patients.assign(stop_day=np.nan, stop_week=np.nan))


def everybody_stopped(cohort: Cohort) -> Cohort:
    last = cohort.visits.groupby("patient")["day"].max().to_numpy(float)
    people = cohort.patients.assign(stop_day=last, stop_week=last / 7, stop_reason="other", status="stopped")
    return replace(cohort, patients=people)


def without_events(cohort: Cohort) -> Cohort:
    return replace(cohort, events=cohort.events.iloc[:0])


def visits_up_to(week: float) -> Change:
    def cut(cohort: Cohort) -> Cohort:
        schedule = tuple(visit for visit in cohort.schedule if visit.week <= week)
        visits = cohort.visits[cohort.visits["week"] <= week].reset_index(drop=True)
        return replace(cohort, visits=visits, schedule=schedule)

    return cut


def one_patient(cohort: Cohort) -> Cohort:
    own = {name: getattr(cohort, name)[getattr(cohort, name)["patient"] == "P08"] for name in ("visits", "patients")}
    return replace(cohort, **own, events=cohort.events[cohort.events["patient"] == "P08"])


def many_patients(cohort: Cohort) -> Cohort:
    tables = {
        name: pd.concat(
            [getattr(cohort, name).assign(patient=lambda frame, k=k: frame["patient"] + str(k)) for k in range(3)],
            ignore_index=True,
        )
        for name in ("visits", "patients", "events")
    }
    tables["visits"]["visit"] = tables["visits"]["visit"].astype(cohort.visits["visit"].dtype)
    return replace(cohort, **tables)


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch) -> Any:
    """What a chapter shows when the cohort it reads is changed."""

    def skip(_: Chapter, reason: str) -> None:
        raise SkippedError(reason)

    def shown(chapter: str, *changes: Change, **parameters: Any) -> str:
        cohort = BUILT_IN
        for change in changes:
            cohort = change(cohort)
        monkeypatch.setattr("easitrace.read_cohort", lambda *_, **__: cohort, raising=False)
        monkeypatch.setattr(Chapter, "skip", skip)
        return run_chapter(chapter, monkeypatch, **parameters)

    return shown


@pytest.mark.parametrize(
    ("chapter", "changes", "reason"),
    [
        (PROMS, [without_proms], "No outcome measure besides EASI was recorded."),
        (PROMS, [with_empty_proms], "No outcome measure besides EASI was recorded."),
        (PROMS, [visits_up_to(0)], "No visit was planned after the baseline."),
        (TREATMENT, [without_stops, without_events], "Neither stopping of treatment nor adverse events were recorded."),
    ],
    ids=["no other measure", "no score of one", "no follow-up", "no stop and no event"],
)
def test_a_chapter_without_its_data_is_left_out(show: Any, chapter: str, changes: list[Change], reason: str) -> None:
    with pytest.raises(SkippedError, match=reason):
        show(chapter, *changes)


CASES: list[tuple[str, list[Change], dict[str, Any], list[str], list[str]]] = [
    (PROMS, [visits_up_to(4)], {"decision_week": 4}, ["no visit was planned near that time"], []),
    (PROMS, [only("iga")], {}, ["patient global was not recorded"], ["-important_changes"]),
    (PROMS, [only("poem")], {}, ["-important_changes", "-together"], []),
    (PROMS, [without_followup_of_poem], {}, ["-correlations"], []),
    (PROMS, [one_patient], {}, ["-correlations", "-targets"], []),
    (PROMS, [visits_up_to(4)], {"decision_week": 30}, ["No target has a visit at its time"], ["-together"]),
    (TREATMENT, [without_stops], {}, ["No patient stopped treatment.", "-events", "-patients"], ["-survival"]),
    (TREATMENT, [without_events], {}, ["No adverse event on treatment was recorded.", "-survival"], ["-events"]),
    (TREATMENT, [without_stop_days], {}, ["on a recorded day", "left out of the times", "-reasons"], ["-survival"]),
    (TREATMENT, [everybody_stopped], {}, ["The median time on treatment was", "-survival", "-incidence"], []),
    (TREATMENT, [visits_up_to(4)], {}, ["-survival", "-patients"], []),
    (TREATMENT, [visits_up_to(0)], {}, ["-survival", "-patients"], []),
    (TREATMENT, [one_patient, everybody_stopped], {}, ["-survival", "-patients"], ["-events"]),
    (TREATMENT, [many_patients], {}, ["With more than 60 patients the bars are not drawn", "-survival"], ["-patients"]),
]


@pytest.mark.parametrize(("chapter", "changes", "parameters", "there", "gone"), CASES)
def test_a_part_without_its_data_says_so(
    show: Any, chapter: str, changes: list[Change], parameters: dict[str, Any], there: list[str], gone: list[str]
) -> None:
    shown = show(chapter, *changes, **parameters)
    for text in there:
        assert (f'id="{chapter}{text}"' if text[0] == "-" else text) in shown, text
    for text in gone:
        assert f'id="{chapter}{text}"' not in shown, text


@pytest.mark.parametrize("chapter", [PROMS, TREATMENT])
def test_nobody_is_named(show: Any, chapter: str) -> None:
    renamed = {name: f"Jansen-{name}" for name in BUILT_IN.patients["patient"]}
    tables = {
        name: getattr(BUILT_IN, name).assign(patient=getattr(BUILT_IN, name)["patient"].map(renamed))
        for name in ("visits", "patients", "events")
    }
    shown = show(chapter, lambda cohort: replace(cohort, **tables))
    assert "Jansen" not in shown and "P08" not in shown


def test_the_estimand_decides_which_visits_a_swimmer_has(show: Any) -> None:
    late = BUILT_IN.visits[BUILT_IN.visits["patient"] == "P02"].tail(1).assign(week=12.0, visit="week 12", day=84.0)
    visits = pd.concat([BUILT_IN.visits, late.assign(after_stop=True)], ignore_index=True)
    visits["visit"] = visits["visit"].astype(BUILT_IN.visits["visit"].dtype)
    changed: Change = lambda cohort: replace(cohort, visits=visits)  # noqa: E731
    policies = [show(TREATMENT, changed, estimand=name) for name in ("treatment-policy", "while-on-treatment")]
    assert policies[0] != policies[1]
