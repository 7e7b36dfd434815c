"""The parameter file: strict YAML, every problem at once with its line, nothing ignored, nothing guessed."""

import dataclasses
import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from easitrace.cohort.formats.options import NAMES
from easitrace.cohort.profiles import PROFILES
from easitrace.covariance import STRUCTURES
from easitrace.errors import CODES, ParameterError
from easitrace.models.inference import DfMethod
from easitrace.parameters import Parameters, check_parameters, read_parameters
from easitrace.parameters.model import BaselineRule, Covariance, DegreesOfFreedom, Disclosure, Format, StyleEntry
from easitrace.report.disclosure.profiles import INTERNAL, THRESHOLDS
from easitrace.report.style import Style
from easitrace.response import arms

ROOT = Path(__file__).parents[1]
DEFAULT = ROOT / "parameters" / "baricitinib.yml"
GOOD: dict[str, Any] = {
    "study": "x",
    "title": "A title",
    "data": "baricitinib",
    "decision_week": 12,
    "estimand": "composite",
    "seed": 1,
}
FILE = {"data": "cohort.csv", "visits": {"0": 0, "4": 4, "12": 12}}
BUILT_IN_TEXT = "study: x\ntitle: t\ndata: baricitinib\ndecision_week: 12\nestimand: composite\nseed: 1\n"
FILE_TEXT = (
    "study: x\ntitle: t\ndata: cohort.csv\ndecision_week: 12\nestimand: composite\nseed: 1\n"
    "columns:\n  patient: id\n  visit: visit\nvisits:\n  '0': 0\n  '4': 4\n  '12': 12\n"
)


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "x.yml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def problems(folder: Path, text: str | bytes) -> list[str]:
    with pytest.raises(ParameterError) as refused:
        read_parameters(written(folder, text))
    return [str(problem).replace(f"{folder}/", "") for problem in refused.value.problems]


# --- The file that ships ---


def test_the_default_study_is_valid() -> None:
    parameters = read_parameters(DEFAULT)
    assert (parameters.study, parameters.data, parameters.decision_week) == ("baricitinib", "baricitinib", 12)
    assert parameters.built_in


def test_the_default_file_explains_every_parameter_and_is_short() -> None:
    text = DEFAULT.read_text(encoding="utf-8")
    for name in Parameters.model_fields:
        assert re.search(rf"^ *(# +)?{name}:", text, flags=re.MULTILINE), name
    assert len(text.splitlines()) < 120


def test_the_default_file_states_the_defaults() -> None:
    required = {"study", "title", "data", "decision_week", "estimand", "seed"}
    assert {name for name, field in Parameters.model_fields.items() if field.is_required()} == required
    given_values = read_parameters(DEFAULT).model_dump()
    chosen = {name for name in given_values if name not in required | {"drug", "published"}}
    defaults = Parameters(**GOOD).model_dump()
    assert {name: given_values[name] for name in chosen} == {name: defaults[name] for name in chosen}


def test_the_commented_file_example_is_valid_when_its_comments_are_taken_away(tmp_path: Path) -> None:
    text = DEFAULT.read_text(encoding="utf-8").replace("data: baricitinib", "data: cohort.csv")
    start, end = text.index("# delimiter"), text.index("# --- Outcome")
    text = text[:start] + re.sub(r"^# ", "", text[start:end], flags=re.MULTILINE) + text[end:]
    parameters = read_parameters(written(tmp_path, text))
    assert parameters.windows == {"0": [-14, 0], "4": [14, 42], "12": [56, 112]}
    assert parameters.missing_codes == ["-99", "ND"]
    levels = {"excellent": "0", "very good": "1", "good": "2", "fair": "3", "poor": "4"}
    words = {"sex": {"V": "female", "M": "male"}, "stop_reason": {"bijwerking": "side effects"}}
    assert parameters.values == words | {"patient_global": levels}


# --- Strict YAML 1.2 ---


@pytest.mark.parametrize(
    ("scalar", "value"),
    [("no", "no"), ("yes", "yes"), ("on", "on"), ("1:30", "1:30"), ("2020-01-01", "2020-01-01"), ("1_000", "1_000"),
     ("'12'", "12"), ('"~"', "~")],
)  # fmt: skip
def test_what_is_text_in_yaml_1_2_stays_text(tmp_path: Path, scalar: str, value: str) -> None:
    assert read_parameters(written(tmp_path, BUILT_IN_TEXT + f"drug: {scalar}\n")).drug == value


