"""The display tables of the chapters: tidy results in, a great-tables table in journal style out."""

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pandas as pd

from easitrace.report.style import MISSING, Style
from easitrace.report.words import COVARIANCE_NAMES, PROGRAMS, SCALE_NAMES, SHORT_CLASSES

if TYPE_CHECKING:
    from great_tables import GT


def journal_table(rows: Sequence[Mapping[str, str]], text: Sequence[str] = (), groups: str = "") -> "GT":
    """A table whose column names are its headers; text columns to the left, numbers to the right.

    Parameters
    ----------
    rows : sequence of mappings
        Header to formatted cell, the same headers in every row.
    text : sequence of str
        Headers of the left-aligned columns besides the first.
    groups : str
        Header whose values become row groups.
    """
    from great_tables import GT

    frame = pd.DataFrame(list(rows))
    table = GT(frame, groupname_col=groups or None)
    left = [name for name in frame.columns if name in text or name == frame.columns[0]]
    right = [name for name in frame.columns if name not in left]
    return table.cols_align("left", columns=left).cols_align("right", columns=right)


def characteristics_table(data: pd.DataFrame, style: Style, labels: Mapping[str, str]) -> "GT":
    """Table 1: median [quartiles] for numbers, n (%) for categories, both over the known values, and n missing."""
    rows = []
    for variable, part in data.groupby("variable", sort=False):
        name = capital(labels[str(variable)])
        levels = part[part["level"] != ""]
        if levels.empty:
            rows.append(_number_row(name, part.iloc[0], style))
        elif set(levels["level"]) <= {"yes", "no"}:
            rows.append(_category_row(name, levels.iloc[-1], style, yes=True))
        else:
            rows.append({"Characteristic": name, "n known": str(part["n"].iloc[0]), "Value": "", "Missing": ""})
            rows += [_category_row(f"\u2003{row['level']}", row, style) for _, row in levels.iterrows()]
    return journal_table(rows)


def missing_table(data: pd.DataFrame, labels: Mapping[str, str]) -> "GT":
    """Recorded values of each instrument out of the patients seen, by visit."""
    rows = []
    for instrument, part in data.groupby("instrument", sort=False):
        cells = {
            capital(str(visit)): f"{recorded}/{seen}"
            for visit, recorded, seen in part[["visit", "recorded", "seen"]].itertuples(index=False)
        }
        rows.append({"Instrument": capital(labels[str(instrument)]), **cells})
    return journal_table(rows)


def log_table(log: pd.DataFrame) -> "GT":
    """The cleaning log: every repair and warning with its place."""
    rows = [{"Code": code, "Where": where, "What": what} for code, where, what in log.itertuples(index=False)]
    return journal_table(rows, text=["Where", "What"])


def course_table(data: pd.DataFrame, style: Style, level: float) -> "GT":
    """The observed course: n, median [quartiles], mean (SD) by visit, and both kinds of relative change."""
    rows = []
    for row in data.to_dict("records"):
        spread = f"{style.number(row['median'])} [{style.range(row['q1'], row['q3'])}]"
        rows.append(
            {
                "Visit": capital(row["visit"]),
                "n": str(row["n"]),
                "Median [Q1\u2013Q3]": spread,
                "Mean (SD)": f"{style.number(row['mean'])} ({style.number(row['sd'])})",
                f"Change of the median, % ({level:.0%} CI)": _change(row, "change_of_median", "change", style),
                "Pairs": style.number(row["n_change"], 0),
                f"Median of the changes, % ({level:.0%} CI)": _change(row, "median_change", "median_change", style),
            }
        )
    return journal_table(rows)


def paired_table(data: pd.DataFrame, style: Style, level: float) -> "GT":
    """Exact paired tests: the pairs, their medians, the Hodges-Lehmann shift with its interval, P."""
    rows = [
        {
            "Comparison": capital(row["name"]),
            "Pairs": str(row["n_pairs"]),
            "Median, earlier": style.number(row["median_from"]),
            "Median, later": style.number(row["median_to"]),
            "Shift, points": style.number(row["shift"], style.digits + 1),
            f"{level:.0%} CI": style.interval(row["lower"], row["upper"], style.digits + 1),
            "P": style.p(row["p"]),
        }
        for row in data.to_dict("records")
    ]
    return journal_table(rows)


