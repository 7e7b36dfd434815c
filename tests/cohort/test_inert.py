"""Text that a spreadsheet would run stands as text, whatever kind of column holds it; numbers stay numbers."""

import pandas as pd
import pytest

from easitrace.cohort.inert import inert

WORDS = ["=1+1", "@x", "+x", "-x", "-3.5", "+4", "-1e5", "plain", "\tx", "＝1"]
SAFE = ["'=1+1", "'@x", "'+x", "'-x", "-3.5", "+4", "-1e5", "plain", "'\tx", "'＝1"]


@pytest.mark.parametrize("kind", ["str", "object", "category"])
def test_live_text_gets_an_apostrophe(kind: str) -> None:
    table = pd.DataFrame({"a": pd.Series(WORDS, index=range(5, 15), dtype=kind)})
    assert inert(table)["a"].tolist() == SAFE and inert(table).index.tolist() == [*range(5, 15)]


def test_what_is_no_text_stays_as_it_is() -> None:
    mixed = pd.Series(["=1", -2, None, 3.5, True, "x"], dtype=object)
    table = pd.DataFrame({"mixed": mixed, "number": [-1.5, 2, 3, 4, 5, 6], "true": [True] * 6})
    safe = inert(table)
    assert safe["mixed"].tolist() == ["'=1", -2, None, 3.5, True, "x"]
    pd.testing.assert_frame_equal(safe[["number", "true"]], table[["number", "true"]])


def test_names_of_columns_are_text_too() -> None:
    table = pd.DataFrame([[1, 2, 3]], columns=["=a", "-b", "c"])
    assert list(inert(table)) == ["'=a", "'-b", "c"]
    assert list(inert(pd.DataFrame([[1, 2]], columns=["=a", "=a"]))) == ["'=a", "'=a"]