@pytest.mark.parametrize(
    ("scalar", "value"), [("010", 10), ("0o10", 8), ("0x10", 16), ("+5", 5), ("007", 7), ("-0", 0)]
)
def test_whole_numbers_of_yaml_1_2(tmp_path: Path, scalar: str, value: int) -> None:
    assert read_parameters(written(tmp_path, BUILT_IN_TEXT.replace("seed: 1", f"seed: {scalar}"))).seed == value


@pytest.mark.parametrize(("scalar", "value"), [("9e-1", 0.9), (".9", 0.9), ("9.0E-1", 0.9), ("0.90", 0.9)])
def test_numbers_of_yaml_1_2(tmp_path: Path, scalar: str, value: float) -> None:
    assert read_parameters(written(tmp_path, BUILT_IN_TEXT + f"level: {scalar}\n")).level == value


@pytest.mark.parametrize(("scalar", "value"), [("true", True), ("False", False), ("TRUE", True)])
def test_truth_values_of_yaml_1_2(tmp_path: Path, scalar: str, value: bool) -> None:
    assert read_parameters(written(tmp_path, BUILT_IN_TEXT + f"show_code: {scalar}\n")).show_code is value


def test_codes_labels_and_recodes_are_taken_as_written(tmp_path: Path) -> None:
    more = "missing_codes: [-099, 1e3, no, NULL, ~]\nvalues:\n  visit: {01: 0, 1e1: '4', x: , y: null, z: 'null'}\n"
    parameters = read_parameters(written(tmp_path, FILE_TEXT.replace("'4': 4", "04: 4") + more))
    assert parameters.missing_codes == ["-099", "1e3", "no", "NULL", "~"]
    assert parameters.values == {"visit": {"01": "0", "1e1": "4", "x": "", "y": "", "z": "null"}}
    assert parameters.visits == {"0": 0, "04": 4, "12": 12}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", "E102 x.yml: the file is empty"),
        ("# only a comment\n", "E102 x.yml: the file is empty"),
        ("- study\n- title\n", "E102 x.yml line 1: a list or a value stands at the top"),
        ("study\n", "E102 x.yml line 1: a list or a value stands at the top"),
        ("study: x\ntitle: a: b\n", "E102 x.yml line 2: not valid YAML"),
        ("study: [x\n", "E102 x.yml line 2: not valid YAML"),
        ("study: 'x\n", "E102 x.yml line 2: not valid YAML"),
        ("study: x\n\ttitle: t\n", "E102 x.yml line 2: not valid YAML"),
        ("study: x\ntitle: t\nstudy: y\n", "E102 x.yml line 3: key study stands twice; first on line 1"),
        ("study: &a x\ntitle: t\n", "E102 x.yml line 1: an anchor or alias"),
        ("study: &a x\ntitle: *a\n", "E102 x.yml line 2: an anchor or alias"),
        ("study: !!str 5\n", "E102 x.yml line 1: a tag"),
        ("study: !python/object:os.system x\n", "E102 x.yml line 1: a tag"),
        ("%YAML 1.1\n---\nstudy: x\n", "E102 x.yml line 2: a YAML directive"),
        ("study: x\n---\nstudy: y\n", "E102 x.yml line 2: a second document starts"),
        ("? [a]\n: b\n", "E102 x.yml line 1: a key is a list or a mapping"),
        ("study: " + "[" * 100_000, "E102 x.yml line 1: nested deeper than 8 levels"),
        ("study: x\x01\n", "E102 x.yml: not valid YAML: unacceptable character"),
        ('study: "x\\0"\n', "E102 x.yml line 1: a control character"),
        ('title: "\\ud800"\n', "E102 x.yml line 1: a control character"),
        (b"study: x\ntitle: \xe9\n", "E101 x.yml line 2: the text is not UTF-8"),
        ("study: x\n".encode("utf-16"), "E101 x.yml line 1: the text is not UTF-8"),
        ("# " + "x" * 256 * 1024, "E101 x.yml: larger than 256 KiB"),
    ],
)
def test_what_is_not_strict_yaml_is_refused(tmp_path: Path, text: str | bytes, expected: str) -> None:
    assert any(problem.startswith(expected) for problem in problems(tmp_path, text))


