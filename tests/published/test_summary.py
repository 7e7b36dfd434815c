"""The published table as a file: what is refused, and how printed figures are read."""

from pathlib import Path
from typing import Any

import pytest

from easitrace.errors import ParameterError
from easitrace.published.printed import printed
from easitrace.published.summary import Summary, read_summary

GOOD = """\
study: small
source: a test
seed: 1
patients: 20
visits:
  start: {week: 0, n: 20, median: "12.8"}
  end: {week: 12, n: 18, median: {assumed: "6.2"}}
tests:
  - {visit: end, against: start, p: "< .001"}
"""

FAULTS = [
    ('median: "12.8"', "median: 12.8", r"visits.start.median: .*put a printed figure in quotes"),
    ('median: "12.8"', 'middle: "12.8"', r"visits.start.middle: Extra inputs are not permitted"),
    ('median: "12.8"', 'median: "about 13"', "is no printed figure; write e.g. 12.8"),
    ("n: 18", 'n: "18.5"', "'18.5' is no count"),
    ("n: 18", "n: true", "put a printed figure in quotes"),
    ("against: start", "against: begin", "'begin' is no visit; the visits are start, end"),
    ("week: 12", "week: 0", "list them in time order"),
    ("seed: 1", "seed: -1", "greater than or equal to 0"),
    ("seed: 1\n", "", "seed: Field required"),
    ("patients: 20", "patients: 20\npatients: 21", "not valid YAML.*duplicate key"),
    ("study: small", "study: [small", "not valid YAML"),
    ("study: small", "study: Small Study", "study: String should match pattern"),
    ("seed: 1", "seed: 1\noutcome: easy", "'easy' is no instrument; known are easi"),
    ("tests:", "responses: [{criterion: easi.5, visit: end, count: 3}]\ntests:", "did you mean easi50"),
    ("tests:", "responses: [{criterion: dlqi50, visit: end, count: 3}]\ntests:", "'dlqi50' is not about easi"),
    (
        "tests:",
        "classes: {criterion: easi50, decision_week: 8, estimand: composite, counts: {responder: 7}}\ntests:",
        "decision_week 8 is no visit's week",
    ),
    (
        "tests:",
        "classes: {criterion: easi50, decision_week: 12, estimand: composite, counts: {respondent: 7}}\ntests:",
        "counts.respondent.*: Input should be 'responder'",
    ),
]


def read(text: str, folder: Path) -> Summary:
    path = folder / "table.yml"
    path.write_text(text, encoding="utf-8")
    return read_summary(path)


def test_a_good_table_is_read(tmp_path: Path) -> None:
    summary = read(GOOD, tmp_path)
    assert summary.n == 20
    assert summary.visits["start"].given()["median"].text == "12.8"
    assert summary.visits["end"].given()["median"].assumed
    assert not summary.visits["end"].n.assumed


@pytest.mark.parametrize(("old", "new", "message"), FAULTS)
def test_a_fault_is_refused_and_named(old: str, new: str, message: str, tmp_path: Path) -> None:
    assert old in GOOD
    with pytest.raises(ParameterError, match=message) as raised:
        read(GOOD.replace(old, new, 1), tmp_path)
    assert {problem.code for problem in raised.value.problems} == {"E280"}
    assert all("table.yml" in problem.where for problem in raised.value.problems)


@pytest.mark.parametrize("content", [b"", b"- a\n", b"\xff\xfe\x00", b"a: 1\n" * 100_000])
def test_a_file_that_is_no_table(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "table.yml"
    path.write_bytes(content)
    with pytest.raises(ParameterError, match=r"E280 .*table\.yml"):
        read_summary(path)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"E280 .*nowhere\.yml: No such file"):
        read_summary(tmp_path / "nowhere.yml")


@pytest.mark.parametrize(
    ("text", "agreeing", "other"),
    [
        ("12.8", [12.75, 12.8, 12.85], [12.74, 12.86]),
        ("= .003", [0.0025, 0.003, 0.00349], [0.0024, 0.0036]),
        ("<.001", [0.0, 0.00099], [0.0011]),
        ("> .05", [0.06, 1.0], [0.04]),
        ("84 %", [84.0, 83.5, 84.49], [83.4, 84.6]),
        ("-1.50", [-1.505, -1.5], [-1.49, 1.5]),
        ("30", [29.5, 30.5], [29.4]),
    ],
)
def test_what_agrees_with_a_printed_figure(text: str, agreeing: list[float], other: list[float]) -> None:
    figure = printed(text)
    assert all(figure.agrees(value) for value in agreeing)
    assert not any(figure.agrees(value) for value in other)


@pytest.mark.parametrize("text", ["", ".", "= ", "12,8", "1e3", "12.8.1", "~ 3", "nan"])
def test_what_is_no_printed_figure(text: str) -> None:
    with pytest.raises(ValueError, match="is no printed figure"):
        printed(text)


def test_any_outcome_can_be_declared() -> None:
    instrument = {"name": "qol", "minimum": 0, "maximum": 100, "grid": 1, "better": "higher"}
    visits: dict[str, Any] = {"start": {"week": 0, "n": 5, "median": "40"}}
    summary = Summary.model_validate(
        {
            "study": "s",
            "source": "",
            "seed": 0,
            "patients": 5,
            "outcome": "qol",
            "instrument": instrument,
            "visits": visits,
        }
    )
    assert summary.measure().better == "higher"
