"""What a report checks about itself when its chapters have run: the tables, the numbers in sentences, the printed text.

A check looks at numbers one by one and says of each what is wrong with it, if anything. It knows nothing of how the
numbers were made: a median outside its quartiles, a percentage that no count gives, a sum that does not add up, an
estimate outside its interval is a mistake of ours wherever it comes from. A report that fails is written, says so at
its head, and the command ends with E407.
"""

import html
import json
import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import pandas as pd

from easitrace.errors import NotEstimableError, Problem
from easitrace.report.execute import Ran
from easitrace.report.prose.words_of_numbers import slug
from easitrace.report.selfcheck_tables import (
    COUNTS,
    ESTIMATES,
    NUMERATORS,
    PATIENTS,
    SAID,
    SHARES,
    SUMS,
    Said,
    Sum,
)
from easitrace.report.tidy import read_tidy

ENTRY = "selfcheck"
TOLERANCE = 1e-9  # of numbers kept to 12 digits
CONSERVATIVE = 2  # interval and signed-rank test have different levels with ties; simulated: never by this factor
STATE = re.compile(r"n_(seen|stopped|in_follow_up|missed)_(.+)")
COUNT = re.compile(r"(?<![\d.,/])(\d+)/(\d+) \((\d+)(?:[.,](\d+))?%")
P_NAME = re.compile(r"(model_|arm_difference_(of_changes_)?|odds_ratio_|joint_)?p(_.+)?")
P_VALUE = re.compile(r"\bP = ([01]?)[.,](\d+)")
Row = Mapping[Any, Any]


@dataclass(frozen=True)
class Report:
    """What is checked.

    Attributes
    ----------
    numbers : mapping
        Chapter to the numbers it printed.
    tables : mapping
        `<chapter>_<name>` to the tidy table.
    texts : mapping
        Chapter to its printed text, without markup.
    """

    numbers: Mapping[str, Mapping[str, Any]]
    tables: Mapping[str, pd.DataFrame]
    texts: Mapping[str, str]

    @property
    def patients(self) -> float:
        """Patients of the cohort, missing when the chapter on it is."""
        return float(self.numbers.get("01_cohort", {}).get("n_patients", math.nan))

    def patients_of(self, table: pd.DataFrame) -> "pd.Series[float]":
        """By row the patients of the cohort, or of the row's arm."""
        if "arm" not in table:
            return pd.Series(self.patients, index=table.index)
        numbers = self.numbers.get("01_cohort", {})
        return table["arm"].map(lambda arm: float(numbers.get(f"n_patients_{slug(arm)}", math.nan)))

    def rows(self, *columns: str) -> Iterator[tuple[str, dict[Any, Any]]]:
        """The rows of every table that has all these columns, none of them missing, and where each is."""
        for name, table in self.tables.items():
            if set(columns) <= set(table.columns):
                yield from self.known(name, *columns)

    def known(self, name: str, *columns: str) -> Iterator[tuple[str, dict[Any, Any]]]:
        """The rows of one table in which these columns are numbers; none when there is no such table or column."""
        table = self.tables.get(name, pd.DataFrame())
        if set(columns) <= set(table.columns):
            numbers = table[list(columns)].apply(pd.to_numeric, errors="coerce")
            own = table.assign(**{column: numbers[column] for column in columns})[numbers.notna().all(axis=1)]
            for place, row in own.iterrows():
                yield f"{name}.csv, row {int(str(place)) + 2}", row.to_dict()


@dataclass(frozen=True)
class Look:
    """One number that was looked at: where it is and what is wrong with it, "" when nothing is."""

    where: str
    wrong: str = ""


@dataclass(frozen=True)
class Check:
    """One thing that must hold: its name, and how it is looked at."""

    name: str
    look: Callable[[Report], Iterator[Look]]