def test_a_nested_duplicate_key_is_seen(tmp_path: Path) -> None:
    found = problems(tmp_path, FILE_TEXT.replace("  '4': 4\n", "  '4': 4\n  '4': 5\n"))
    assert found == ["E102 x.yml line 13: key 4 stands twice; first on line 12; keep one"]


@pytest.mark.parametrize("text", ["\ufeff" + BUILT_IN_TEXT, BUILT_IN_TEXT.replace("\n", "\r\n"), BUILT_IN_TEXT[:-1]])
def test_bom_line_ends_and_a_missing_last_line_end_do_not_matter(tmp_path: Path, text: str) -> None:
    assert read_parameters(written(tmp_path, text)).study == "x"


def test_a_missing_file_is_named_with_its_neighbour(tmp_path: Path) -> None:
    written(tmp_path, BUILT_IN_TEXT)
    for wrong, remedy in ((tmp_path / "xx.yml", "did you mean"), (tmp_path / "no" / "x.yml", "no folder")):
        with pytest.raises(ParameterError, match="E101") as refused:
            read_parameters(wrong)
        assert remedy in str(refused.value)
    with pytest.raises(ParameterError, match="E101"):
        read_parameters(tmp_path)


# --- Every problem, with its line ---


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("covarance: us", "E103 x.yml line 7, key covarance: unknown parameter; did you mean covariance?"),
        ("Level: 0.9", "E103 x.yml line 7, key Level: unknown parameter; did you mean level?"),
        ('"a\\nb": 1', r"E103 x.yml line 7, key 'a\nb': unknown parameter"),
        ("__class__: 1", "E103 x.yml line 7, key __class__: unknown parameter"),
        ("level: 0.5", "E105 x.yml line 7, key level: 0.5: input should be greater than 0.5; write 0.95 for 95 %"),
        ("level: 5", "E105 x.yml line 7, key level: 5: input should be less than 1; write 0.95 for 95 %"),
        ("level: 95", "E105 x.yml line 7, key level: 95: input should be less than 1"),
        ("level: .nan", "E105 x.yml line 7, key level: '.nan' is not a number"),
        ("level: '0.9'", "E105 x.yml line 7, key level: '0.9' is not a number"),
        ("level: true", "E105 x.yml line 7, key level: True is not a number"),
        ("level: 1e999", "E105 x.yml line 7, key level: inf"),
        ("level:", "E105 x.yml line 7, key level: None is not a number"),
        ("show_code: no", "E105 x.yml line 7, key show_code: 'no' is not true or false"),
        ("show_code: 1", "E105 x.yml line 7, key show_code: 1 is not true or false"),
        ("drug: 5", "E105 x.yml line 7, key drug: 5 is not text; put it in quotes"),
        ("covariates: age", "E105 x.yml line 7, key covariates: 'age' is not a list"),
        ("covariates: [age, 1]", "E105 x.yml line 7, key covariates item 2: 1 is not text"),
        ("covariates: [Age]", "E105 x.yml line 7, key covariates item 1: 'Age' cannot be used here"),
        ("loss_rule: half", "E105 x.yml line 7, key loss_rule: 'half' is not allowed; "),
        ("covariance: toeplitz", "E105 x.yml line 7, key covariance: 'toeplitz' is not allowed; did you mean toep"),
        ("df: kenward", "E105 x.yml line 7, key df: 'kenward' is not allowed; did you mean kenward-roger?"),
        ("scale: log", "E105 x.yml line 7, key scale: 'log' is not allowed; did you mean log1p?"),
        ("interval: wald", "E105 x.yml line 7, key interval: 'wald' is not allowed; "),
        ("quartiles: type7", "E105 x.yml line 7, key quartiles: 'type7' is not allowed; "),
        ("criterion: easi0.75", "E105 x.yml line 7, key criterion: 'easi0.75' is not a response criterion"),
        ("criterion: esi75", "E106 x.yml line 7, key criterion: esi is no instrument; did you mean easi?"),
        ("criterion: easi>=7", "E105 x.yml line 7, key criterion: easi>=7 is a change for the worse"),
        ("outcome: easy", "E106 x.yml line 7, key outcome: easy is no instrument; did you mean easi?"),
        ("style: {digts: 1}", "E103 x.yml line 7, key style.digts: unknown parameter; did you mean digits?"),
        ("style: {digits: 9}", "E105 x.yml line 7, key style.digits: 9: input should be less than or equal to 6"),
        ("style: [1]", "E105 x.yml line 7, key style: [1] is not a mapping"),
        ("published: none.yml", "E105 x.yml line 7, key published: no file "),
        ("published: baricitinb", "E105 x.yml line 7, key published: no file "),
        ("visits: {'0': 0, '12': 12}", "E106 x.yml line 7, key visits: describes a file, but data is the built-in"),
        ("decimal: ','", "E106 x.yml line 7, key decimal: describes a file, but data is the built-in"),
        ("missing_codes: [-99]", "E106 x.yml line 7, key missing_codes: describes a file, but data is the built-in"),
    ],
)  # fmt: skip
def test_a_problem_of_the_built_in_study(tmp_path: Path, line: str, expected: str) -> None:
    found = problems(tmp_path, BUILT_IN_TEXT + line + "\n")
    assert len(found) == 1
    assert found[0].startswith(expected)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("study: x", "study: ../x", "E105 x.yml line 1, key study: '../x' cannot be used here; it names a folder"),
        ("study: x", "study: /tmp/x", "E105 x.yml line 1, key study"),
        ("study: x", "study: .", "E105 x.yml line 1, key study"),
        ("study: x", "study: {site}", "E105 x.yml line 1, key study"),
        ("study: x", "study: 'a b'", "E105 x.yml line 1, key study"),
        ("study: x", "study: 'é'", "E105 x.yml line 1, key study"),
        ("title: t", "title: ''", "E105 x.yml line 2, key title: not one line of text"),
        ("title: t", "title: 'a\n\n  b'", "E105 x.yml line 2, key title: not one line of text"),
        ("title: t", "title: 12", "E105 x.yml line 2, key title: 12 is not text; put it in quotes"),
        ("data: baricitinib", "data: baricitinb", "E105 x.yml line 3, key data: no built-in cohort is called "
         "baricitinb; did you mean baricitinib?"),
        ("week: 12", "week: 10", "E106 x.yml line 4, key decision_week: week 10 is not a planned week after baseline "
         "(4, 12); did you mean 12?"),
        ("week: 12", "week: 0", "E105 x.yml line 4, key decision_week: 0: input should be greater than 0"),
        ("week: 12", "week: twelve", "E105 x.yml line 4, key decision_week: 'twelve' is not a number"),
        ("composite", "compsite", "E105 x.yml line 5, key estimand: 'compsite' is not allowed; did you mean composite"),
        ("seed: 1", "seed: 1.5", "E105 x.yml line 6, key seed: 1.5 is not a whole number"),
        ("seed: 1", "seed: -1", "E105 x.yml line 6, key seed: -1: input should be greater than or equal to 0"),
        ("seed: 1", "seed: true", "E105 x.yml line 6, key seed: True is not a whole number"),
        ("study: x\n", "", "E104 x.yml line 5, key study: required and missing; add `study: ...`"),
        ("title: t\n", "", "E104 x.yml line 5, key title: required and missing"),
        ("data: baricitinib\n", "", "E104 x.yml line 5, key data: required and missing"),
        ("decision_week: 12\n", "", "E104 x.yml line 5, key decision_week: required and missing"),
        ("estimand: composite\n", "", "E104 x.yml line 5, key estimand: required and missing"),
        ("seed: 1\n", "", "E104 x.yml line 5, key seed: required and missing"),
    ],
)  # fmt: skip
def test_a_problem_of_a_required_parameter(tmp_path: Path, old: str, new: str, expected: str) -> None:
    found = problems(tmp_path, BUILT_IN_TEXT.replace(old, new, 1))
    assert len(found) == 1
    assert found[0].startswith(expected)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("visits:\n  '0': 0\n  '4': 4\n  '12': 12\n", "", "E104 x.yml line 9, key visits: required to read a file"),
        ("'4': 4", "'4': 14", "E106 x.yml line 13, key visits.12: week 12 does not come after week 14 of visit 4"),
        ("'4': 4", "'4': 0", "E106 x.yml line 12, key visits.4: week 0 does not come after week 0 of visit 0"),
        ("'0': 0", "'0': 1", "E106 x.yml line 11, key visits.0: the first visit is the baseline"),
        ("'4': 4", "'4': four", "E105 x.yml line 12, key visits.4: 'four' is not a number"),
        ("visit: visit", "visit: id", "E106 x.yml line 9, key columns.visit: column \"id\" already plays"),
        ("visit: visit", "Visit: visit", "E105 x.yml line 9, key columns.Visit: 'Visit' cannot be used here"),
        ("visit: visit", "visit: visit\n  week: w", "E106 x.yml line 10, key columns.week: visit is mapped too"),
        ("visit: visit", "day: a\n  date: b\ndate_format: dd-mm-yyyy\nwindows: {'0': [0, 0], '4': [28, 28], '12': "
         "[84, 84]}", "E106 x.yml line 9, key columns.day: date is mapped too"),
        ("visit: visit", "day: day", "E104 x.yml line 13, key windows: required when only day says which row"),
        ("visit: visit", "visit: visit\n  date: d", "E104 x.yml line 14, key date_format: required to read date"),
        ("seed: 1", "seed: 1\ndata_cut: 30-06-2021", "E105 x.yml line 7, key data_cut: \"30-06-2021\" is no day"),
        ("seed: 1", "seed: 1\ndata_cut: 2995-06-30", 'E105 x.yml line 7, key data_cut: "2995-06-30" lies in the fut'),
        ("seed: 1", "seed: 1\ndata_cut: '2; 3; 4'", 'E105 x.yml line 7, key data_cut: "2; 3; 4" is no day; write it'),
        ("seed: 1", "seed: 1\ndate_format: dd-mm-yyyy", "E106 x.yml line 7, key date_format: no date is under columns"),
        ("seed: 1", "seed: 1\ndelimiter: ','\ndecimal: ','", "E106 x.yml line 7, key delimiter: ',' is also the dec"),
        ("seed: 1", "seed: 1\ndelimiter: '; '", "E105 x.yml line 7, key delimiter: '; ' cannot separate fields"),
        ("seed: 1", "seed: 1\nencoding: utf-9", "E105 x.yml line 7, key encoding: 'utf-9' is no text encoding; did you "
         "mean utf-8?"),
        ("seed: 1", "seed: 1\nencoding: hex", "E105 x.yml line 7, key encoding: 'hex' is no text encoding"),
        ("seed: 1", "seed: 1\nmissing_codes: -99", "E105 x.yml line 7, key missing_codes: '-99' is not a list"),
        ("seed: 1", "seed: 1\nmissing_codes: {-99: [not, done]}", "E105 x.yml line 7, key missing_codes: "),
        ("data: cohort.csv", "data: https://x.nl/cohort.csv", "E105 x.yml line 3, key data: this is an address"),
        ("seed: 1", "seed: 1\nsheet: Visits", "E106 x.yml line 7, key sheet: a text file has none; remove it"),
        ("seed: 1", "seed: 1\nheader_row: 0", "E105 x.yml line 7, key header_row: "),
        ("seed: 1", "seed: 1\nformat: exel", "E105 x.yml line 7, key format: 'exel' is not allowed; did you mean exc"),
        ("seed: 1", "seed: 1\nformat: spss\ndelimiter: ';'", "E106 x.yml line 8, key delimiter: an SPSS file has none"),
        ("seed: 1", "seed: 1\nvalues: {sexe: {V: female}}", "E106 x.yml line 7, key values.sexe: sexe is not"),
        ("seed: 1", "seed: 1\ncriterion: itch_nrs<=4", "E106 x.yml line 7, key criterion: itch_nrs is not under colum"),
        ("seed: 1", "seed: 1\nwindows: {'0': [0, 0], '4': [28, 28], '12': [84, 84]}", "E106 x.yml line 7, key windows: "
         "neither date nor day is under columns"),
        ("seed: 1", "seed: 1\ninstrument: {name: hand, minimum: 0, maximum: 9, grid: 1, better: lower}",
         "E106 x.yml line 7, key instrument.name: declares hand, but outcome is easi"),
        ("seed: 1", "seed: 1\noutcome: hand\ncriterion: drop>=2", "E106 x.yml line 7, key outcome: hand is no"),
        ("seed: 1", "seed: 1\ninstrument: {name: easi, minimum: 9, maximum: 0, grid: 1, better: lower}",
         "E105 x.yml line 7, key instrument: minimum must be below maximum"),
        ("seed: 1", "seed: 1\ninstrument: {name: easi, minimum: 0, maximum: 9, grid: 0, better: lower}",
         "E105 x.yml line 7, key instrument.grid: 0: input should be greater than 0"),
        ("seed: 1", "seed: 1\ninstrument: {name: easi, minimum: 0, maximum: 9, grid: 1, better: less}",
         "E105 x.yml line 7, key instrument.better: 'less' is not allowed"),
        ("seed: 1", "seed: 1\nreference_arm: a", "E106 x.yml line 7, key reference_arm: is about arms"),
        ("seed: 1", "seed: 1\nbaseline: own", "E106 x.yml line 7, key baseline: is about arms, but there is no arm"),
        ("seed: 1", "seed: 1\nstrata: [a]", "E106 x.yml line 7, key strata: is about arms, but there is no arm"),
        ("seed: 1", "seed: 1\ncovariance_by_arm: true", "E106 x.yml line 7, key covariance_by_arm: is about arms"),
        ("seed: 1", "seed: 1\narm: a", "E104 x.yml line 14, key reference_arm: required with arm; name the arm"),
        ("seed: 1", "seed: 1\narm: a\nreference_arm: b\nstrata: [a]", "E106 x.yml line 9, key strata: a already is un"),
        ("seed: 1", "seed: 1\ncovariates: [easi]", "E106 x.yml line 7, key covariates: easi already is under outcome"),
        ("seed: 1", "seed: 1\ndisclosure: share-8\nmin_cell: 8", "E106 x.yml line 8, key min_cell: 8 is not above"),
        ("seed: 1", "seed: 1\nmin_cell: 9", "E106 x.yml line 7, key min_cell: nothing is masked in an internal report"),
        ("seed: 1", "seed: 1\nformats: [html, html]", "E105 x.yml line 7, key formats: not a list of different"),
        ("seed: 1", "seed: 1\nformats: []", "E105 x.yml line 7, key formats: not a list of different formats; write"),
        ("visit: visit", "visit: []", "E105 x.yml line 9, key columns.visit: [] names no column"),
        ("visit: visit\n", "visit: visit\n  date: d\ndate_format: dd-mm-yy\n", "E105 x.yml line 11, key date_format: "),
    ],
)  # fmt: skip
def test_a_problem_of_a_file(tmp_path: Path, old: str, new: str, expected: str) -> None:
    found = problems(tmp_path, FILE_TEXT.replace(old, new, 1))
    assert len(found) == 1
    assert found[0].startswith(expected)


