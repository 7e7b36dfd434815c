"""Writing a report so that its folder is, at every moment, the whole old or the whole new one.

A run writes into `reports/.staging/<study>/`, on the same file system as `reports/<study>/`. When everything is
there, the completion record (`manifest.json`) is written last, every file is flushed to disk, and the two folders
change places in one system call (Linux `renameat2(RENAME_EXCHANGE)`, macOS `renamex_np(RENAME_SWAP)`); a first report
is moved there. A run that is killed before that call leaves the old report, after it the new one; what it leaves in
`.staging/` is rubbish that the next run of the study, which holds the study's lock, removes.

Where folders cannot change places (Windows, some network and container file systems) a marker is written, then the
files are replaced one by one, each of them atomically; a run killed in between is finished by the next run.

The lock is the operating system's own on `reports/.staging/<study>.lock`: it ends with its process, so it cannot be
left behind; the file says who holds it and since when.
"""

import ctypes
import errno
import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from easitrace.errors import MachineError, Problem

AREA = ".staging"
RECORD = "manifest.json"
MARKER = ".replacing"
AT_FDCWD = -100
RENAME_EXCHANGE = RENAME_SWAP = 2
NO_EXCHANGE = {errno.ENOSYS, errno.EINVAL, errno.EXDEV, errno.ENOTSUP, errno.EPERM}


@contextmanager
def staging(reports: Path, study: str) -> Iterator[Path]:
    """An empty folder to write the study's report into, under the study's lock; removed at the end.

    Raises
    ------
    MachineError
        E602 when the folder cannot be written, E603 when another run holds the lock, E604 when something that is not a
        report of ours stands in its place.
    """
    area = reports / AREA
    stage, target = area / study, reports / study
    with disk_errors(reports):
        area.mkdir(parents=True, exist_ok=True)
    with lock(area / f"{study}.lock", wait=False), disk_errors(reports):
        _finish_interrupted(stage, target)
        _refuse_what_is_not_ours(target)
        _remove(stage)
        stage.mkdir()
        try:
            yield stage
        finally:
            _remove(stage)


def put_in_place(stage: Path, target: Path) -> None:
    """Make the finished folder the report; files that no report of ours wrote there stay."""
    for folder, _, names in os.walk(stage):
        for name in names:
            flush(Path(folder) / name)
        flush(Path(folder))
    if not target.exists():
        os.rename(stage, target)  # noqa: PTH104
    else:
        _keep_what_others_put_there(stage, target)
        if not _exchange(stage, target):
            (stage / MARKER).touch()
            flush(stage)
            _replace_files(stage, target)
    flush(target.parent)


def write_atomically(path: Path, text: str) -> None:
    """Write a text file so that a reader sees the old or the new one."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8", newline="\n")
    flush(draft)
    draft.replace(path)


def flush(path: Path) -> None:
    """Ask the system to put a file's or a folder's content on the disk."""
    if path.is_dir() and os.name == "nt":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def disk_errors(place: Path) -> Iterator[None]:
    """An operating system error as a problem with the place it happened at."""
    try:
        yield
    except OSError as error:
        where = str(error.filename or place)
        code, remedy = {
            errno.ENOSPC: ("E605", "free some space and run it again"),
            errno.EDQUOT: ("E605", "free some space and run it again"),
        }.get(error.errno or 0, ("E602", "choose a folder you can write to with --output FOLDER"))
        raise MachineError(Problem(code, where, (error.strerror or str(error)).lower(), remedy)) from error


@contextmanager
def lock(path: Path, *, wait: bool) -> Iterator[None]:
    """Hold the lock on a file; without `wait`, a held lock is an error that says who holds it."""
    with disk_errors(path), path.open("a+") as file:
        if not _take(file.fileno(), wait=wait):
            raise MachineError(Problem("E603", path.stem, f"is being written by {_holder(path)}", "wait for it to end"))
        file.truncate(0)
        file.write(json.dumps({"pid": os.getpid(), "since": int(time.time())}))
        file.flush()
        yield


def _holder(path: Path) -> str:
    try:
        content = json.loads(path.read_text())
        return f"process {content['pid']}, started {max(0, int(time.time()) - content['since'])} s ago"
    except (ValueError, KeyError, OSError):
        return "another process"


if sys.platform == "win32":

    def _take(descriptor: int, *, wait: bool) -> bool:
        import msvcrt

        os.lseek(descriptor, 1 << 20, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_LOCK if wait else msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:

    def _take(descriptor: int, *, wait: bool) -> bool:
        import fcntl

        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        except BlockingIOError:
            return False
        return True


def _refuse_what_is_not_ours(target: Path) -> None:
    """A report may only replace a report: anything else in its place belongs to somebody."""
    if target.is_symlink() or (target.exists() and not target.is_dir()):
        what = "is a link or a file, not a report folder"
    elif target.is_dir() and any(target.iterdir()) and not (target / RECORD).exists():
        what = "holds files but is not a report"
    elif target.is_dir() and not os.access(target, os.W_OK):
        what = "cannot be written"
    else:
        return
    raise MachineError(Problem("E604", str(target), what, "move it away or give the study another name"))


def _keep_what_others_put_there(stage: Path, target: Path) -> None:
    """Copy the files that the old report's record does not list (a reader's notes, say) into the new report."""
    record = target / RECORD
    ours = {RECORD, *json.loads(record.read_text(encoding="utf-8"))["files"]} if record.exists() else set()
    for path in target.rglob("*"):
        name = path.relative_to(target)
        if path.is_file() and name.as_posix() not in ours and not (stage / name).exists():
            (stage / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, stage / name)


def _remove(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


def _exchange(one: Path, other: Path) -> bool:
    """Let two folders change places in one step; False where the system cannot."""
    if os.name != "posix":
        return False
    library = ctypes.CDLL(None, use_errno=True)
    names = os.fsencode(one), os.fsencode(other)
    if hasattr(library, "renameat2"):
        failed = library.renameat2(AT_FDCWD, names[0], AT_FDCWD, names[1], RENAME_EXCHANGE)
    elif hasattr(library, "renamex_np"):
        failed = library.renamex_np(*names, RENAME_SWAP)
    else:
        return False
    if failed and ctypes.get_errno() not in NO_EXCHANGE:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()), str(other))
    return not failed


def _replace_files(stage: Path, target: Path) -> None:
    """Copy every file of `stage` over the one in `target`, then remove what the new report does not have."""
    new = {path.relative_to(stage) for path in stage.rglob("*") if path.is_file() and path.name != MARKER}
    for name in sorted(new, key=lambda path: (path == Path(RECORD), path)):
        draft = target / name.parent / f".{name.name}.new"
        draft.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(stage / name, draft)
        flush(draft)
        draft.replace(target / name)
    for path in sorted(target.rglob("*"), reverse=True):
        name = path.relative_to(target)
        if path.is_file() and name not in new:
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()


def _finish_interrupted(stage: Path, target: Path) -> None:
    """Replace the rest of the files when a run was killed while it replaced them one by one."""
    if (stage / MARKER).exists() and target.is_dir():
        _replace_files(stage, target)