@dataclass(frozen=True)
class Verdict:
    """How many checks looked at how many numbers, and what they found."""

    checks: int
    numbers: int
    failed: tuple[Problem, ...] = ()

    def __str__(self) -> str:
        looked = f"{self.checks} checks on {self.numbers} numbers"
        if not self.failed:
            return f"{looked}, all passed"
        return f"{looked}, FAILED: " + "; ".join(f"{problem.where}: {problem.what}" for problem in self.failed)

    def insist(self) -> None:
        """Do nothing when every check passed.

        Raises
        ------
        NotEstimableError
            E407 for every number that failed.
        """
        if self.failed:
            raise NotEstimableError(self.failed)


def read_report(folder: Path, chapters: Sequence[Ran]) -> Report:
    """The tables and numbers in a report's folder and the printed text of its chapters."""
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    numbers = {name: result["numbers"] for name, result in results.items() if result["status"] == "complete"}
    tables = {path.stem: read_tidy(path) for path in sorted((folder / "tables").glob("*.csv"))}
    return Report(numbers, tables, {ran.name: _printed(ran) for ran in chapters})


def check(report: Report) -> Verdict:
    """Run every check of `CHECKS`."""
    looks = [(one, look) for one in CHECKS for look in one.look(report)]
    failed = [Problem("E407", look.where, f"{one.name}: {look.wrong}") for one, look in looks if look.wrong]
    return Verdict(len(CHECKS), len(looks), tuple(failed))