@pytest.mark.parametrize(
    "more",
    [
        "arm: a\nreference_arm: b\nbaseline: covariate\nstrata: [c]\n",
        "disclosure: share-8\nmin_cell: 9\n",
        "formats: [html, docx]\n",
    ],
)
def test_what_goes_together_is_taken(tmp_path: Path, more: str) -> None:
    assert read_parameters(written(tmp_path, FILE_TEXT + more)).seed == 1


@pytest.mark.parametrize(("baseline", "sound"), [("covariate", False), ("common", True), ("own", True)])
def test_one_visit_after_baseline_leaves_nothing_to_adjust_over(tmp_path: Path, baseline: str, sound: bool) -> None:
    text = FILE_TEXT.replace("  '4': 4\n", "") + f"arm: a\nreference_arm: b\nbaseline: {baseline}\n"
    if sound:
        assert read_parameters(written(tmp_path, text)).baseline == baseline
    else:
        (problem,) = problems(tmp_path, text)
        assert problem.startswith("E106 x.yml line 15, key baseline: covariate models the visits after baseline")


def test_a_baseline_alone_is_no_course(tmp_path: Path) -> None:
    found = problems(tmp_path, FILE_TEXT.replace("  '4': 4\n  '12': 12\n", ""))
    assert "E106 x.yml line 10, key visits: only a baseline; add the visits that follow it" in found