def means_table(data: pd.DataFrame, style: Style, level: float) -> "GT":
    """Model-based means on the outcome's own scale with intervals and degrees of freedom."""
    rows = [
        {
            "Visit": capital(row["visit"]),
            "n": str(row["n"]),
            "Estimated mean": style.number(row["mean"]),
            f"{level:.0%} CI": style.interval(row["lower"], row["upper"]),
            "df": style.number(row["df"]),
        }
        for row in data.to_dict("records")
    ]
    return journal_table(rows)


def contrasts_table(data: pd.DataFrame, style: Style, level: float, unit: str) -> "GT":
    """Contrasts between visits in `unit` with interval, degrees of freedom and P."""
    rows = [
        {
            "Contrast": capital(row["name"]),
            unit: style.number(row["estimate"], style.digits if unit.endswith("%") else style.digits + 1),
            f"{level:.0%} CI": style.interval(
                row["lower"], row["upper"], style.digits if unit.endswith("%") else style.digits + 1
            ),
            "t": style.number(row["statistic"], 2),
            "df": style.number(row["df"]),
            "P": style.p(row["p"]),
        }
        for row in data.to_dict("records")
    ]
    return journal_table(rows)


def sensitivity_table(data: pd.DataFrame, style: Style, level: float) -> "GT":
    """One estimate under every structure and scale; a model that is not estimable says so."""
    rows = [
        {
            "Scale": capital(SCALE_NAMES[row["scale"]]),
            "Covariance": capital(COVARIANCE_NAMES[row["covariance"]]),
            "Estimated mean": style.number(row["mean"]) if row["status"] == "converged" else "not estimable",
            f"{level:.0%} CI": style.interval(row["lower"], row["upper"]) if row["status"] == "converged" else MISSING,
            "AIC": style.number(row["aic"], 1) if row["status"] == "converged" else MISSING,
        }
        for row in data.to_dict("records")
    ]
    return journal_table(rows, text=["Covariance"], groups="Scale")


def endpoint_table(data: pd.DataFrame, style: Style, level: float, names: Mapping[str, str]) -> "GT":
    """Responders out of an explicit denominator with their interval, by criterion and visit."""
    rows = [
        {
            "Criterion": names[row["criterion"]],
            "Visit": capital(row["visit"]),
            "Responders / n": style.count(int(row["responders"]), int(row["n"])),
            f"{level:.0%} CI, %": style.interval(100 * row["lower"], 100 * row["upper"], 0),
            "Not in n": str(int(row["left_out"])),
        }
        for row in data.to_dict("records")
    ]
    return journal_table(rows, text=["Visit"])


def class_table(data: pd.DataFrame, style: Style, level: float) -> "GT":
    """Response classes out of all patients, and the response groups out of those classified, with intervals."""
    rows = [
        {
            "Out of": f"Of the {row['n']} {'patients' if row['denominator'] == 'patients' else 'patients classified'}",
            "Class": capital(row["class"]),
            "Patients / n": style.count(int(row["count"]), int(row["n"])),
            f"{level:.0%} CI, %": style.interval(100 * row["lower"], 100 * row["upper"], 0),
        }
        for row in data.to_dict("records")
    ]
    return journal_table(rows, text=["Class"], groups="Out of")


def reasons_table(data: pd.DataFrame) -> "GT":
    """Why patients are in their class, and how many for each reason."""
    rows = [
        {"Class": capital(row["class"]), "Reason": row["reason"], "Patients": str(row["count"])}
        for row in data.to_dict("records")
    ]
    return journal_table(rows, text=["Reason"])


def rules_table(data: pd.DataFrame) -> "GT":
    """Patients in each class under every rule; `data` has a row per rule, classes as columns, then `changed`."""
    used = [name for name in SHORT_CLASSES if data[name].any()]
    rows = [
        {"Rule": row["rule"], **{SHORT_CLASSES[name]: str(row[name]) for name in used}, "Changed": str(row["changed"])}
        for row in data.to_dict("records")
    ]
    return journal_table(rows)


