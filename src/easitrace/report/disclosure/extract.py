"""Every text that a file holds, however it is wrapped: archives, documents, pictures, notebooks, encodings."""

import base64
import binascii
import gzip
import html
import json
import re
import zipfile
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import unquote

DEEPEST = 6
LARGEST = 512 * 2**20
BLOB = re.compile(r"[A-Za-z0-9+/_-](?:\\?[A-Za-z0-9+/_-]|[\r\n]){7,}")
URL_SAFE = str.maketrans("-_", "+/")
TAG = re.compile(r"<[^<>]*>")
ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})|\\x([0-9a-fA-F]{2})")
CONTROL = re.compile(rb"[\x00-\x08\x0e-\x1f]")
PRINTABLE = re.compile(rb"[\x20-\x7e\t]{8,}")
DRAWN = {"/Contents", "/ToUnicode", "/FontFile", "/FontFile2", "/FontFile3", "/CIDToGIDMap", "/CIDSet"}
WRAPPED = (b"PK\x03\x04", b"\x1f\x8b", b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF")


@dataclass(frozen=True)
class Piece:
    """A text and where it stands: `report.html, base64 at character 120`."""

    place: str
    text: str


class UnsearchableError(Exception):
    """A file, or a part of it, whose texts cannot be had; the message says why."""


def pieces(content: bytes, place: str, depth: int = 0) -> Iterator[Piece]:
    """The texts of a file's content, one piece per part and way of reading it.

    Parameters
    ----------
    content : bytes
        The file.
    place : str
        Its name, as it is reported.
    depth : int
        How many wrappings this content was taken out of.

    Raises
    ------
    UnsearchableError
        When a part is broken, encrypted, larger than 512 MiB or wrapped more than six times.
    """
    if depth > DEEPEST:
        raise UnsearchableError(f"{place}: wrapped more than {DEEPEST} times")
    if len(content) > LARGEST:
        raise UnsearchableError(f"{place}: larger than {LARGEST >> 20} MiB")
    opener = next((opener for start, opener in OPENERS.items() if content.startswith(start)), None)
    try:
        if opener:
            yield from opener(content, place, depth)
        else:
            for encoding, text in _decoded(content):
                yield from _readings(text, place + encoding, depth)
    except (zipfile.BadZipFile, OSError, EOFError, zlib.error, ValueError, RuntimeError) as error:
        raise UnsearchableError(f"{place}: {type(error).__name__}: {error}") from error


def _decoded(content: bytes) -> Iterator[tuple[str, str]]:
    """Bytes as text: UTF-8, or else Latin-1, of other bytes the words in them; UTF-16 where there are NUL bytes."""
    try:
        yield "", content.decode("utf-8-sig")
    except UnicodeDecodeError:
        yield "", _words(content) if CONTROL.search(content) else content.decode("latin-1")
    if b"\0" in content:
        for encoding in ("utf-16-le", "utf-16-be"):
            for start in (0, 1):
                yield f", {encoding}", content[start:].decode(encoding, "ignore")


def _words(content: bytes) -> str:
    """The printable stretches of bytes that are no text: among all of them any three letters occur by chance."""
    return "\n".join(stretch.decode("ascii") for stretch in PRINTABLE.findall(content))


def _readings(text: str, place: str, depth: int) -> Iterator[Piece]:
    """A text as it stands, as it is meant, and what its base64 holds."""
    yield Piece(place, text)
    shown = html.unescape(text) if "&" in text else text
    if "<" in text:
        yield Piece(f"{place}, without tags", TAG.sub("", shown))
    if shown != text:
        yield Piece(f"{place}, entities", shown)
    if "%" in text and (plain := unquote(text)) != text:
        yield Piece(f"{place}, URL encoding", plain)
    if "\\" in text and (plain := ESCAPE.sub(lambda hit: chr(int(hit[1] or hit[2], 16)), text)) != text:
        yield Piece(f"{place}, escapes", html.unescape(plain))
    if text.lstrip()[:1] in ("{", "["):
        yield from _json_strings(text, place)
    yield from _base64(text, place, depth)


def _json_strings(text: str, place: str) -> Iterator[Piece]:
    """All strings of a JSON file, those of a list joined as a notebook's lines are."""
    try:
        content = json.loads(text)
    except ValueError:
        return
    yield Piece(f"{place}, JSON strings", "\n".join(_strings(content)))


def _strings(content: Any) -> Iterator[str]:
    if isinstance(content, str):
        yield content
        yield TAG.sub("", html.unescape(content))
    elif isinstance(content, dict):
        for key, value in content.items():
            yield str(key)
            yield from _strings(value)
    elif isinstance(content, list):
        if content and all(isinstance(item, str) for item in content):
            yield from _strings("".join(content))
        else:
            for item in content:
                yield from _strings(item)


def _base64(text: str, place: str, depth: int) -> Iterator[Piece]:
    """What is inside base64: text, or a file of a kind that can be opened."""
    for blob in BLOB.finditer(text):
        letters = re.sub(r"\\n|[\\\r\n]", "", blob[0]).translate(URL_SAFE)
        content = _unwrapped(letters)
        if content and (content.startswith(WRAPPED) or _is_text(content)):
            inside = f"{place}, base64 at character {blob.start() + 1}"
            yield from _opened(content, inside, depth + 1)


def _unwrapped(letters: str) -> bytes:
    if len(letters) % 4 == 1:
        letters = letters[:-1]
    try:
        return base64.b64decode(letters + "=" * (-len(letters) % 4))
    except binascii.Error:
        return b""


def _is_text(content: bytes) -> bool:
    for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if all(sign.isprintable() or sign.isspace() for sign in text) and (encoding == "utf-8" or text.isascii()):
            return True
    return False


def _opened(content: bytes, place: str, depth: int) -> Iterator[Piece]:
    """The texts of something that only may be a file: what cannot be opened was none."""
    try:
        yield from pieces(content, place, depth)
    except UnsearchableError:
        if depth > DEEPEST:
            raise


def _zip(content: bytes, place: str, depth: int) -> Iterator[Piece]:
    with zipfile.ZipFile(BytesIO(content)) as archive:
        members = archive.infolist()
        if sum(member.file_size for member in members) > LARGEST:
            raise UnsearchableError(f"{place}: unpacks to more than {LARGEST >> 20} MiB")
        yield Piece(f"{place}, comment", archive.comment.decode("latin-1"))
        for member in members:
            inside = f"{place}, member {member.filename}"
            yield Piece(f"{inside}, name", member.filename)
            yield from pieces(archive.read(member), inside, depth + 1)


def _gzip(content: bytes, place: str, depth: int) -> Iterator[Piece]:
    yield Piece(f"{place}, header", content[:512].decode("latin-1"))
    with gzip.open(BytesIO(content)) as file:
        yield from pieces(file.read(LARGEST + 1), f"{place}, unpacked", depth + 1)


def _pdf(content: bytes, place: str, depth: int) -> Iterator[Piece]:
    """The text of every page, every string and every stream that draws nothing: information, notes, attached files.

    Names and references are left out: `/P 14 0 R` is no patient P14.
    """
    from pypdf import PdfReader
    from pypdf.errors import PyPdfError

    try:
        reader = PdfReader(BytesIO(content))
        for number, page in enumerate(reader.pages, 1):
            yield Piece(f"{place}, page {number}", page.extract_text())
        for path, part in _parts(reader):
            if isinstance(part, bytes):
                yield from _opened(part, f"{place}, {path}", depth + 1)
            else:
                yield from _readings(part, f"{place}, {path}", depth + 1)
    except PyPdfError as error:
        raise UnsearchableError(f"{place}: {error}") from error


def _parts(reader: Any) -> Iterator[tuple[str, str | bytes]]:
    """Strings and streams of a PDF, each object once: those in use, then those that nothing refers to any more."""
    from pypdf.generic import ByteStringObject, DictionaryObject, IndirectObject, StreamObject, TextStringObject

    numbers = {number for entries in reader.xref.values() for number in entries} | set(reader.xref_objStm)
    waiting = [("object", IndirectObject(number, 0, reader)) for number in sorted(numbers, reverse=True)]
    waiting.append(("object", reader.trailer))
    seen = set()
    while waiting:
        path, part = waiting.pop()
        if isinstance(part, IndirectObject):
            if part.idnum in seen:
                continue
            seen.add(part.idnum)
            part = part.get_object()
        if isinstance(part, TextStringObject | ByteStringObject):
            yield path, part if isinstance(part, bytes) else str(part)
        elif isinstance(part, DictionaryObject):
            waiting += [(f"{path} {name}", value) for name, value in dict.items(part)]
            if isinstance(part, StreamObject) and not _draws(path, part):
                yield path, part.get_data()
        elif isinstance(part, list):
            waiting += [(path, list.__getitem__(part, number)) for number in range(len(part))]


def _draws(path: str, stream: Any) -> bool:
    """Whether a stream is a drawing, a picture, a font or the file's own bookkeeping."""
    kinds = {stream.get("/Type"), stream.get("/Subtype")}
    return bool(DRAWN & set(path.split()) or kinds & {"/Image", "/Form", "/ObjStm", "/XRef"})


def _picture(content: bytes, place: str, depth: int) -> Iterator[Piece]:
    """Text chunks and EXIF of a picture, and its own bytes."""
    from PIL import Image

    yield Piece(f"{place}, bytes", _words(content))
    with Image.open(BytesIO(content)) as picture:
        picture.load()
        entries = [*picture.info.items(), *picture.getexif().items()]
    for name, value in entries:
        inside = f"{place}, metadata {name}"
        if isinstance(value, bytes):
            yield from pieces(value, inside, depth + 1)
        else:
            yield from _readings(f"{name} {value}", inside, depth + 1)


OPENERS: dict[bytes, Callable[[bytes, str, int], Iterator[Piece]]] = {
    b"PK": _zip,
    b"\x1f\x8b": _gzip,
    b"%PDF": _pdf,
    **dict.fromkeys(WRAPPED[3:], _picture),
}