def test_a_role_may_have_a_column_in_each_file(tmp_path: Path) -> None:
    parameters = read_parameters(written(tmp_path, FILE_TEXT.replace("visit: visit", "visit: [a, b]")))
    assert parameters.columns["visit"] == ["a", "b"]


@pytest.mark.parametrize("digits", [40, 5000])
def test_a_number_of_very_many_digits_is_text(tmp_path: Path, digits: int) -> None:
    (problem,) = problems(tmp_path, BUILT_IN_TEXT.replace("seed: 1", "seed: " + digits * "1"))
    assert problem.startswith("E105 x.yml line 6, key seed: ") and len(problem) < 200


def test_numbers_of_other_bases_are_whole_numbers(tmp_path: Path) -> None:
    for written_as, seed in (("0x1F", 31), ("0o17", 15), ("'31'", None)):
        text = BUILT_IN_TEXT.replace("seed: 1", f"seed: {written_as}")
        if seed is None:
            assert problems(tmp_path, text)[0].startswith("E105 x.yml line 6, key seed")
        else:
            assert read_parameters(written(tmp_path, text)).seed == seed


DATED = FILE_TEXT.replace("visit: visit", "visit: visit\n  day: day") + "windows:\n"


@pytest.mark.parametrize(
    ("windows", "expected"),
    [
        ("  '0': [-14, 0]\n  '4': [14, 60]\n  '12': [56, 112]\n",
         "E106 x.yml line 18, key windows.12: [56, 112] overlaps [14, 60] of visit 4; begin after day 60"),
        ("  '0': [-14, 0]\n  '4': [14, 56]\n  '12': [56, 112]\n", "E106 x.yml line 18, key windows.12: [56, 112] over"),
        ("  '0': [-14, 0]\n  '4': [42, 14]\n  '12': [56, 112]\n", "E105 x.yml line 17, key windows.4: [42, 14] is no"),
        ("  '0': [-14, 0]\n  '4': [14]\n  '12': [56, 112]\n", "E105 x.yml line 17, key windows.4: [14] is no window"),
        ("  '0': [-14, 0]\n  '4': [a, b]\n  '12': [56, 112]\n", "E105 x.yml line 17, key windows.4 item 1: 'a' is"),
        ("  '0': [-14, 0]\n  '4': [2, 6]\n  '12': [56, 112]\n",
         "E106 x.yml line 17, key windows.4: [2, 6] does not hold the planned day 28 (week 4)"),
        ("  '0': [-14, 0]\n  '12': [56, 112]\n", "E104 x.yml line 15, key windows.4: visit without a window"),
        ("  '0': [-14, 0]\n  '4': [14, 42]\n  '12': [56, 112]\n  '24': [150, 170]\n",
         "E106 x.yml line 19, key windows.24: no such visit; did you mean 4?"),
    ],
)  # fmt: skip
def test_a_problem_of_windows(tmp_path: Path, windows: str, expected: str) -> None:
    found = problems(tmp_path, DATED + windows)
    assert found[0].startswith(expected)


