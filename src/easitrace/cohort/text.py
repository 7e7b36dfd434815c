"""From the bytes of a CSV or TSV file to columns of text, every field counted."""

import codecs
import csv
import io
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyarrow import csv as arrow_csv

from easitrace.cohort.findings import Findings, counted, inert, place, quoted, row_list
from easitrace.cohort.formats.options import Options
from easitrace.cohort.formats.table import Table, check_header
from easitrace.errors import ParameterError, Problem

DELIMITERS = {",": "a comma", ";": "a semicolon", "\t": "a tab", "|": "a bar"}
BYTE_ORDER_MARKS = {codecs.BOM_UTF8: "utf-8", codecs.BOM_UTF16_LE: "utf-16", codecs.BOM_UTF16_BE: "utf-16"}
BLOCK_BYTES = 1 << 24
NEWLINE, QUOTE = 10, 34
ROW_NAMES = "(row names)"


@dataclass(frozen=True)
class Sheet:
    """The text of a table: `header`, the data as bytes, and the spreadsheet row of every data record."""

    header: list[str]
    body: bytes
    delimiter: str
    rows: npt.NDArray[np.int64]
    kept: npt.NDArray[np.bool_]
    longest: int

    def table(self) -> Table:
        """The sheet on the seam that all formats share."""
        return Table(self.header, self.rows, self.columns)

    def columns(self, names: Iterable[str]) -> dict[str, Any]:
        """The named columns as Arrow string arrays, one entry per element of `rows`."""
        fields = [str(number) for number in range(len(self.header))]
        wanted = {name: fields[self.header.index(name)] for name in names}
        table = arrow_csv.read_csv(
            io.BytesIO(self.body),
            read_options=arrow_csv.ReadOptions(column_names=fields, block_size=max(BLOCK_BYTES, 2 * self.longest)),
            parse_options=arrow_csv.ParseOptions(
                delimiter=self.delimiter,
                newlines_in_values=b'"' in self.body,
                invalid_row_handler=lambda row: "skip",
            ),
            convert_options=arrow_csv.ConvertOptions(
                include_columns=list(dict.fromkeys(wanted.values())),
                column_types=dict.fromkeys(fields, pa.large_string()),
                strings_can_be_null=False,
            ),
        )
        if not self.kept.all():
            table = table.filter(pa.array(self.kept))
        return {name: table[field].combine_chunks() for name, field in wanted.items()}


