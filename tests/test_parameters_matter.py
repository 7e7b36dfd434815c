"""Changing a parameter changes what a chapter shows: there is no option that does nothing."""

import json
from pathlib import Path
from typing import Any

import pytest

from chapters import run_chapter
from easitrace.parameters import Parameters

ROWS = """patient;visit;when;score;age;sex
A;v1;01-02-2024;{a};41;M
A;v2;01-03-2024;4,5;41;M
A;v3;02-05-2024;3,5;41;M
B;v1;03-02-2024;22,0;33;V
B;v2;04-03-2024;-9;33;V
B;v3;03-05-2024;20,5;33;V
C;v1;05-02-2024;16,5;57;V
C;v2;04-03-2024;7,5;57;V
C;v3;02-05-2024;15,5;57;V
D;v1;05-02-2024;30,5;29;M
D;v2;05-03-2024;9,5;29;M
D;v3;06-05-2024;8,0;29;M
E;v1;05-02-2024;11,0;62;M
E;v2;05-03-2024;10,5;62;M
E;v3;09-05-2024;12,5;62;M
"""

CHANGED: list[tuple[str, str, dict[str, Any]]] = [
    ("01_cohort", "drug", {"drug": "upadacitinib"}),
    ("01_cohort", "quartiles", {"quartiles": "weibull"}),
    ("01_cohort", "style", {"style": {"decimal": ","}}),
    ("02_course", "estimand", {"estimand": "composite"}),
    ("02_course", "level", {"level": 0.9}),
    ("02_course", "context", {"context": False}),
    ("02_course", "seed", {"seed": 7}),
    ("02_course", "outcome", {"outcome": "poem"}),
    ("03_trajectory", "decision_week", {"decision_week": 4}),
    ("03_trajectory", "scale", {"scale": "sqrt"}),
    ("03_trajectory", "covariates", {"covariates": ["age"]}),
    ("03_trajectory", "covariance", {"covariance": "csh"}),
    ("03_trajectory", "df", {"df": "satterthwaite"}),
    ("04_response", "criterion", {"criterion": "easi75"}),
    ("04_response", "loss_rule", {"loss_rule": "half_of_best"}),
    ("04_response", "interval", {"interval": "clopper-pearson"}),
    ("04_response", "missing", {"missing": "nri"}),
    ("04_response", "scale", {"scale": "sqrt"}),
    ("04_response", "covariance", {"covariance": "csh"}),
    ("04_response", "df", {"df": "satterthwaite"}),
    ("04_response", "seed", {"seed": 7}),
    ("05_classes", "max_classes", {"max_classes": 2}),
    ("05_classes", "starts", {"starts": 20}),
    ("06_patient_reported", "decision_week", {"decision_week": 4}),
    ("06_patient_reported", "estimand", {"estimand": "composite"}),
    ("06_patient_reported", "level", {"level": 0.9}),
    ("06_patient_reported", "interval", {"interval": "clopper-pearson"}),
    ("06_patient_reported", "quartiles", {"quartiles": "weibull"}),
    ("07_treatment", "drug", {"drug": "upadacitinib"}),
    ("07_treatment", "level", {"level": 0.9}),
    ("07_treatment", "criterion", {"criterion": "easi75"}),
    ("07_treatment", "interval", {"interval": "clopper-pearson"}),
    ("07_treatment", "quartiles", {"quartiles": "weibull"}),
    ("08_sensitivity", "missing", {"missing": "nri"}),
    ("08_sensitivity", "imputations", {"imputations": 5}),
    ("00_summary", "published", {"published": None}),
    ("00_summary", "missing", {"missing": "mi"}),
]
OF_IMPUTATIONS: list[tuple[str, Any]] = [
    ("imputations", 5),
    ("seed", 7),
    ("scale", "sqrt"),
    ("covariance", "csh"),
    ("covariates", ["age"]),
    ("estimand", "composite"),
]
ARMS: dict[str, Any] = {"arm": "sex", "reference_arm": "female", "covariance": "cs"}
OF_ARMS: list[tuple[str, Any]] = [
    ("arm", "ciclosporin"),
    ("reference_arm", "male"),
    ("strata", ["corticosteroids"]),
    ("baseline", "own"),
    ("covariance_by_arm", True),
]
OF_FILES: list[tuple[str, dict[str, Any]]] = [
    ("data", {"data": "other.csv"}),
    ("columns", {"columns": {"patient": "patient", "visit": "visit", "date": "when", "easi": "score"}}),
    ("values", {"values": {"sex": {"M": "man", "V": "woman"}}}),
    ("visits", {"visits": {"v1": 0, "v2": 4, "v3": 16}}),
    ("missing_codes", {"missing_codes": ["-9", "22,0"]}),
    ("missing_codes", {"missing_codes": {"-9": "not done"}}),
    ("instrument", {"instrument": {"name": "easi", "label": "Hand", "minimum": 0, "maximum": 90, "grid": 0.5}}),
    ("windows", {"windows": {"v1": [-3, 3], "v2": [20, 28], "v3": [80, 100]}}),
    ("several", {"several": "worst"}),
    ("visit_data", {"visit_data": ["itch.csv"]}),
    ("patient_data", {"patient_data": "people.csv"}),
    ("event_data", {"event_data": "events.csv"}),
    ("only", {"only": {"sex": ["M"]}}),
    ("data_cut", {"data_cut": "2024-05-31"}),
]
FURTHER = {
    "itch.csv": "patient;when;itch\nA;01-02-2024;7\n",
    "people.csv": "patient;weight\nA;70\nZ;80\n",
    "events.csv": "patient;event\nA;acne\n",
    "twice.csv": ROWS.format(a="18,0") + "A;v2;28-02-2024;9,5;41;M\n",
}
REFUSED = [("delimiter", ","), ("encoding", "utf-16"), ("decimal", "."), ("date_format", "yyyy-mm-dd")]
REFUSED += [("format", "excel"), ("sheet", "Visits"), ("header_row", 3)]
REFUSED += [("data_cut", "2024-05-08"), ("unscheduled", ["extra"]), ("age_group", "adult")]
ELSEWHERE = {
    "study": "the folder's name",
    "title": "the page's title",
    "show_code": "whether code is shown",
    "formats": "files",
}
ELSEWHERE |= {"disclosure": "whether share/ is written", "min_cell": "what share/ masks"}


