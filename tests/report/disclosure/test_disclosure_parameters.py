"""The parameters `disclosure` and `min_cell`: none is ignored."""

from pathlib import Path

import pytest

from easitrace.errors import ParameterError
from easitrace.parameters import read_parameters

TEXT = "study: x\ntitle: t\ndata: baricitinib\ndecision_week: 12\nestimand: composite\nseed: 1\n"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ("min_cell: 20", "key min_cell: nothing is masked in an internal report"),
        ("disclosure: share-8\nmin_cell: 8", "key min_cell: 8 is not above the smallest number of share-8, 8"),
        ("disclosure: share-11\nmin_cell: 5", "key min_cell: 5 is not above the smallest number of share-11, 11"),
        ("disclosure: share-10", "key disclosure: 'share-10' is not allowed; did you mean share-11?"),
        ("disclosure: share-8\nmin_cell: 0", "key min_cell: 0: input should be greater than or equal to 1"),
    ],
)
def test_what_contradicts_is_refused(lines: str, expected: str, tmp_path: Path) -> None:
    (tmp_path / "x.yml").write_text(TEXT + lines + "\n")
    with pytest.raises(ParameterError) as refused:
        read_parameters(tmp_path / "x.yml")
    assert len(refused.value.problems) == 1
    assert expected in str(refused.value)


def test_a_higher_number_goes_with_a_profile(tmp_path: Path) -> None:
    (tmp_path / "x.yml").write_text(TEXT + "disclosure: share-8\nmin_cell: 9\n")
    parameters = read_parameters(tmp_path / "x.yml")
    assert (parameters.disclosure, parameters.min_cell) == ("share-8", 9)