def keep(folder: Path, verdict: Verdict) -> None:
    """Add the verdict to `results.json`, as if it were a chapter."""
    path = folder / "results.json"
    results = json.loads(path.read_text(encoding="utf-8"))
    numbers = {"n_checks": verdict.checks, "n_numbers": verdict.numbers, "n_failed": len(verdict.failed)}
    shown = {"title": "Self-check", "status": "complete", "numbers": numbers, "tables": [], "figures": []}
    results[ENTRY] = shown | {"failed": [str(problem) for problem in verdict.failed]}
    text = json.dumps(results, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    path.write_text(text, encoding="utf-8", newline="\n")


def quartiles_in_order(report: Report) -> Iterator[Look]:
    """First quartile, median and third quartile in their order, between the extremes where these are given."""
    for where, row in report.rows("q1", "median", "q3"):
        order = [row.get("minimum", row["q1"]), row["q1"], row["median"], row["q3"], row.get("maximum", row["q3"])]
        yield Look(where, "" if _ascending(order) else f"median {row['median']:g} with quartiles {_shown(order)}")


def estimates_in_intervals(report: Report) -> Iterator[Look]:
    """Every estimate between its limits."""
    for name, table in report.tables.items():
        done: set[str] = set()
        for estimate, lower, upper in ESTIMATES:
            if lower not in done and {estimate, lower, upper} <= set(table.columns):
                done.add(lower)
                for where, row in report.known(name, estimate, lower, upper):
                    inside = _ascending([row[lower], row[estimate], row[upper]])
                    limits = f"{row[lower]:g} to {row[upper]:g}"
                    yield Look(where, "" if inside else f"{estimate} {row[estimate]:g} not within {limits}")


def shares_of_counts(report: Report) -> Iterator[Look]:
    """Every observed proportion a whole number of its n, and the number that stands beside it."""
    for where, row in report.rows("proportion", "n"):
        count = row["proportion"] * row["n"]
        beside = next((row[name] for name in NUMERATORS if pd.notna(row.get(name))), round(count))
        right = _pooled(row) or (_same(count, round(count)) and _same(round(count), beside))
        yield Look(where, "" if right else f"{beside:g} of {row['n']:g} is not {row['proportion']:.6g}")
    for where, row in report.rows("share", "n"):
        count = row["share"] * row["n"]
        right = _pooled(row) or _same(count, round(count))
        yield Look(where, "" if right else f"{row['share']:.6g} is no count of {row['n']:g}")


def within_zero_and_one(report: Report) -> Iterator[Look]:
    """P values and proportions between 0 and 1."""
    for column in SHARES:
        for where, row in report.rows(column):
            yield Look(where, "" if -TOLERANCE <= row[column] <= 1 + TOLERANCE else f"{column} is {row[column]:g}")
    for chapter, numbers in report.numbers.items():
        for name, value in numbers.items():
            if P_NAME.fullmatch(name) and isinstance(value, float):
                yield Look(f"{chapter}, {name}", "" if 0 <= value <= 1 else f"P is {value:g}")


def sums_that_add_up(report: Report) -> Iterator[Look]:
    """The parts of `SUMS` and the states of the patients at every visit."""
    for one in SUMS:
        yield from _sum(report, one)
    attended: dict[str, int] = {}
    for name, n in report.numbers.get("01_cohort", {}).items():
        if (state := STATE.fullmatch(name)) and isinstance(n, int):
            attended[state[2]] = attended.get(state[2], 0) + n
    for visit, n in attended.items():
        wrong = f"{n} patients in all states at {visit}, not {report.patients:g}"
        yield Look("01_cohort, flow", "" if n == report.patients else wrong)


def no_more_than_the_cohort(report: Report) -> Iterator[Look]:
    """No number of patients above that of the cohort."""
    for column in COUNTS:
        for where, row in report.rows(column):
            right = 0 <= row[column] <= report.patients or math.isnan(report.patients)
            yield Look(where, "" if right else f"{column} is {row[column]:g} of {report.patients:g} patients")


def p_from_its_statistic(report: Report) -> Iterator[Look]:
    """The two-sided P value of a t statistic and its degrees of freedom."""
    from scipy.special import stdtr

    for where, row in report.rows("estimate", "statistic", "df", "p"):
        p = 2 * float(stdtr(row["df"], -abs(row["statistic"])))
        agree = math.isclose(p, row["p"], rel_tol=1e-6, abs_tol=1e-12)
        yield Look(where, "" if agree else f"P {row['p']:.6g}, by its statistic {p:.6g}")


def p_beside_its_interval(report: Report) -> Iterator[Look]:
    """P at most alpha where the interval of the same test leaves out zero, and only there."""
    level = report.numbers.get("00_summary", {}).get("level")
    if level is not None:
        for where, row in report.rows("estimate", "lower", "upper", "statistic", "df", "p"):
            yield Look(where, _against(row, 1 - level, 1))
    for where, row in report.rows("shift", "lower", "upper", "achieved", "p"):
        yield Look(where, _against(row, 1 - row["achieved"], CONSERVATIVE))


def sentences_from_tables(report: Report) -> Iterator[Look]:
    """Numbers in sentences equal to the cells of the tables they are from."""
    for said in SAID:
        yield from _said(report, said)


def first_page_from_chapters(report: Report) -> Iterator[Look]:
    """Numbers of the first page equal to those of the same name in the chapters."""
    chapters = {name: numbers for name, numbers in report.numbers.items() if name[:3] != "00_"}
    for first in report.numbers.keys() - chapters.keys():
        for name, value in report.numbers[first].items():
            found = [numbers[name] for numbers in chapters.values() if name in numbers]
            if found and isinstance(value, int | float):
                agree = any(isinstance(other, int | float) and _same(value, other) for other in found)
                yield Look(f"{first}, {name}", "" if agree else f"{value:g} here, {found[0]} in its chapter")


def printed_percentages(report: Report) -> Iterator[Look]:
    """Every printed `7/18 (39%)`: at most all, and the percentage that the two numbers give."""
    for chapter, text in report.texts.items():
        for k, n, whole, decimals in COUNT.findall(text):
            printed, half = float(f"{whole}.{decimals or 0}"), 0.5 / 10 ** len(decimals)
            right = int(k) <= int(n) and int(n) and abs(printed - 100 * int(k) / int(n)) <= half + TOLERANCE
            yield Look(f"{chapter}, text", "" if right else f"{k}/{n} is printed as {printed:g}%")


def printed_p(report: Report) -> Iterator[Look]:
    """No printed `P = .000` and none above 1."""
    for chapter, text in report.texts.items():
        for whole, decimals in P_VALUE.findall(text):
            p = float(f"{whole or 0}.{decimals}")
            yield Look(f"{chapter}, text", "" if 0 < p <= 1 else f"P is printed as {whole}.{decimals}")


CHECKS = (
    Check("Quartiles", quartiles_in_order),
    Check("Intervals", estimates_in_intervals),
    Check("Percentages", shares_of_counts),
    Check("Bounds", within_zero_and_one),
    Check("Sums", sums_that_add_up),
    Check("Patients", no_more_than_the_cohort),
    Check("P and statistic", p_from_its_statistic),
    Check("P and interval", p_beside_its_interval),
    Check("Sentences", sentences_from_tables),
    Check("First page", first_page_from_chapters),
    Check("Printed percentages", printed_percentages),
    Check("Printed P", printed_p),
)


def _against(row: Row, alpha: float, slack: float) -> str:
    outside, inside = row["lower"] > 0 or row["upper"] < 0, row["lower"] < 0 < row["upper"]
    wrong = (outside and row["p"] > slack * alpha + TOLERANCE) or (inside and row["p"] < alpha / slack - TOLERANCE)
    return f"P {row['p']:.4g} beside the interval {row['lower']:g} to {row['upper']:g}" if wrong else ""


def _pooled(row: Row) -> bool:
    """Whether a proportion is a mean over imputations, and no count."""
    return row.get("missing") == "mi"


def _sum(report: Report, one: Sum) -> Iterator[Look]:
    table = report.tables.get(one.table, pd.DataFrame())
    needed = {*one.parts, *one.by, *([] if one.total == PATIENTS else [one.total])}
    if not needed <= set(table.columns):
        return
    parts = table[list(one.parts)].apply(pd.to_numeric, errors="coerce").sum(axis=1, skipna=False)
    whole = table[one.total] if one.total != PATIENTS else report.patients_of(table)
    rows = pd.DataFrame({"parts": parts, "whole": pd.to_numeric(whole, errors="coerce")})
    if one.added:
        by = [*one.by, *(["arm"] if "arm" in table else [])]
        keys = [table[name] for name in by] or [pd.Series("all", index=table.index)]
        together = rows.groupby(keys, sort=False)
        rows = pd.DataFrame({"parts": together["parts"].sum(min_count=1), "whole": together["whole"].first()})
    for place, row in rows.dropna().iterrows():
        where = f"{one.table}.csv, {place}" if one.added else f"{one.table}.csv, row {int(str(place)) + 2}"
        wrong = f"{' + '.join(one.parts)} is {row['parts']:g}, not {row['whole']:g}"
        yield Look(where, "" if _same(row["parts"], row["whole"]) else wrong)


def _said(report: Report, said: Said) -> Iterator[Look]:
    numbers, table = report.numbers.get(said.chapter, {}), report.tables.get(said.table, pd.DataFrame())
    for row in table.to_dict("records"):
        for column, name in said.names(row).items():
            value, cell = numbers.get(name), row.get(column)
            if isinstance(value, int | float) and isinstance(cell, int | float) and not math.isnan(cell):
                wrong = f"{name} is {value:g}, in {said.table}.csv {cell:g}"
                yield Look(f"{said.chapter}, {name}", "" if _same(value, cell) else wrong)


def _printed(ran: Ran) -> str:
    outputs = [output for cell in ran.notebook.cells for output in cell.get("outputs", ())]
    shown = " ".join(output.get("data", {}).get("text/html", "") for output in outputs)
    return html.unescape(re.sub(r"<[^>]*>", " ", re.sub(r"<svg.*?</svg>", " ", shown, flags=re.DOTALL)))


def _same(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=TOLERANCE, abs_tol=TOLERANCE)


def _ascending(values: Sequence[float]) -> bool:
    known = [value for value in values if not math.isnan(value)]
    return all(low <= high or _same(low, high) for low, high in pairwise(known))


def _shown(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)
