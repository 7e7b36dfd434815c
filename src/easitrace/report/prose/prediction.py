"""Sentences on marginal and class probabilities and on early prediction."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from easitrace.report.prose.words_of_numbers import joined, number_keys, slug
from easitrace.report.style import Style
from easitrace.response.classify import CLASSES, TEMPORARY
from easitrace.response.prediction import BASE_RATE, BOTH, EARLY_ONLY, MODEL


def marginal_note(marginal: pd.DataFrame, level: float, names: Mapping[str, str]) -> str:
    """The model, and each place where it gave no number or not the one asked for."""
    said = [
        f"{names[row['criterion']]} at {row['visit']}: {row['message']}."
        for row in marginal.to_dict("records")
        if row["message"]
    ]
    rest = " The observed interval stands for it." if marginal["probability"].isna().any() else ""
    return " ".join(
        [f"{level:.0%} CI: bias-reduced sandwich (Mancl-DeRouen), symmetric on the logit scale.", *said]
    ) + (rest if said else "")


def marginal_numbers(marginal: pd.DataFrame) -> dict[str, Any]:
    """`marginal_easi50_week_12` and its limits for every criterion and visit."""
    keyed = marginal.assign(key=marginal["criterion"] + " " + marginal["visit"].astype(str))
    columns = {"probability": "marginal", "lower": "marginal_lower", "upper": "marginal_upper"}
    return number_keys(keyed, "key", columns)


def marginal_sentence(marginal: pd.DataFrame, names: Mapping[str, str], style: Style) -> str:
    """Marginal probabilities in words."""
    known = marginal[marginal["probability"].notna()]
    parts = [
        f"{names[row['criterion']]} at {row['visit']}: {style.percent(row['probability'])}"
        for row in known.to_dict("records")
    ]
    return f"Marginal probabilities: {'; '.join(parts)}." if parts else "No marginal probability can be given."


def states_sentence(counts: pd.DataFrame) -> str:
    """Patients by state at every visit in words."""
    parts = []
    for visit, rows in counts.groupby("visit", observed=True):
        present = rows[rows["patients"] > 0]
        parts.append(f"{visit}: " + ", ".join(f"{state} {n}" for state, n in present[["state", "patients"]].to_numpy()))
    return f"Patients by response state. {'; '.join(parts)}."


def pending_sentence(groups: pd.DataFrame, style: Style) -> str:
    """The probabilities of the patients without a class in words."""
    parts = []
    for row in groups.to_dict("records"):
        where = f"{row['state']} at {row['visit']}" if row["state"] else "not judged yet"
        classes = joined([f"{name} {style.percent(row[name])}" for name in CLASSES if row[name] > 0])
        parts.append(f"{row['patients']} with {where}: {classes}")
    return "; ".join(parts) + "."


def expected_numbers(expected: pd.DataFrame) -> dict[str, float]:
    """`expected_responder_reliability_90`, `confirmed_...` for every class and reliability."""
    names = (
        expected["class"].map(slug) + "_reliability_" + (100 * expected["reliability"]).round().astype(int).astype(str)
    )
    keyed = expected.assign(key=names)
    return number_keys(keyed, "key", {"expected": "expected", "confirmed": "confirmed"})


def temporary_values(expected: pd.DataFrame, reliability: float) -> dict[str, Any]:
    """How many of the temporary responders remain so without measurement error, at one reliability."""
    there = expected[(expected["class"] == TEMPORARY) & (expected["reliability"] == reliability)]
    (row,) = there.to_dict("records")
    return {"reliability": reliability, "n_temporary": row["observed"], "confirmed_temporary": row["confirmed"]}


def expected_note(least: float, style: Style) -> str:
    """What the columns are, and how large the error can be at most."""
    return (
        "Expected: sum of the patients' probabilities, scores not seen yet drawn from the model; in brackets: of those "
        "observed in the class. Reliability: share of the variance of the scores that is not measurement error; the "
        f"fitted covariance leaves room for no reliability below {style.percent(least)}."
    )


def class_bars_sentence(table: pd.DataFrame, style: Style) -> str:
    """Of the patients observed in each class, the mean probability that they are in it."""
    parts = []
    for name in CLASSES:
        own = table.loc[table["observed"] == name, name]
        if len(own) and own.any():
            parts.append(f"{name}, {len(own)} patients: {style.percent(own.mean())}")
    return f"Mean probability of the class observed: {'; '.join(parts)}."


def prediction_numbers(brier: pd.DataFrame) -> dict[str, float]:
    """`brier_trajectory_model`, `brier_base_rate`, ..., and their differences from the base rate."""
    return number_keys(brier, "method", {"brier": "brier", "difference": "brier_difference"})


def method_names(visit: str) -> dict[str, str]:
    """What the ways of predicting are called in print; `visit` is the first after baseline."""
    return {
        MODEL: "Trajectory model",
        BASE_RATE: "Base rate",
        EARLY_ONLY: f"Logistic regression on the score at {visit}",
        BOTH: f"Logistic regression on the scores at baseline and {visit}",
    }


def verdict_template(brier: pd.DataFrame) -> str:
    """Whether the model predicts patients that it has not seen, by the interval of its gain over the base rate."""
    model = _row(brier, MODEL)
    if model["not_estimable"]:
        return (
            "Without {not_estimable:d} of the {n_predicted:d} patients the trajectory model was not estimable, so that "
            "its predictions cannot be judged."
        )
    scores = (
        "In {n_predicted:d} patients left out of the fit, the Brier score of the trajectory model is {brier_model:.3f} "
        "and that of the base rate {brier_base:.3f} (difference {gain:.3f}, {level:%} CI {gain_lower:.3f} to "
        "{gain_upper:.3f}). "
    )
    verdict = _verdict(model["difference"], model["lower"], model["upper"])
    return f"{scores}{verdict} The lowest score of all is that of {{best_method}}."


def verdict_values(brier: pd.DataFrame, level: float, names: Mapping[str, str]) -> dict[str, Any]:
    """The numbers of the verdict; `names` are the ways of predicting in print."""
    model, base = _row(brier, MODEL), _row(brier, BASE_RATE)
    return {
        "not_estimable": model["not_estimable"],
        "n_predicted": model["n"],
        "brier_model": model["brier"],
        "brier_base": base["brier"],
        "gain": model["difference"],
        "gain_lower": model["lower"],
        "gain_upper": model["upper"],
        "level": level,
        "best_method": _with_article(names[brier.sort_values("brier", kind="stable")["method"].iloc[0]]),
    }


def brier_note(brier: pd.DataFrame, names: Mapping[str, str], one_by_one: bool) -> str:
    """How patients were left out, what the columns are, and what could not be fitted."""
    how = "one at a time" if one_by_one else "in random groups"
    said = [
        f"{names[row['method']]}: no prediction for {row['not_estimable']} of {row['n']}: without them the responses "
        "were separated or the model not estimable."
        for row in brier.to_dict("records")
        if row["not_estimable"]
    ]
    return " ".join(
        [
            f"Patients left out {how}, every method fitted to the others. Brier score: mean squared distance between "
            "probability and outcome, 0 is best. Expected: sum of the probabilities.",
            *said,
        ]
    )


def prediction_sentence(patients: pd.DataFrame, style: Style) -> str:
    """The range of the predictions in words."""
    values = patients["probability"]
    known = patients["response"].dropna()
    return (
        f"Probability of response by baseline and first follow-up score; over {len(patients)} patients it runs from "
        f"{style.percent(values.min())} to {style.percent(values.max())}; {int(known.sum())} of {len(known)} responded."
    )


def calibration_sentence(groups: pd.DataFrame, style: Style) -> str:
    """Predicted and observed response of each group in words."""
    parts = [
        f"predicted {style.percent(row['predicted'])}, observed {style.count(int(row['responders']), int(row['n']))}"
        for row in groups.to_dict("records")
    ]
    return f"Groups of like predictions: {'; '.join(parts)}."


def _with_article(name: str) -> str:
    """`the trajectory model`, `the base rate`, `logistic regression on ...`."""
    lowered = f"{name[0].lower()}{name[1:]}"
    return lowered if lowered.startswith("logistic") else f"the {lowered}"


def _row(table: pd.DataFrame, method: str) -> dict[Any, Any]:
    (row,) = table[table["method"] == method].to_dict("records")
    return row


def _verdict(difference: float, lower: float, upper: float) -> str:
    if upper < 0:
        return "It predicts better than the base rate."
    if lower > 0:
        return "It predicts worse than the base rate: the chart says nothing about a new patient."
    direction = (
        "lower than that of the base rate, but" if difference < 0 else "not lower than that of the base rate, and"
    )
    return (
        f"The score is {direction} the interval includes no difference: these data do not show that the first "
        "follow-up visit predicts the response of a new patient."
    )
