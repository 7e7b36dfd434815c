"""Fit one simulated trial, print seconds and peak memory as JSON: `measure.py frame N`, `measure.py parquet N FOLDER`.

The Parquet files are written by a process of their own, so that the peak is that of the fit.
"""

import json
import resource
import subprocess
import sys
import time
from pathlib import Path

from cohorts import FORMULA, files, trial
from easitrace.models.mmrm import fit_mmrm


def measured(data):
    """The fit of a data frame or folder."""
    start = time.perf_counter(), time.process_time()
    fit = fit_mmrm(FORMULA, data, patient="patient", visit="week", df="kenward-roger")
    return {
        "n_patients": fit.n_patients,
        "status": fit.status,
        "fit_seconds": time.perf_counter() - start[0],
        "cpu_seconds": time.process_time() - start[1],
        "peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2,
    }


def main(kind, patients, folder=None):
    if kind == "write":
        return len(list(files(Path(folder), int(patients))))
    if kind == "frame":
        return measured(trial(int(patients)))
    subprocess.run([sys.executable, __file__, "write", patients, folder], check=True, stdout=subprocess.DEVNULL)
    return measured(Path(folder))


if __name__ == "__main__":
    print(json.dumps(main(*sys.argv[1:])))