def test_all_problems_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    text = (
        "study: ../x\ntitle: 5\ndata: baricitinib\ndecision_week: 10\nestimand: compsite\ncovarance: us\n"
        "level: 5\nlevel: 6\ncriterion: easi0.75\nvisits: {'0': 0, '4': 4}\n"
    )
    found = problems(tmp_path, text)
    assert [re.match(r"(E\d+) x.yml line (\d+)", problem).groups() for problem in found] == [  # type: ignore[union-attr]
        ("E105", "1"), ("E105", "2"), ("E106", "4"), ("E105", "5"), ("E103", "6"), ("E105", "7"), ("E102", "8"),
        ("E105", "9"), ("E104", "10"), ("E106", "10"),
    ]  # fmt: skip


def test_every_code_is_in_the_table(tmp_path: Path) -> None:
    with pytest.raises(ParameterError) as refused:
        read_parameters(written(tmp_path, "a: 1\na: 2\nstudy: 5\n"))
    assert {problem.code for problem in refused.value.problems} <= set(CODES)
    assert refused.value.exit_code == 2


# --- Values ---


def test_paths_are_looked_for_beside_the_file_then_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    beside, here = tmp_path / "study", tmp_path / "here"
    beside.mkdir()
    here.mkdir()
    monkeypatch.chdir(here)
    path = written(beside, FILE_TEXT)
    assert read_parameters(path).data == str(beside / "cohort.csv")
    (here / "cohort.csv").touch()
    assert read_parameters(path).data == str(here / "cohort.csv")
    (beside / "cohort.csv").touch()
    assert read_parameters(path).data == str(beside / "cohort.csv")
    (beside / "summary.yml").touch()
    written(beside, FILE_TEXT + "published: summary.yml\n")
    assert read_parameters(path).published == str(beside / "summary.yml")


