"""The chapters that tests run are written by the same helper as in `tests/report`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "report"))
