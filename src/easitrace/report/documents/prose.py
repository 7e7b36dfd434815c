"""The prose of a page through pandoc, which reads MathML and writes Word's and Typst's own equations."""

import os
import subprocess
from importlib.util import find_spec
from pathlib import Path

from easitrace.errors import MachineError, Problem

TIME_LIMIT = 120
READER = "html"


def convert(prose: str, writer: str, *options: str) -> bytes:
    """The prose in another format; pandoc runs without access to files or the network.

    Raises
    ------
    MachineError
        E613 when pandoc is missing or fails.
    """
    command = [pandoc(), "--sandbox", "--from", READER, "--to", writer, "--shift-heading-level-by=-1", *options]
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "0", "LC_ALL": "C.UTF-8"}
    try:
        done = subprocess.run(
            [*command, "--output", "-"],
            input=prose.encode(),
            capture_output=True,
            env=environment,
            timeout=TIME_LIMIT,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise _failed(str(error)) from error
    if done.returncode:
        raise _failed(done.stderr.decode(errors="replace").strip().partition("\n")[0])
    return done.stdout


def pandoc() -> str:
    """The path of the pandoc that the package `pypandoc_binary` brings, never another one on this machine."""
    found = find_spec("pypandoc")
    places = found.submodule_search_locations if found else None
    program = f"pandoc{'.exe' if os.name == 'nt' else ''}"
    paths = [path for place in places or () if (path := Path(place) / "files" / program).is_file()]
    if not paths:
        raise _failed("is not installed")
    return str(paths[0])


def _failed(what: str) -> MachineError:
    return MachineError(Problem("E613", "pandoc", what, "reinstall the package pypandoc-binary"))