def published_table(data: pd.DataFrame, style: Style) -> "GT":
    """Published figures beside those computed here, and whether they agree at the printed precision."""
    rows = [
        {
            "Figure": capital(row["figure"]),
            "Published": row["published"],
            "This report": _as_published(row["computed"], row["published"], style),
            "Agree": MISSING if pd.isna(row["agrees"]) else "yes" if row["agrees"] else "no",
        }
        for row in data.to_dict("records")
    ]
    return journal_table(rows, text=["Agree"])


def glance_table(data: pd.DataFrame, style: Style, level: float, criterion: str) -> "GT":
    """The course at a glance: per visit the patients seen, the median, the estimated mean, the responders."""
    rows = [
        {
            "Visit": capital(row["visit"]),
            "Seen, n": str(row["n"]),
            "Median": style.number(row["median"]),
            f"Estimated mean ({level:.0%} CI)": _estimate(row, style),
            f"{criterion}, responders/n": MISSING
            if pd.isna(row["responders"])
            else style.count(int(row["responders"]), int(row["n_known"])),
        }
        for row in data.to_dict("records")
    ]
    return journal_table(rows)


def _estimate(row: Mapping[Any, Any], style: Style) -> str:
    if pd.isna(row["mean"]):
        return MISSING
    return f"{style.number(row['mean'])} ({style.interval(row['lower'], row['upper'])})"


def _as_published(value: float, published: str, style: Style) -> str:
    """A figure in the form it was published in: its digits, its percent sign, its `=` of a P value."""
    if published[0] in "=<>":
        p = style.p(value)
        return p if p[0] in "<>" else f"= {p}"
    digits = len(match[1]) if (match := re.search(r"\.(\d+)", published)) else 0
    return style.number(value, digits) + (" %" if published.endswith("%") else "")


def capital(text: object) -> str:
    """With a capital first letter, the rest as it is."""
    return str(text)[:1].upper() + str(text)[1:]


def validation_table(data: pd.DataFrame) -> "GT":
    """The largest difference of each quantity from the reference, as powers of ten, beside its tolerance."""
    rows = [
        {
            "Reference": PROGRAMS[row["program"]],
            "Quantity": row["quantity"],
            "Files": str(row["files"]),
            "Largest difference": f"{row['difference']:.0e}",
            "Tolerance": f"{row['tolerance']:.0e}",
        }
        for row in data.to_dict("records")
    ]
    return journal_table(rows, text=["Quantity"], groups="Reference")


def kenward_roger_table(data: pd.DataFrame, style: Style) -> "GT":
    """One contrast by each method of degrees of freedom."""
    rows = [
        {
            "Patients": f"{row['patients']} patients",
            "Method": row["df_method"],
            "Estimate": style.number(row["estimate"], 3),
            "SE": style.number(row["se"], 4),
            "df": style.number(row["df"], 2),
            "P": style.p(row["p"]),
        }
        for row in data.to_dict("records")
    ]
    return journal_table(rows, groups="Patients")


def _change(row: Mapping[Any, Any], estimate: str, limits: str, style: Style) -> str:
    if pd.isna(row[estimate]):
        return MISSING
    interval = style.interval(row[f"{limits}_lower"], row[f"{limits}_upper"])
    return f"{style.number(row[estimate])} ({interval})"


def _number_row(name: str, row: Any, style: Style) -> dict[str, str]:
    value = f"{style.number(row['median'])} [{style.range(row['q1'], row['q3'])}]"
    return {"Characteristic": name, "n known": str(row["n"]), "Value": value, "Missing": str(row["missing"])}


def _category_row(name: str, row: Any, style: Style, *, yes: bool = False) -> dict[str, str]:
    count = int(row["count"]) if not yes or row["level"] == "yes" else 0
    value = style.count(count, int(row["n"]))
    return {"Characteristic": name, "n known": str(row["n"]), "Value": value, "Missing": str(row["missing"])}