def test_the_arguments_of_read_cohort() -> None:
    assert check_parameters(GOOD).cohort_arguments() == {
        "outcome": "easi", "covariates": [], "arm": None, "reference_arm": None, "strata": [],
    }  # fmt: skip
    parameters = check_parameters({**GOOD, **FILE, "decimal": ",", "missing_codes": ["-99"]})
    arguments = parameters.cohort_arguments()
    assert arguments["visits"] == {"0": 0, "4": 4, "12": 12}
    assert (arguments["decimal"], arguments["missing_codes"], arguments["windows"]) == (",", ["-99"], None)
    assert set(arguments) == {
        "delimiter", "encoding", "decimal", "date_format", "missing_codes", "columns", "values", "visits", "windows",
        "data_cut", "instrument", "outcome", "covariates", "arm", "reference_arm", "strata", "format", "sheet",
        "header_row", "visit_data", "patient_data", "event_data", "several", "unscheduled", "age_group", "only",
    }  # fmt: skip


def test_chapters_get_plain_values() -> None:
    hand = {"name": "hand", "minimum": 0, "maximum": 10, "grid": 0.5, "better": "higher"}
    parameters = check_parameters({**GOOD, **FILE, "outcome": "hand", "criterion": "rise>=2", "instrument": hand})
    values = parameters.for_chapter(Parameters.model_fields)
    assert json.loads(json.dumps(values)) == values
    assert values["instrument"] == hand
    unlabelled = check_parameters({**values, "instrument": {**hand, "label": None}})
    assert unlabelled.for_chapter(["instrument"]) == {"instrument": hand}
    assert values["style"] == {}
    assert type(values["decision_week"]) is int
    assert check_parameters({**GOOD, "style": {"digits": 2}}).for_chapter(["style"]) == {"style": {"digits": 2}}


