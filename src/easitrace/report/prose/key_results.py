"""The six questions a reader has first, each with its answer; parts of an answer that have no number fall away."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from easitrace.report.prose.results import (
    MODELLED,
    About,
    Results,
    Sentence,
    attendance,
    by_rule,
    change_in_brackets,
    filled,
    plain,
    share_in_brackets,
)
from easitrace.report.prose.words_of_numbers import joined, slug
from easitrace.report.style import Style
from easitrace.response.classify import CLASSES, CLASSIFIED

NOT_KNOWN = "Not known from these data"
GROUPS = {
    "responder": "kept the response",
    "temporary_responder": "had it and lost it",
    "non_responder": "did not respond",
    "not_classified": "could not be classified",
}


def key_results(results: Results, about: About, held: Mapping[str, Any]) -> list[tuple[str, Sentence]]:
    """Question and answer: a template for `Style.fill` and the numbers it names, besides `level`.

    Parameters
    ----------
    held : mapping
        From `over_analyses`: whether the answer holds under other estimands and missing-data rules.
    """
    answers = {
        "Who?": _who(results, about),
        "How many?": _how_many(results, about),
        "How long?": _how_long(results),
        "What changed?": _what_changed(results, about),
        "How sure?": _how_sure(results, held),
        "Who responded?": _who_responded(results, about),
    }
    return [(question, answer if answer[0] else (NOT_KNOWN, {})) for question, answer in answers.items()]


def answers(rows: Sequence[tuple[str, Sentence]], style: Style, level: float) -> pd.DataFrame:
    """Question and answer with its numbers filled in: `question`, `answer`."""
    filled_in = [
        (question, style.fill(template, {**numbers, "level": level})) for question, (template, numbers) in rows
    ]
    return pd.DataFrame(filled_in, columns=["question", "answer"])


def numbers_in(rows: Sequence[tuple[str, Sentence]]) -> dict[str, Any]:
    """The numbers of all answers, by name."""
    return {name: value for _, (_, numbers) in rows for name, value in numbers.items()}


def _who(results: Results, about: About) -> Sentence:
    own, first = results.get("02_course", {}), slug(about.cohort.baseline.label)
    treated = f"Patients treated with {plain(about.drug)}" if about.drug else "Patients"
    severity = f", median {plain(about.outcome)} {{median_{first}}} (quartiles {{q1_{first}}}\u2013{{q3_{first}}})"
    known = own.get(f"median_{first}") is not None
    arms = f" in the arms {joined([plain(arm) for arm in about.cohort.arms])}" if about.cohort.arms else ""
    medians = [f"median_{first}_{slug(arm)}" for arm in about.cohort.arms]
    if medians and all(own.get(name) is not None for name in medians):
        severity, known = f", median {plain(about.outcome)} {joined([f'{{{name}}}' for name in medians])}", True
    return filled(treated + arms + (f"{severity} at {plain(about.cohort.baseline.label)}" if known else ""), own)


def _how_many(results: Results, about: About) -> Sentence:
    own = results.get("01_cohort", {})
    if "n_patients" not in own:
        return "", {}
    seen = attendance(own, about)
    attended = f"; at {plain(about.decided.label)}, {seen}" if seen else ""
    return filled("{n_patients:d} patients" + attended, own)


def _how_long(results: Results) -> Sentence:
    own = results.get("01_cohort", {})
    said = "Median follow-up {follow_up_median} weeks (range {follow_up_min} to {follow_up_max})"
    return filled(said if own.get("follow_up_median") is not None else "", own)


def _what_changed(results: Results, about: About) -> Sentence:
    first, last = about.cohort.baseline, about.decided
    key, outcome = slug(f"{last.label} v {first.label}"), plain(about.outcome)
    course, model = results.get("02_course", {}), results.get("03_trajectory", {})
    parts = []
    if course.get(f"shift_{key}") is not None:
        shift = change_in_brackets(course, "shift", "p", key, " points")
        parts.append(f"{outcome} changed by {shift} in the patients seen at both visits")
    if model.get(f"model_change_{key}") is not None:
        what, unit = MODELLED[about.scale]
        changed = change_in_brackets(model, "model_change", "model_p", key, unit)
        verb = "" if parts else "changed "
        parts.append(f"{what.format(outcome)} {verb}by {changed} in the mixed model of all patients")
    between = f"From {plain(first.label)} to {plain(last.label)}, "
    return filled(between + ", and ".join(parts) if parts else "", {**course, **model})


def _how_sure(results: Results, held: Mapping[str, Any]) -> Sentence:
    own = {**results.get("04_response", {}), **held}
    place = {-1: "lies below", 0: "includes", 1: "lies above"}.get(held["side"], "")
    of_all = "all" if held["n_changes"] > 1 and held["n_same"] == held["n_changes"] else "{n_same:d} of"
    analyses = f"The interval of the change {place} zero in {of_all} {{n_changes:d}} analyses by estimand and "
    classes = "another class rule puts at most {n_most_changed:d} of {n:d} patients in another class"
    parts = [
        f"{analyses}missing-data rule" if held["n_changes"] else "",
        classes if own.get("n_most_changed") is not None else "",
    ]
    return filled("; ".join(filter(None, parts)), own)


def _who_responded(results: Results, about: About) -> Sentence:
    own = results.get("04_response", {})
    key = slug(f"{about.criterion} {about.decided.label}")
    unclassified = sum(own.get(f"n_{slug(name)}", 0) for name in set(CLASSES) - set(CLASSIFIED))
    own = {**own, "n_not_classified": unclassified}
    groups = {name: words for name, words in GROUPS.items() if own.get(f"n_{name}")}
    met = f"{{responders_{key}:d}} of {{n_{key}:d}} met {plain(about.label)} at {plain(about.decided.label)} "
    parts = [
        f"{met}({share_in_brackets(own, key)}){by_rule(own, about, key)}" if own.get(f"n_{key}") else "",
        "of all patients " + joined([f"{{n_{name}:d}} {words}" for name, words in groups.items()]) if groups else "",
    ]
    return filled("; ".join(filter(None, parts)), own)