@pytest.fixture(scope="module")
def shown() -> dict[str, str]:
    return {}


@pytest.mark.parametrize(("chapter", "parameter", "change"), CHANGED, ids=[name for _, name, _ in CHANGED])
def test_a_change_is_seen(
    chapter: str, parameter: str, change: dict[str, Any], shown: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if chapter not in shown:
        shown[chapter] = run_chapter(chapter, monkeypatch)
    assert run_chapter(chapter, monkeypatch, **change) != shown[chapter]


def imputed_shares(monkeypatch: pytest.MonkeyPatch, **change: Any) -> dict[str, Any]:
    numbers = json.loads(run_chapter("04_response", monkeypatch, missing="mi", **change).rsplit("\n", 1)[1])
    return {name: value for name, value in numbers.items() if name.startswith("rule_share")}


@pytest.mark.slow
@pytest.mark.parametrize(("parameter", "value"), OF_IMPUTATIONS, ids=[name for name, _ in OF_IMPUTATIONS])
def test_imputed_shares_follow_the_model(parameter: str, value: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    before = imputed_shares(monkeypatch)
    assert before and imputed_shares(monkeypatch, **{parameter: value}) != before


@pytest.mark.parametrize(("parameter", "value"), OF_ARMS, ids=[name for name, _ in OF_ARMS])
def test_a_change_of_the_arms_is_seen(
    parameter: str, value: Any, shown: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if "arms" not in shown:
        shown["arms"] = run_chapter("03_trajectory", monkeypatch, **ARMS)
    change = {"arm": value, "reference_arm": "yes"} if parameter == "arm" else {parameter: value}
    assert run_chapter("03_trajectory", monkeypatch, **{**ARMS, **change}) != shown["arms"]


@pytest.fixture
def reading(tmp_path: Path) -> dict[str, Any]:
    """A file that is read as its parameters say."""
    (tmp_path / "data.csv").write_text(ROWS.format(a="18,0"), encoding="utf-8")
    (tmp_path / "other.csv").write_text(ROWS.format(a="28,0"), encoding="utf-8")
    return {
        "data": str(tmp_path / "data.csv"),
        "columns": {"patient": "patient", "date": "when", "easi": "score", "age": "age", "sex": "sex"},
        "values": {"sex": {"M": "male", "V": "female"}},
        "visits": {"v1": 0, "v2": 4, "v3": 12},
        "windows": {"v1": [-3, 3], "v2": [20, 40], "v3": [80, 100]},
        "delimiter": ";",
        "decimal": ",",
        "date_format": "dd-mm-yyyy",
        "missing_codes": ["-9"],
        "style": {},
    }


@pytest.mark.parametrize(("parameter", "change"), OF_FILES, ids=[name for name, _ in OF_FILES])
def test_a_change_of_the_reading_is_seen(
    parameter: str, change: dict[str, Any], reading: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if parameter == "data":
        change = {"data": str(tmp_path / "other.csv")}
    for name, text in FURTHER.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    if parameter in ("patient_data", "event_data"):
        change = {parameter: str(tmp_path / change[parameter])}
    if parameter == "visit_data":
        change = {parameter: [str(tmp_path / name) for name in change[parameter]]}
    if parameter == "several":
        reading = {**reading, "data": str(tmp_path / "twice.csv")}
    if parameter == "columns":
        change = {"columns": {key: value for key, value in reading["columns"].items() if key != "age"}}
    if parameter == "instrument":
        change = {"instrument": {**change["instrument"], "better": "lower"}}
    chapter = "02_course" if parameter == "visits" else "01_cohort"
    before = run_chapter(chapter, monkeypatch, **reading)
    assert run_chapter(chapter, monkeypatch, **{**reading, **change}) != before


@pytest.mark.parametrize(("parameter", "wrong"), REFUSED)
def test_a_wrong_reading_is_refused(
    parameter: str, wrong: Any, reading: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    from easitrace.errors import EasitraceError

    with pytest.raises(EasitraceError):
        run_chapter("01_cohort", monkeypatch, **{**reading, parameter: wrong})


def test_no_parameter_is_forgotten() -> None:
    tried = {name for _, name, _ in CHANGED} | {name for name, _ in OF_FILES} | {name for name, _ in REFUSED}
    tried |= {name for name, _ in OF_ARMS}
    assert tried | set(ELSEWHERE) == set(Parameters.model_fields)