def test_an_unknown_name_of_a_chapter_is_refused() -> None:
    with pytest.raises(ParameterError, match="covarance: unknown parameter; did you mean covariance"):
        check_parameters(GOOD).for_chapter(["covarance", "df"])


def test_values_that_come_without_a_file_are_checked_too() -> None:
    with pytest.raises(ParameterError) as refused:
        check_parameters({**GOOD, "level": 5, "seed": "1", "covarance": "us"}, where="sweep")
    assert sorted(problem.where for problem in refused.value.problems) == [
        "sweep, key covarance",
        "sweep, key level",
        "sweep, key seed",
    ]


def test_contradictions_are_refused_by_the_model_itself() -> None:
    with pytest.raises(ValueError, match="not a planned week"):
        Parameters(**{**GOOD, "decision_week": 11})


def test_parameters_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        check_parameters(GOOD).seed = 2  # type: ignore[misc]


# --- One meaning everywhere ---


def test_choices_agree_with_the_rooms_that_honour_them() -> None:
    assert set(get_args(Covariance)) <= set(STRUCTURES)
    assert set(get_args(DegreesOfFreedom)) <= set(get_args(DfMethod))
    assert get_args(BaselineRule) == get_args(arms.BaselineRule)
    assert {*get_args(Format)} == {*NAMES, *PROFILES}
    assert {*get_args(Disclosure)} == {INTERNAL, *THRESHOLDS}


def test_style_has_the_fields_and_defaults_of_the_style_of_reports() -> None:
    known = {field.name: field.default for field in dataclasses.fields(Style)}
    assert {name: field.default for name, field in StyleEntry.model_fields.items()} == known


def test_names_are_names() -> None:
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", name) for name in Parameters.model_fields)
    assert all(field.description for field in Parameters.model_fields.values())


@settings(max_examples=200, deadline=None)
@given(text=st.text(max_size=60))
def test_no_text_gets_past_or_crashes_the_reader(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    folder = tmp_path_factory.getbasetemp()
    path = folder / "any.yml"
    path.write_bytes(text.encode("utf-8", "surrogatepass"))
    with pytest.raises(ParameterError):
        read_parameters(path)


@settings(max_examples=100, deadline=None)
@given(drug=st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf", "Zl", "Zp", "Zs", "Co", "Cn"]), max_size=40))
def test_quoted_text_comes_back_as_written(tmp_path_factory: pytest.TempPathFactory, drug: str) -> None:
    path = tmp_path_factory.getbasetemp() / "drug.yml"
    path.write_text(BUILT_IN_TEXT + f"drug: {json.dumps(drug, ensure_ascii=False)}\n", encoding="utf-8", newline="")
    assert read_parameters(path).drug == drug
