"""Write environment.yml: the conda environment with exactly the pins of uv.lock."""

import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEAD = """\
# conda env create -f environment.yml && conda activate easitrace
# Written by tools/environment.py from uv.lock (make lock); the pins are the lock's.
name: easitrace
channels: [conda-forge]
dependencies:
  - python=3.12
  - make
  - git
  - pip
  - pip:
"""


def pins() -> list[str]:
    """The runtime pins of the lock with their platform markers, as pip reads them."""
    command = [
        os.environ.get("UV", "uv"),
        "export",
        "--frozen",
        "--no-dev",
        "--no-hashes",
        "--no-emit-project",
        "--no-annotate",
    ]
    text = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def document() -> str:
    """The whole of environment.yml."""
    return HEAD + "".join(f'      - "{pin}"\n' for pin in [*pins(), "-e ."])


if __name__ == "__main__":
    (ROOT / "environment.yml").write_text(document(), encoding="utf-8")
