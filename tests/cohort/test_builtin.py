"""Built-in cohorts: those that there are, and none under another name."""

import pytest

from easitrace.cohort.builtin import BANNER, BUILTIN, load_builtin


@pytest.mark.parametrize("name", BUILTIN)
def test_a_built_in_cohort_says_that_it_is_synthetic(name: str) -> None:
    cohort = load_builtin(name)
    assert cohort.synthetic == BANNER and cohort.baseline.week == 0
    assert set(cohort.visits["patient"]) == set(cohort.patients["patient"]) == set(cohort.identifiers)


@pytest.mark.parametrize("name", ["Baricitinib", "../baricitinib", ""])
def test_another_name_is_none(name: str) -> None:
    with pytest.raises(KeyError):
        load_builtin(name)
