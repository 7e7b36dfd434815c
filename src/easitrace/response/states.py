"""Where every patient stood at every visit: in response, response lost, no response, or not seen and why."""

from dataclasses import asdict

import pandas as pd

from easitrace.cohort.cohort import Cohort
from easitrace.cohort.describe import attendance
from easitrace.response.classify import History, histories_of
from easitrace.response.estimands import recorded_under
from easitrace.response.rules import Rule

RESPONSE = "response"
LOST = "response lost"
NO_RESPONSE = "no response"
NOT_KNOWN = "seen, response not known"
RESPONSE_STATES = (RESPONSE, LOST, NO_RESPONSE, NOT_KNOWN, "stopped", "in follow-up", "missed")


def response_states(cohort: Cohort, rule: Rule) -> pd.DataFrame:
    """The state of every patient at every planned visit after baseline.

    A response is lost by the rule's loss rule; one that is not lost is kept, also where the criterion is not met.

    Returns
    -------
    DataFrame
        `patient`, `visit`, `week`, `state` (ordered categorical of `RESPONSE_STATES`), `judged` (whether the
        criterion's answer is known from recorded scores).
    """
    there = attendance(recorded_under(cohort, rule.estimand)).set_index(["patient", "week"])["state"]
    rows = []
    for patient, history in zip(cohort.patients["patient"], histories_of(cohort, **asdict(rule)), strict=True):
        for place, visit in enumerate(history.visits):
            absent = there[patient, visit.week]
            state = _state(history, place) if history.seen[place] else absent
            judged = history.seen[place] and history.met[place] is not None
            rows.append((patient, visit.label, visit.week, state, judged))
    table = pd.DataFrame(rows, columns=["patient", "visit", "week", "state", "judged"])
    labels = [visit.label for visit in cohort.schedule[1:]]
    table["visit"] = pd.Categorical(table["visit"], categories=labels, ordered=True)
    table["state"] = pd.Categorical(table["state"], categories=list(RESPONSE_STATES), ordered=True)
    return table


def state_counts(states: pd.DataFrame) -> pd.DataFrame:
    """Patients in each state at each visit: `visit`, `week`, `state`, `patients`; a visit adds up to the cohort."""
    counts = states.groupby(["visit", "week", "state"], observed=False).size().rename("patients").reset_index()
    planned = states[["visit", "week"]].drop_duplicates()
    return counts.merge(planned, on=["visit", "week"])


def response_answers(cohort: Cohort, rule: Rule) -> pd.DataFrame:
    """Whether the criterion is met, by patient and visit, as it counts under the estimand.

    Returns
    -------
    DataFrame
        `patient`, `week`, `met` (boolean; missing where not known; false after a stop that counts as non-response).
    """
    rows = [
        (patient, visit.week, answer)
        for patient, history in zip(cohort.patients["patient"], histories_of(cohort, **asdict(rule)), strict=True)
        for visit, answer in zip(history.visits, history.met, strict=True)
    ]
    return pd.DataFrame(rows, columns=["patient", "week", "met"]).astype({"met": "boolean"})


def _state(history: History, place: int) -> str:
    """The state at a visit at which the patient was seen."""
    if history.met[place] is None:
        return NOT_KNOWN
    earlier = any(history.met[:place])
    if earlier and history.lost[place]:
        return LOST
    return RESPONSE if history.met[place] or earlier else NO_RESPONSE
