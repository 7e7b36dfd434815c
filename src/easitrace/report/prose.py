"""Sentences and captions that are made from results, so that no number is typed into a text."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from easitrace.cohort.cohort import Cohort
from easitrace.cohort.describe import BOOKKEEPING, labels
from easitrace.models.crosscheck import CrossCheck
from easitrace.report.style import Style
from easitrace.report.words import (
    DF_NAMES,
    DIFFERENCE_NOTES,
    ESTIMAND_NAMES,
    INTERVAL_NAMES,
    LOSS_NAMES,
    QUARTILE_NAMES,
    SCALE_NOTES,
)
from easitrace.response.criteria import criterion_label

SUPERSCRIPTS = str.maketrans("-0123456789", "\u207b\u2070\u00b9\u00b2\u00b3\u2074\u2075\u2076\u2077\u2078\u2079")


def attendance_numbers(counts: pd.DataFrame) -> dict[str, int]:
    """`n_seen_week_12`, `n_stopped_week_12`, ... for every visit and state."""
    table = counts.groupby(["visit", "state"], observed=True)["n"].sum().reset_index()
    return {f"n_{slug(row['state'])}_{slug(row['visit'])}": int(row["n"]) for row in table.to_dict("records")}


def flow_sentence(counts: pd.DataFrame) -> str:
    """The flow in words, for readers who cannot see the diagram."""
    parts = []
    for visit, rows in counts.groupby("visit", observed=True, sort=False):
        states = ", ".join(
            f"{n} {state}{f' ({reason})' if reason else ''}"
            for state, reason, n in rows[["state", "reason", "n"]].values
        )
        parts.append(f"{visit}: {states}")
    return f"Of {int(counts.groupby('visit', observed=True)['n'].sum().iloc[0])} patients, at " + "; ".join(parts) + "."


def baseline_caption(cohort: Cohort) -> str:
    """`Characteristics at baseline, n = 25.`"""
    return f"Characteristics of the patients at baseline, n = {len(cohort.patients)}."


def baseline_note(cohort: Cohort, quartiles: str) -> str:
    """Which quartiles, and for a synthetic cohort which columns nobody published."""
    if cohort.dictionary.empty:
        return quartile_note(quartiles)
    invented = cohort.dictionary[(cohort.dictionary["origin"] == "invented")]
    shown = [name for name in invented["column"] if name in (*cohort.measured, *cohort.patients.columns)]
    known = [name for name in dict.fromkeys(shown) if name not in BOOKKEEPING]
    names = joined([printed_name(name, cohort) for name in known])
    return f"{quartile_note(quartiles)} Invented, because the publication is silent: {names}."


def printed_name(name: str, cohort: Cohort) -> str:
    """An instrument by its label, a patient-level column by the data dictionary, else by its own name."""
    if name in cohort.measured:
        return cohort.instrument(name).label
    if not cohort.dictionary.empty:
        rows = cohort.dictionary[(cohort.dictionary["file"] == "patients") & (cohort.dictionary["column"] == name)]
        if len(rows):
            row = rows.iloc[0]
            return f"{row['meaning']}, {row['unit']}" if row["unit"] else str(row["meaning"])
    return name.replace("_", " ")


def baseline_names(cohort: Cohort) -> dict[str, str]:
    """The rows of Table 1 by their printed names."""
    names = [*cohort.patients.columns, *cohort.measured]
    return {name: printed_name(name, cohort) for name in names} | labels(cohort)


def quartile_note(quartiles: str) -> str:
    """Which quartiles were used; definitions differ between SPSS, SAS, R and NumPy."""
    return f"Median [first\u2013third quartile], by {QUARTILE_NAMES.get(quartiles, quartiles + ' (NumPy method)')}."


def points_label(cohort: Cohort) -> str:
    """The axis label of the outcome: `EASI (0\u201372), points`."""
    outcome = cohort.instrument()
    return f"{outcome.label} ({outcome.minimum:g}\u2013{outcome.maximum:g}), points"


def bands(cohort: Cohort) -> list[tuple[str, float, float]]:
    """The severity bands of the outcome as (label, lower, upper) in points; none when the instrument has none."""
    outcome = cohort.instrument()
    if not outcome.bands:
        return []
    first = outcome.bands[0]
    cuts = [outcome.minimum, *(border for border, _ in first.borders), outcome.maximum]
    return list(zip(first.labels, cuts[:-1], cuts[1:], strict=True))


def spaghetti_caption(cohort: Cohort) -> str:
    """Caption of the individual courses, with the source of the severity bands."""
    outcome = cohort.instrument()
    shaded = f" Severity bands: {outcome.bands[0].source}." if outcome.bands else ""
    return f"{outcome.label} of every patient (thin) and medians with quartiles (heavy) at the planned visits.{shaded}"


def course_note(quartiles: str, level: float) -> str:
    """How the columns of the course table were computed."""
    return (
        f"{quartile_note(quartiles)} Change of the median: median at the visit against the median at baseline, of the "
        f"patients seen at either; {level:.0%} CI by percentile bootstrap of patients. Median of the changes: of the "
        f"patients seen at both visits with a baseline above zero; {level:.0%} CI between order statistics."
    )


def paired_note(changes: pd.DataFrame) -> str:
    """Which test was done and how the shift is defined."""
    methods = "; ".join(dict.fromkeys(changes["method"]))
    return f"P: {methods}. Shift: Hodges-Lehmann estimate, later minus earlier. P values are not adjusted."


def changes_sentence(changes: pd.DataFrame, style: Style) -> str:
    """Paired shifts with their intervals in words."""
    parts = [
        f"{row['name']}: {style.number(row['shift'])} ({style.interval(row['lower'], row['upper'])}), "
        f"{row['n_pairs']} pairs"
        for row in changes.to_dict("records")
    ]
    return "Shift with interval, points: " + "; ".join(parts) + "."


def interval_note(interval: str, level: float) -> str:
    """Which interval a proportion has."""
    return f"{level:.0%} CI: {INTERVAL_NAMES[interval]}."


def endpoint_note(estimand: str, interval: str, level: float) -> str:
    """Who is in the denominator under the estimand, who is not, and which interval is printed."""
    failures = (
        "Patients who stopped for inefficacy or side effects before the visit count as non-responders. "
        if estimand == "composite"
        else ""
    )
    return (
        f"n: patients whose response at the visit is known. {failures}Not in n: stopped, in follow-up, visit missed, "
        f"or criterion undefined from the baseline. {interval_note(interval, level)}"
    )


def endpoint_numbers(endpoints: pd.DataFrame) -> dict[str, Any]:
    """`responders_easi50_week_12`, `n_easi50_week_12`, `share_...` for every criterion and visit."""
    keyed = endpoints.assign(key=endpoints["criterion"] + " " + endpoints["visit"].astype(str))
    return number_keys(keyed, "key", {"responders": "responders", "n": "n", "proportion": "share"})


def rules_in_words(counts: pd.DataFrame, table: pd.DataFrame, cohort: Cohort) -> pd.DataFrame:
    """Counts by rule, each rule named by what differs from the first."""
    rules = table.drop_duplicates("rule")[["criterion", "loss_rule", "estimand"]].to_dict("records")
    chosen = rules[0]
    words = ["The rule of this report"]
    for rule in rules[1:]:
        parts = {
            "criterion": criterion_label(rule["criterion"], cohort),
            "loss_rule": f"Lost when {LOSS_NAMES[rule['loss_rule']]}",
            "estimand": f"Estimand {rule['estimand'].replace('-', ' ')}",
        }
        words.append("; ".join(parts[key] for key in parts if rule[key] != chosen[key]))
    return counts.assign(rule=words)


def course_sentence(course: pd.DataFrame, label: str, style: Style) -> str:
    """The observed course in words: n and median at each visit."""
    parts = [f"{style.number(row['median'])} at {row['visit']} (n = {row['n']})" for row in course.to_dict("records")]
    return f"Median {label}: " + ", ".join(parts) + "."


def means_sentence(means: pd.DataFrame, label: str, style: Style) -> str:
    """Estimated means with their intervals in words."""
    parts = [
        f"{style.number(row['mean'])} ({style.interval(row['lower'], row['upper'])}) at {row['visit']}"
        for row in means.to_dict("records")
    ]
    return f"Estimated mean {label} with interval: " + ", ".join(parts) + "."


def shares_sentence(endpoints: pd.DataFrame, style: Style) -> str:
    """Responder proportions in words."""
    parts = [
        f"{row['criterion']} at {row['visit']}: {style.count(int(row['responders']), int(row['n']))}"
        for row in endpoints.to_dict("records")
    ]
    return "; ".join(parts) + "."


def classes_sentence(counts: pd.DataFrame) -> str:
    """Class sizes in words."""
    return "Patients by class: " + ", ".join(f"{name} {n}" for name, n in counts[["class", "count"]].values) + "."


def adjusted_for(covariates: Sequence[str]) -> str:
    """`, adjusted for age and sex`, or nothing."""
    names = [name.replace("_", " ") for name in covariates]
    return f", adjusted for {joined(names)}" if names else ""


def treated_with(drug: str) -> str:
    """` treated with baricitinib`, or nothing."""
    return f" treated with {drug}" if drug else ""


def change_template(change: Mapping[str, Any]) -> str:
    """The sentence on the change at the decision week, as far as its numbers are there."""
    observed = (
        "{outcome} changed by {shift} points ({level:%} CI {shift_lower} to {shift_upper}; {p:p}) from baseline to "
        "week {week:d} in the {pairs:d} patients seen at both."
    )
    model = (
        " The mixed model, which uses the scores of all patients, estimates a change of {model_change}{unit} "
        "({level:%} CI {model_change_lower} to {model_change_upper}; {model_p:p})."
    )
    unfitted = " The trajectory model was not estimable from these data."
    parts = observed if change["shift"] is not None else "No paired change of {outcome} can be given for week {week:d}."
    return parts + (model if change["model_change"] is not None else unfitted)


def glance_note(estimand: str, scale: str) -> str:
    """Which scores the columns rest on."""
    return (
        f"Estimand: {ESTIMAND_NAMES[estimand]}. Median: of the patients seen. Estimated mean: mixed model, all "
        f"patients. {SCALE_NOTES[scale]} Responders: of the patients whose response is known."
    )


def source_note(source: str) -> str:
    """Where published figures are from."""
    return f"Source: {' '.join(source.split())}"


def residual_sentence(residuals: pd.DataFrame, style: Style) -> str:
    """The residual panel in words: how many, how spread, how far out."""
    values = residuals["standardised"]
    return (
        f"{len(values)} standardised residuals with standard deviation {style.number(values.std(), 2)}, from "
        f"{style.number(values.min())} to {style.number(values.max())}; {int((values.abs() > 2).sum())} lie beyond two."
    )


def crosscheck_sentence(check: CrossCheck, style: Style) -> str:
    """How far apart the two programs are, and why they may be."""
    if check.failure:
        return f"MixedLM could not fit the model: {check.failure}."
    apart = (
        f"The largest difference of a coefficient is {below(check.estimate)} standard errors, that of the standard "
        f"deviation {below(check.sd)} of its value; the correlation between visits is "
        f"{style.number(check.correlation, 2)}."
    )
    negative = (
        " A random intercept cannot have a negative correlation, so the two differ." if check.correlation < 0 else ""
    )
    return apart + negative


def below(value: float) -> str:
    """A small difference as `below 10\u207b\u2077`: its power of ten, not its noise."""
    power = math.ceil(math.log10(value)) if value > 0 else -16
    return "below 10" + str(power).translate(SUPERSCRIPTS)


def contrast_note(scale: str, df: str) -> str:
    """What a contrast is, and by which inference."""
    return f"{DIFFERENCE_NOTES[scale]} {DF_NAMES[df][0].upper()}{DF_NAMES[df][1:]}. P values are not adjusted."


def sensitivity_numbers(table: pd.DataFrame) -> dict[str, Any]:
    """`sensitivity_mean_us_log1p`, ... for every structure and scale."""
    keyed = table.assign(key=table["covariance"] + " " + table["scale"])
    return number_keys(keyed, "key", {"mean": "sensitivity_mean"})


def sensitivity_sentence(table: pd.DataFrame, style: Style) -> str:
    """The range of the estimates over the models that could be fitted."""
    fitted = table.dropna(subset=["mean"])
    if fitted.empty:
        return "No model could be fitted."
    span = f"{style.number(fitted['mean'].min())} to {style.number(fitted['mean'].max())}"
    return f"Estimated means from {span} points over {len(fitted)} of {len(table)} models."


def joined(names: Sequence[str]) -> str:
    """`a, b and c`."""
    return " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))


def number_keys(table: pd.DataFrame, key: str, columns: Mapping[str, str]) -> dict[str, Any]:
    """Cells of a tidy table as named numbers: column `median`, row `week 4` -> `median_week_4`."""
    return {
        f"{prefix}_{slug(row[key])}": row[column]
        for row in table.to_dict("records")
        for column, prefix in columns.items()
    }


def slug(text: Any) -> str:
    """A visit, state or class as part of a number's name: `week 12` -> `week_12`."""
    return "_".join("".join(sign if sign.isalnum() else " " for sign in str(text).lower()).split())
