"""The codes: one table, in the documentation as in the program, and none that nothing uses."""

import re
import sys
from pathlib import Path

from easitrace.errors import CODES

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tools"))


def test_the_documentation_lists_every_code() -> None:
    from codes import GROUPS, TARGET, document

    assert TARGET.read_text(encoding="utf-8") == document(), "run python tools/codes.py"
    assert {code[:2] for code in CODES} <= {*GROUPS}


def test_every_code_is_used_and_every_used_code_is_listed() -> None:
    sources = "\n".join(
        path.read_text(encoding="utf-8") for path in (ROOT / "src").rglob("*.py") if path.name != "errors.py"
    )
    used = set(re.findall(r'"([EFW]\d{3})"', sources))
    assert used == {*CODES}


def test_every_code_is_expected_by_a_test() -> None:
    tests = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py"))
    assert sorted({*CODES} - set(re.findall(r"\b[EFW]\d{3}\b", tests))) == []
