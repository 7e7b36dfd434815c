"""What is refused before a file is parsed: where it is, what it is, how large it would become."""

import os
import pickle
import socket
import zipfile

import pytest
from small_cohort import MAPPED, write

from easitrace.cohort.formats import guard, limits
from easitrace.cohort.formats.limits import Limits
from easitrace.cohort.read import read_cohort
from easitrace.errors import DataError, ParameterError

VISITS = {"0": 0, "4": 4}
GOOD = b"patient,visit,easi\nA,0,12\nA,4,3\n"


def refused(path, **arguments):
    with pytest.raises(DataError) as caught:
        read_cohort(path, **{"visits": VISITS, **arguments})
    return str(caught.value)


@pytest.mark.parametrize(
    "address", ["http://x.nl/a.csv", "https://x.nl/a.csv", "s3://b/a.parquet", "file:///etc/a.csv"]
)
def test_an_address_is_refused_and_nothing_is_fetched(address):
    assert "E240 a." in refused(address)
    assert "this is an address; only local files are read: fetch the file first" in refused(address)


def test_only_regular_files_are_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.csv")
    assert "E241 pipe.csv: this is a pipe; name a file" in refused(tmp_path / "pipe.csv")
    assert "this is a device" in refused("/dev/zero", format="csv")
    assert "this is a folder" in refused(tmp_path)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(tmp_path / "s.csv"))
        assert "this is a socket" in refused(tmp_path / "s.csv")


