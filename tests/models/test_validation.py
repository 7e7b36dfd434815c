"""Chapter 90: every reference file is in, every difference is within its tolerance, and a wrong number is seen."""

import json
import shutil
from pathlib import Path

import pytest

from easitrace.errors import MachineError
from easitrace.models import validation

REFERENCE = Path(__file__).parents[1] / "reference"


def test_every_file_is_within_tolerance() -> None:
    differences = validation.reference_differences(REFERENCE)
    fitted = {path.stem for pattern in ("mmrm_*.json", "lmm_*.json") for path in REFERENCE.glob(pattern)}
    assert len(fitted) == 24 and fitted <= set(differences["file"])
    assert differences[differences["difference"] > differences["tolerance"]].empty


def test_a_wrong_standard_error_is_seen(tmp_path: Path) -> None:
    for name in ("two_arm.csv", "irregular.csv", "mmrm_cs_reml_satterthwaite.json"):
        shutil.copy(REFERENCE / name, tmp_path)
    path = tmp_path / "mmrm_cs_reml_satterthwaite.json"
    of = json.loads(path.read_text())
    of["coefficients"][3]["Std. Error"] *= 1 + 1e-6
    path.write_text(json.dumps(of))
    (tmp_path / "kenward_roger_natural.json").write_text("[]")
    differences = validation.reference_differences(tmp_path)
    assert set(differences.loc[differences["difference"] > differences["tolerance"], "quantity"]) == {"SE"}


def test_no_reference_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="E621"):
        validation.reference_differences(tmp_path)


def test_the_parameters_of_kenward_roger_matter_on_few_patients() -> None:
    table = validation.three_kenward_rogers(validation.two_arm(REFERENCE)).set_index(["patients", "df_method"])["se"]
    assert table[25, "kenward-roger"] > table[25, "satterthwaite"] > table[25, "kenward-roger-mmrm"]
    assert table[25, "kenward-roger"] == pytest.approx(table[25, "kenward-roger-linear"], rel=1e-10)
