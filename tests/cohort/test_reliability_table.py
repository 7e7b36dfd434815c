"""Every input that must be handled gives its code, at its place, in words that say what to do."""

import re
from collections import Counter

import pytest
from reliability_cases import CASES, Case
from reliability_cases_formats import CASES as OF_FORMATS

from easitrace.errors import CODES

TABLE: list[Case] = [*CASES, *OF_FORMATS]


@pytest.mark.parametrize("case", TABLE, ids=lambda case: case.name)
def test_a_case_gives_its_code_place_and_message(tmp_path, case):
    problems = case.problems(tmp_path, case)
    shown = "\n".join(map(str, problems))
    found = [
        problem
        for problem in problems
        if problem.code == case.code
        and re.fullmatch(case.place, problem.where)
        and re.search(case.message, f"{problem.what}; {problem.remedy}")
    ]
    assert len(found) == 1, shown
    if case.code.startswith("E2"):
        assert {problem.code for problem in problems} == {case.code}, shown
    if case.code[0] in "FW":
        assert not any(problem.code.startswith("E") for problem in problems), shown


def test_the_table_is_long_and_its_names_differ():
    assert len(TABLE) > 200
    assert [name for name, n in Counter((case.name, case.problems) for case in TABLE).items() if n > 1] == []


def test_every_code_of_the_assembly_is_in_the_table():
    of_assembly = {c for c in CODES if re.match(r"E2(0[1-9]|1\d|2[0-7]|7\d)|F20|W20|W21", c)}
    of_assembly |= {f"W{n}" for n in (223, 224, 225, 226, 227, 228, 229, 230, 231, 232, 233, 236, 237, 238)} | {"F227"}
    assert of_assembly - {case.code for case in TABLE} - {"E225"} == set()


def test_every_code_of_formats_and_systems_is_in_the_table():
    of_formats = {c for c in CODES if re.match(r"E2(2[89]|4\d|5\d|6\d)|F2[23]|W22[01]|W23[459]", c)}
    elsewhere = {"E228", "E229"} | {"E240", "E242", "E243", "E246", "E247", "E254"}  # of arms, and of damage and size
    assert of_formats - {case.code for case in TABLE} == elsewhere
