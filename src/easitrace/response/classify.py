"""Response classes: who responded and kept it, who responded and lost it, who never did, and who cannot be judged.

Time runs over the planned visits after baseline. With R(v) "the criterion is met at visit v" (yes, no, not known)
and L(v) "the response is lost at visit v" (`strict`: R no longer met; `half_of_best`: more than half of the best
improvement so far is lost), the patient is judged at v*, the last visit in or after the decision week at which
R is known:

    responder             R(v*), or R at an earlier visit and not L(v*)
    temporary responder   R at an earlier visit and L(v*)
    non-responder         R never met

Without such a visit: stopped for inefficacy is a non-responder (a temporary responder when R was met and seen to be
lost before); then stopped for side effects, stopped for another reason, not classifiable yet (in follow-up), and
not classifiable because the visit is missing. Being in follow-up is never a non-response.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal, get_args

import pandas as pd

from easitrace.cohort.cohort import Cohort, Visit
from easitrace.cohort.describe import attendance
from easitrace.errors import ParameterError, Problem
from easitrace.instruments import lost_more_than
from easitrace.response.criteria import UNDEFINED, criterion_label, criterion_of, met, reach
from easitrace.response.estimands import FAILURES, check_estimand, failed, recorded_under
from easitrace.response.expression import atoms

LossRule = Literal["strict", "half_of_best"]
RESPONDER = "responder"
TEMPORARY = "temporary responder"
NON_RESPONDER = "non-responder"
SIDE_EFFECTS = "stopped for side effects"
OTHER_REASON = "stopped, other reason"
NOT_YET = "not classifiable yet"
VISIT_MISSING = "not classifiable, visit missing"
CLASSES = (RESPONDER, TEMPORARY, NON_RESPONDER, SIDE_EFFECTS, OTHER_REASON, NOT_YET, VISIT_MISSING)
CLASSIFIED = CLASSES[:3]
HALF = 50


@dataclass(frozen=True)
class History:
    """What the class of one patient is decided from; tuples are by visit after baseline, None is "not known".

    `failed` marks visits at which a stop for inefficacy or side effects counts as non-response (composite
    estimand only); `state` is the attendance at the decision week; `note` says what is special at baseline.
    """

    visits: tuple[Visit, ...]
    met: tuple[bool | None, ...]
    lost: tuple[bool | None, ...]
    seen: tuple[bool, ...]
    failed: tuple[bool, ...]
    state: str
    status: str
    stop_week: float
    stop_reason: str
    note: str
    criterion: str
    loss_rule: str
    decision_week: float

    @property
    def decision(self) -> int:
        """Position of the decision week among the visits."""
        return next(i for i, visit in enumerate(self.visits) if visit.week == self.decision_week)

    def names(self, positions: Iterable[int]) -> str:
        """Visits in a sentence: `week 4 and week 12`."""
        *first, last = [visit_name(self.visits[i]) for i in positions]
        return f"{', '.join(first)} and {last}" if first else last

    def stop(self) -> str:
        """When and why treatment stopped: `stopped for side effects after 6.1 weeks`."""
        why = f"for {self.stop_reason}" if self.stop_reason in FAILURES else "for another reason"
        why = why if self.stop_reason else "for a reason not recorded"
        when = "at a time not recorded" if math.isnan(self.stop_week) else f"after {self.stop_week:.1f} weeks"
        return f"stopped {why} {when}"


def classify(
    cohort: Cohort,
    criterion: str = "easi50",
    loss_rule: str = "strict",
    decision_week: float = 12,
    estimand: str = "treatment-policy",
) -> pd.DataFrame:
    """The response class of every patient, with the reason in words.

    Parameters
    ----------
    criterion : str
        For example "easi75", "easi<=7", "drop>=6.6", "easi50 and itch_nrs<=4".
    loss_rule : "strict" or "half_of_best"
        When a response counts as lost; half of the best improvement is of the criterion's instrument, or of the
        outcome when the criterion has several. Where there is no improvement to lose, `strict` decides.
    decision_week : float
        A planned week after baseline.
    estimand : str
        "treatment-policy" judges all recorded scores; "while-on-treatment" and "hypothetical" those recorded on
        treatment; "composite" too, and a stop for inefficacy or side effects is non-response: before the
        decision week it makes a non-responder, later it loses the response.

    Returns
    -------
    DataFrame
        `patient`, `class` (ordered categorical of `CLASSES`), `reason`; one row per patient, sorted as the cohort.

    Raises
    ------
    ParameterError
        When an argument is not one of the values above, or does not fit the cohort.
    """
    histories = histories_of(cohort, criterion, loss_rule, decision_week, estimand)
    judged = [_judge(history) for history in histories]
    return pd.DataFrame(
        {
            "patient": cohort.patients["patient"].array,
            "class": pd.Categorical([name for name, _ in judged], categories=list(CLASSES), ordered=True),
            "reason": [f"{why}; {h.note}" if h.note else why for h, (_, why) in zip(histories, judged, strict=True)],
        }
    )


def visit_name(visit: Visit) -> str:
    """A visit in a sentence: its label, or its week when the label is only a number."""
    return visit.label if any(sign.isalpha() for sign in visit.label) else f"week {visit.week:g}"


def histories_of(cohort: Cohort, criterion: str, loss_rule: str, decision_week: float, estimand: str) -> list[History]:
    """What the class of every patient is decided from; arguments as for `classify`."""
    _check(cohort, loss_rule, decision_week, estimand)
    counted = recorded_under(cohort, estimand)
    answers, notes = met(counted, criterion), reach(cohort, criterion)
    lost = _lost(counted, answers, _instrument(cohort, criterion), loss_rule)
    states = attendance(counted)
    failures = _by_week(states.assign(failed=failed(states)), "failed")[answers.columns]
    failures = failures.mul(estimand == "composite").mul(~notes.isin(UNDEFINED), axis=0)
    people = cohort.patients.set_index("patient")
    evidence = pd.DataFrame(
        {
            "met": _rows(answers.mask(failures, False)),
            "lost": _rows(lost.mask(failures, True)),
            "seen": _rows(counted.wide().notna()[answers.columns]),
            "failed": _rows(failures),
            "state": _by_week(states, "state")[decision_week].loc[answers.index].array,
            "status": people["status"].array,
            "stop_week": people["stop_week"].array,
            "stop_reason": people["stop_reason"].astype(object).fillna("").array,
            "note": notes.array,
        }
    )
    rule: dict[str, Any] = {
        "criterion": criterion_label(criterion, cohort),
        "loss_rule": loss_rule,
        "decision_week": decision_week,
    }
    patients: list[Any] = evidence.to_dict("records")
    return [History(visits=cohort.schedule[1:], **rule, **patient) for patient in patients]


def _check(cohort: Cohort, loss_rule: str, decision_week: float, estimand: str) -> None:
    check_estimand(estimand)
    if loss_rule not in get_args(LossRule):
        names = ", ".join(get_args(LossRule))
        raise ParameterError(Problem("E105", "loss_rule", f"{loss_rule!r} is no loss rule", f"use {names}"))
    weeks = [visit.week for visit in cohort.schedule[1:]]
    if decision_week not in weeks:
        planned = ", ".join(f"{week:g}" for week in weeks)
        what = f"week {decision_week:g} is not a planned week after baseline"
        raise ParameterError(Problem("E106", "decision_week", what, f"planned are {planned}"))


def _instrument(cohort: Cohort, criterion: str) -> str:
    """The instrument whose best improvement can be lost."""
    names = {atom.instrument for atom in atoms(criterion_of(cohort, criterion))}
    return names.pop() if len(names) == 1 else cohort.outcome


def _lost(cohort: Cohort, answers: pd.DataFrame, instrument: str, loss_rule: str) -> pd.DataFrame:
    """Whether a response reached before would count as lost, patients by week, missing where not known."""
    strict = ~answers
    if loss_rule == "strict":
        return strict
    scores, better = cohort.wide(instrument), cohort.instrument(instrument).better
    start, later = scores[cohort.baseline.week], scores[answers.columns]
    best = later.cummin(axis=1) if better == "lower" else later.cummax(axis=1)
    half = {week: lost_more_than(start, best[week], later[week], HALF, better) for week in answers.columns}
    return pd.DataFrame(half).fillna(strict)


def _by_week(states: pd.DataFrame, column: str) -> pd.DataFrame:
    return states.pivot(index="patient", columns="week", values=column)


def _rows(table: pd.DataFrame) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in table.astype(object).where(table.notna(), None).to_numpy().tolist()]


def _judge(history: History) -> tuple[str, str]:
    """Class and reason."""
    decision = history.decision
    if any(history.failed[: decision + 1]):
        return NON_RESPONDER, f"{history.stop()}, which counts as non-response"
    known = [i for i, answer in enumerate(history.met) if answer is not None]
    if known and known[-1] >= decision:
        return _judge_at(history, known[-1])
    if history.status == "stopped" and "inefficacy" in history.stop_reason and history.note not in UNDEFINED:
        return _judge_inefficacy(history, known)
    return _not_judged(history)


def _judge_at(history: History, last: int) -> tuple[str, str]:
    """The three response groups, judged at the last visit in or after the decision week."""
    earlier = [i for i in range(last) if history.met[i]]
    if earlier and history.lost[last]:
        return TEMPORARY, _met_then_lost(history, earlier, last)
    if history.met[last]:
        return RESPONDER, f"{history.criterion} met at {history.names([*earlier, last])}"
    if earlier:
        kept = f"at {history.names([last])} no longer, but at most half of the best improvement is lost"
        return RESPONDER, f"{history.criterion} met at {history.names(earlier)}; {kept}"
    never = f"{history.criterion} not met at {history.names(i for i in range(last + 1) if history.met[i] is False)}"
    unknown = [i for i in range(last) if history.met[i] is None]
    return NON_RESPONDER, f"{never}; not known at {history.names(unknown)}" if unknown else never


def _met_then_lost(history: History, earlier: list[int], last: int) -> str:
    before, here = f"{history.criterion} met at {history.names(earlier)}", history.names([last])
    if history.failed[last]:
        return f"{before}; {history.stop()}, which counts as loss"
    if history.loss_rule == "half_of_best" and not history.met[last]:
        return f"{before}, more than half of the best improvement lost at {here}"
    return f"{before}, no longer met at {here}"


def _judge_inefficacy(history: History, known: list[int]) -> tuple[str, str]:
    """Stopped for inefficacy without being judged in or after the decision week."""
    earlier = [i for i in known[:-1] if history.met[i]]
    if earlier and history.lost[known[-1]]:
        return TEMPORARY, f"{_met_then_lost(history, earlier, known[-1])}; then {history.stop()}"
    return NON_RESPONDER, history.stop()


def _not_judged(history: History) -> tuple[str, str]:
    """Stopped before the decision week, in follow-up, or not seen."""
    here = history.names([history.decision])
    if history.state == "stopped" and history.stop_reason == "inefficacy":
        return VISIT_MISSING, history.stop()
    if history.state == "stopped":
        name = SIDE_EFFECTS if history.stop_reason in FAILURES else OTHER_REASON
        return name, f"{history.stop()}, before {here}"
    if history.state == "in follow-up":
        return NOT_YET, f"in follow-up, {here} is not due yet"
    if history.seen[history.decision]:
        return VISIT_MISSING, f"seen at {here}, but {history.criterion} is not known there"
    return VISIT_MISSING, f"not seen at {here}"