def test_a_file_that_may_not_be_read_is_refused(cohort_file, monkeypatch):
    def locked(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(guard.Path, "open", locked)
    assert "E201 cohort.csv: cannot be read: Permission denied; choose a file you may read" in refused(cohort_file)


def test_a_file_larger_than_its_format_may_be_is_refused_before_it_is_read(cohort_file, monkeypatch):
    monkeypatch.setitem(limits.LIMITS, "csv", Limits(20))
    message = "E242 cohort.csv: 32 bytes is more than a text file may have (20 bytes); leave out columns and rows that"
    assert message in refused(cohort_file)
    huge = cohort_file.with_name("huge.xlsx")
    write(".xlsx", cohort_file.parent).rename(huge)
    os.truncate(huge, 101 << 20)
    assert "101.0 MiB is more than an Excel workbook may have (100.0 MiB)" in refused(huge, format="excel")


def test_too_many_columns_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(guard, "MOST_COLUMNS", 1500)
    path = tmp_path / "wide.csv"
    path.write_text(",".join(f"c{i}" for i in range(1501)) + "\n" + "," * 1500 + "x\n")
    assert "E254 wide.csv: 1,501 columns are more than 1,500; leave out those not needed" in refused(path)


KINDS = [
    (b"PK\x03\x04" + bytes(60), "E203", "a zip archive"),
    (b"\xd0\xcf\x11\xe0" + bytes(60), "E203", "an Office file from before 2007"),
    (b"\xd0\xcf\x11\xe0" + bytes(60) + "EncryptedPackage".encode("utf-16-le"), "E245", "password-protected"),
    (b"PARE" + bytes(60), "E245", "an encrypted Parquet file"),
    (b"ARROW1" + bytes(60), "E203", "an Arrow file"),
    (b"\x1f\x8b\x08", "E203", "a gzip archive"),
    (pickle.dumps([1, 2]), "E203", "a Python pickle, which could run programs"),
    (b"%PDF-1.7", "E203", "a PDF"),
    (b"  <HTML><table>", "E203", "a web page, whatever its ending says"),
    (b"SQLite format 3\0", "E203", "an SQLite database"),
]


@pytest.mark.parametrize(("start", "code", "kind"), KINDS, ids=[kind for *_, kind in KINDS])
@pytest.mark.parametrize("name", ["data.csv", "data.xlsx", "data.dat"])
def test_other_files_are_refused_by_their_first_bytes(start, code, kind, name, tmp_path):
    (tmp_path / name).write_bytes(start)
    message = refused(tmp_path / name)
    assert message.startswith(f"{code} {name}: this is ") and kind in message


def test_a_file_named_or_declared_as_another_format_is_refused_with_what_to_do(tmp_path):
    (tmp_path / "data.sav").write_bytes(GOOD)
    message = "E203 data.sav: this is a text file, not an SPSS file; set format: csv, or name the file data.csv"
    assert message in refused(tmp_path / "data.sav")
    path = write(".sav", tmp_path).rename(tmp_path / "data.csv")
    assert "this is an SPSS file, not a text file; set format: spss, or name the file data.sav" in refused(path)
    assert len(read_cohort(path, **MAPPED, format="spss").visits) == 5
    assert "this is an SPSS file, not a Stata file" in refused(path, format="stata")
    with pytest.raises(ParameterError, match="E105 format: exel is no format; choose one of csv, excel, spss, sas, st"):
        read_cohort(path, **MAPPED, format="exel")


def test_a_file_of_no_known_ending_is_known_by_its_bytes(tmp_path):
    (tmp_path / "data.dat").write_bytes(GOOD)
    assert len(read_cohort(tmp_path / "data.dat", visits=VISITS).visits) == 2
    for kind in (".xlsx", ".dta", ".v5.xpt", ".parquet"):
        path = write(kind, tmp_path).rename(tmp_path / "data.bin")
        assert len(read_cohort(path, **MAPPED).visits) == 5


def test_stata_files_of_before_version_13_are_known(tmp_path):
    import pandas as pd

    path = tmp_path / "old.dta"
    pd.DataFrame({"patient": ["A"], "visit": ["0"], "easi": [3.5]}).to_stata(path, write_index=False, version=114)
    assert read_cohort(path, visits={"0": 0}).visits["easi"].tolist() == [3.5]
    path = path.rename(tmp_path / "old.sav")
    assert "this is a Stata file, not an SPSS file" in refused(path)


@pytest.mark.parametrize(
    ("kind", "arguments", "message"),
    [
        (
            ".parquet",
            {"encoding": "cp1252"},
            "E106 encoding: a Parquet file has none; remove it; it is for a text file",
        ),
        (".sav", {"sheet": "x"}, "E106 sheet: an SPSS file has none; remove it; it is for an Excel workbook"),
        (".xlsx", {"delimiter": ";"}, "E106 delimiter: an Excel workbook has none"),
        (".dta", {"header_row": 2}, "E106 header_row: a Stata file has none"),
        (".xlsx", {"header_row": 0}, "E105 header_row: 0 is no row; count the rows from 1"),
    ],
)
def test_an_option_that_would_be_ignored_is_refused(kind, arguments, message, tmp_path):
    with pytest.raises(ParameterError, match=message):
        read_cohort(write(kind, tmp_path), **MAPPED, **arguments)


def zipped(path, entries, method=zipfile.ZIP_DEFLATED):
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return path


def test_a_workbook_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch):
    bomb = zipped(tmp_path / "b.xlsx", {"xl/workbook.xml": bytes(40 << 20)})
    assert bomb.stat().st_size < 50_000
    assert "E243 b.xlsx: in xl/workbook.xml 40.0 MiB are packed into 39." in refused(bomb)
    monkeypatch.setattr(guard, "MOST_ZIP_ENTRIES", 3)
    monkeypatch.setattr(guard, "MOST_ZIP_BYTES", 3000)
    many = zipped(tmp_path / "m.xlsx", {f"xl/{i}": bytes(1000) for i in range(4)})
    assert "E243 m.xlsx: the workbook has 4 parts; save the sheet as CSV" in refused(many)
    assert "E243 m.xlsx: the workbook would unpack to 3.9 KiB" in refused(many)


def test_a_workbook_with_encrypted_parts_is_refused(tmp_path):
    path = zipped(tmp_path / "e.xlsx", {"xl/a": "a"}, zipfile.ZIP_STORED)
    raw = bytearray(path.read_bytes())
    raw[raw.rindex(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(raw)
    assert "E245 e.xlsx: the workbook is encrypted; save it without a password" in refused(path)
