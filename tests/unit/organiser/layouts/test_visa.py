"""VisA's layout: the table says what each picture is, and may be as wrong as any file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmark_sets import encoded, surface
from tests.unit.organiser.data_sets import pixels, prepared, visa_set

pytestmark = pytest.mark.unit

TABLE = "split_csv/1cls.csv"
HEAD = "object,split,label,image,mask"
PICTURE = "candle/Data/Images/anomaly/test0.JPG"


def test_pictures_labels_and_masks_are_those_of_the_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Masks with small numbers become 0 and 255."""
    made = prepared(tmp_path, visa_set(), capsys)
    assert (made.code, list(made.told()["categories"])) == (0, ["candle"])
    rows = made.rows()
    for place, told in made.sources().items():
        if "/test/" in place:
            row = rows[Path(place).stem]
            assert row["anomalous"] is ("/anomaly/" in told)
            if row["anomalous"]:
                values = pixels(made.labels / row["mask"])
                assert (values == 255 * (pixels(made.root / "source" / told.replace("Images", "Masks").replace(
                    "JPG", "png")) > 0)).all()  # fmt: skip
    assert sum(row["anomalous"] for row in rows.values()) == 2


def test_a_table_of_windows_is_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """With a byte order mark."""
    files = visa_set()
    files[TABLE] = b"\xef\xbb\xbf" + files[TABLE]
    assert prepared(tmp_path, files, capsys).code == 0


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("candle,test,anomaly,../secret.png,", "names a file that is not below its folder: ../secret.png"),
        ("candle,test,anomaly,/etc/passwd,", "names a file that is not below its folder: /etc/passwd"),
        ("candle,test,anomaly,,", "names a file that is not below its folder"),
        ("candle,test,anomaly,candle/none.JPG,", "names a file that is not there: candle/none.JPG"),
        ("candle,test,normal,link.png,", "a file is a link or lies behind one"),
        (f"candle,test,anomaly,{PICTURE},", "a picture is there twice in split_csv/1cls.csv"),
        (f"candle,test,normal,extra.png,{PICTURE}", "gives a normal picture a mask"),
        ("candle,train,anomaly,extra.png,", "has an anomalous picture to train on"),
        ("candle,val,normal,extra.png,", "split must be train or test, and label normal or anomaly"),
        ("candle,test,anomaly,extra.png,", "an anomalous picture has no mask, and others"),
        ("candle,test", "has 1 rows with too many or too few fields"),
        ("candle,test,normal,extra.png,,more", "has 1 rows with too many or too few fields"),
        ("../x,test,normal,extra.png,", "a category's name must be of ASCII letters"),
        ("Candle,test,normal,extra.png,", "the names of two categories differ only in upper and lower case"),
    ],
)
def test_a_bad_row_is_refused_in_words(
    row: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = visa_set() | {"extra.png": encoded(surface(90))}
    files[TABLE] += f"\r\n{row}".encode()
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "link.png").symlink_to("/etc/hostname")
    made = prepared(tmp_path, files, capsys)
    assert (made.code, made.is_nothing()) == (1, True)
    assert words in made.err


@pytest.mark.parametrize(
    ("table", "words"),
    [
        (b"\xff\xfe\x00", "cannot be read as a table"),
        (b"", "lacks the columns object, split, label, image, mask"),
        (b"object,split,label,image\r\n", "lacks the columns mask"),
        (HEAD.encode(), "there is no category in it"),
        (f'{HEAD}\r\ncandle,"test\r\n'.encode(), "cannot be read as a table"),
    ],
)
def test_a_bad_table_is_refused_in_words(
    table: bytes, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = prepared(tmp_path, visa_set() | {TABLE: table}, capsys)
    assert (made.code, made.is_nothing()) == (1, True)
    assert words in made.err


def test_wanted_objects_alone_are_taken(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    files = visa_set()
    files[TABLE] += b"\r\npcb1,test,normal,none.JPG,"
    assert prepared(tmp_path, files, capsys, "--category", "candle").code == 0
    made = prepared(tmp_path / "other", files, capsys, "--category", "pcb2")
    assert "there is no such object in split_csv/1cls.csv; there are candle, pcb1: pcb2" in made.err
