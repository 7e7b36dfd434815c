"""The prose of a page through pandoc, which reads MathML and writes Word's and Typst's own equations."""

import os
import subprocess
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
    """The path of the pandoc that the package `pypandoc_binary` brings."""
    try:
        import pypandoc

        return str(Path(pypandoc.get_pandoc_path()))
    except (ImportError, OSError) as error:
        raise _failed(str(error)) from error


def _failed(what: str) -> MachineError:
    return MachineError(Problem("E613", "pandoc", what, "reinstall pypandoc-binary"))