def read_sheet(path: Path, findings: Findings, options: Options) -> Sheet:
    """Read a delimited text file and count its fields.

    Raises
    ------
    DataError
        For a file that is empty, not text in the encoding, or has no readable header or quotes.
        Rows with a wrong number of fields are recorded in `findings` and left out.
    """
    delimiter = options.delimiter
    if delimiter is not None and (len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\n\r'):
        raise ParameterError(Problem("E105", "delimiter", f"{quoted(delimiter)} cannot separate columns"))
    raw = path.read_bytes()
    if raw.isspace():
        findings.error("E202", "the file is empty", "export the data again")
        findings.stop_if_wrong()
    body = _normalised(_decoded(raw, options.encoding, findings), findings)
    body, said = _separator_line(body, delimiter, findings)
    body = _from_header(body, options.header_row, findings)
    separator = delimiter or said or _found_delimiter(body, findings)
    findings.stop_if_wrong()
    return _split(body, separator, options.header_row, findings)


def _separator_line(body: bytes, delimiter: str | None, findings: Findings) -> tuple[bytes, str | None]:
    """The text without a first line such as `sep=;`, which spreadsheets obey and do not show, and its sign."""
    line = re.match(rb'"?sep=([^\n"])"?\n', body, re.IGNORECASE)
    if line is None:
        return body, None
    sign = line[1].decode(errors="replace")
    if delimiter not in (None, sign):
        what = f"the first line says that {quoted(sign)} separates the columns, not {quoted(delimiter)}"
        findings.error("E209", what, f"set delimiter: {quoted(sign)}, or leave it out")
    findings.note("F221", f"the first line, sep={inert(sign)}, was obeyed and left out")
    return body[line.end() :], sign


def _from_header(body: bytes, header_row: int, findings: Findings) -> bytes:
    """The text from the row of the column names on."""
    lines = body.split(b"\n", header_row - 1)
    if len(lines) < header_row or not lines[-1]:
        findings.error("E202", f"there is no row {header_row} to hold the column names", "correct header_row")
        findings.stop_if_wrong()
    if header_row > 1:
        findings.note("F223", f"{counted(header_row - 1, 'row')} above the column names left out")
    return lines[-1]


def _decoded(raw: bytes, encoding: str, findings: Findings) -> str:
    codec = _codec(encoding)
    for mark, marked in BYTE_ORDER_MARKS.items():
        if raw.startswith(mark) and not codec.startswith(marked):
            findings.error("E204", f"the file starts with the mark of {marked}", f"set encoding: {marked}")
            findings.stop_if_wrong()
    try:
        text = raw.decode(codec)
    except UnicodeError:
        _undecodable(raw, codec, findings)
        text = ""
    _check_characters(text, raw, codec, findings)
    findings.stop_if_wrong()
    if text.startswith("\ufeff"):
        findings.note("F201", "the byte order mark at the start was left out")
    return text.removeprefix("\ufeff")


def _codec(encoding: str) -> str:
    try:
        b" ".decode(encoding, "replace")
    except LookupError:
        what, remedy = f"{quoted(encoding)} is no text encoding", "set utf-8, cp1252 or utf-16"
        raise ParameterError(Problem("E105", "encoding", what, remedy)) from None
    return codecs.lookup(encoding).name


def _undecodable(raw: bytes, codec: str, findings: Findings) -> None:
    if codec.startswith("utf-16"):
        findings.error("E204", f"not valid {codec}", "set encoding to the one the file was saved in")
        return
    lines = raw.decode(codec, "surrogateescape").replace("\r\n", "\n").replace("\r", "\n").split("\n")
    for row, line in enumerate(lines, start=1):
        bad = re.search(r"[^\ud800-\udfff]{0,10}([\udc80-\udcff])", line)
        if bad:
            byte = ord(bad[1]) - 0xDC00
            letter = bytes([byte]).decode("cp1252", "replace")
            findings.error(
                "E204",
                f"byte 0x{byte:02x} after {quoted(bad[0][:-1])} is not {codec} (in cp1252 it is {quoted(letter)})",
                "set encoding: cp1252 if that reads right",
                at=place(row),
            )


def _check_characters(text: str, raw: bytes, codec: str, findings: Findings) -> None:
    if "\0" in text:
        if text.count("\0") > len(text) // 4:
            findings.error("E204", "every second byte is 0: this looks like UTF-16", "set encoding: utf-16-le")
            return
        for row, line in enumerate(text.split("\n"), start=1):
            if "\0" in line:
                findings.error("E205", "the row holds a NUL character", "export the data again", at=place(row))
    if codec in ("cp1252", "iso8859-1", "iso8859-15") and not raw.isascii():
        try:
            raw.decode("utf-8")
        except UnicodeDecodeError:
            return
        findings.note("W209", f"read as {codec}, but the bytes are valid UTF-8", "check letters with accents")


def _normalised(text: str, findings: Findings) -> bytes:
    if "\r" in text:
        windows = text.count("\r\n")
        other = text.count("\r") - windows
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        findings.note("F202", f"line ends made uniform: {windows} CRLF and {other} CR to LF")
    if not text.endswith("\n"):
        text += "\n"
        findings.note("F203", "the last row had no line end; one was added")
    return text.encode()


def _found_delimiter(body: bytes, findings: Findings) -> str:
    header = re.sub(rb'"[^"]*"', b"", body[: BLOCK_BYTES // 16]).split(b"\n", 1)[0].decode(errors="replace")
    found = [sign for sign in DELIMITERS if sign in header]
    if len(found) == 1:
        if found[0] != ",":
            findings.note("F204", f"the fields are separated by {DELIMITERS[found[0]]}, as found in the header")
        return found[0]
    names = " and ".join(DELIMITERS[sign] for sign in found)
    what = f"the header holds {names}" if found else "the header holds no separator between columns"
    findings.error("E209", what, "set delimiter to the sign that separates the columns", at=place(1))
    return ","


def _split(body: bytes, delimiter: str, first: int, findings: Findings) -> Sheet:
    """Count the fields of every row; the column names stand in row `first`."""
    buffer = np.frombuffer(body, dtype=np.uint8)
    newlines = np.flatnonzero(buffer == NEWLINE)
    separators = np.flatnonzero(buffer == ord(delimiter))
    if b'"' in body:
        quotes = np.flatnonzero(buffer == QUOTE)
        newlines = newlines[np.searchsorted(quotes, newlines) % 2 == 0]
        separators = separators[np.searchsorted(quotes, separators) % 2 == 0]
        _check_quotes(buffer, quotes, newlines, delimiter, first, findings)
    fields = np.diff(np.searchsorted(separators, newlines), prepend=0) + 1
    lengths = np.diff(newlines, prepend=-1) - 1
    end = int(newlines[0])
    header = _header(body[:end].decode(), delimiter, first, findings)
    findings.stop_if_wrong()
    empty = lengths[1:] == 0
    blank = empty | (lengths[1:] == fields[1:] - 1)
    right = fields[1:] == len(header)
    rows = np.arange(first + 1, first + len(newlines))
    _check_fields(rows[~right & ~blank], fields[1:][~right & ~blank], len(header), findings)
    if blank.any():
        findings.note("F206", f"{counted(int(blank.sum()), 'blank row')} left out ({row_list(rows[blank])})")
    if blank.all():
        findings.error("E202", "there is a header but no data row", "export the data again")
    if not (right & ~blank).any():
        findings.stop_if_wrong()
    parsed = right & ~empty
    return Sheet(header, body[end + 1 :], delimiter, rows[right & ~blank], ~blank[parsed], int(lengths.max()) + 1)


def _check_quotes(
    buffer: npt.NDArray[np.uint8],
    quotes: npt.NDArray[np.int64],
    newlines: npt.NDArray[np.int64],
    delimiter: str,
    first: int,
    findings: Findings,
) -> None:
    borders = (NEWLINE, QUOTE, ord(delimiter))
    opening, closing = quotes[::2], quotes[1::2]
    before = np.where(opening > 0, buffer[opening - 1], NEWLINE)
    after = buffer[np.minimum(closing + 1, len(buffer) - 1)]
    stray = np.concatenate([opening[~np.isin(before, borders)], closing[~np.isin(after, borders)]])
    if len(stray):
        row = int(np.searchsorted(newlines, stray.min())) + first
        findings.error(
            "E206",
            "a quotation mark stands inside a cell, or a quoted cell is not closed",
            "close the quotes; write a quotation mark inside a cell as two",
            at=place(row),
        )
    elif len(quotes) % 2:
        row = int(np.searchsorted(newlines, quotes[-1])) + first
        findings.error("E206", "a quoted cell is opened and never closed", "close the quotes", at=place(row))
    findings.stop_if_wrong()


def _header(line: str, delimiter: str, row: int, findings: Findings) -> list[str]:
    raw = next(csv.reader([line + "\n"], delimiter=delimiter), [""])
    names = [name.strip() for name in raw]
    trimmed = sum(name != before for name, before in zip(names, raw, strict=True))
    if trimmed:
        findings.note("F205", f"blanks trimmed from {counted(trimmed, 'column name')}", at=place(row))
    if len(names) == 1:
        findings.error(
            "E209",
            f"the header holds no {quoted(delimiter)} between columns",
            "set delimiter to the sign that separates the columns",
            at=place(row),
        )
    if not names[0]:
        names[0] = ROW_NAMES
        findings.note(
            "F231", "the first column has no name, as where R writes row names; it is not read", at=place(row)
        )
    check_header(names, findings, row)
    return names


def _check_fields(
    rows: npt.NDArray[np.int64], fields: npt.NDArray[np.int64], expected: int, findings: Findings
) -> None:
    remedy = "put quotes round cells that hold the separator (a decimal comma?), or set delimiter"
    findings.errors_at(
        "E208", rows, None, lambda i: (f"{counted(int(fields[i]), 'field')} where the header has {expected}", remedy)
    )
