"""What is written on a user's own pictures: read from a file, matched to pictures, counted."""

from __future__ import annotations

from pathlib import Path

import pytest

from digitlab.errors import DataError
from digitlab.recognition.labels import Label, Outcome, Score, match_labels, outcome, read_labels, score
from digitlab.recognition.reading import Reading, Reason


def written(tmp_path: Path, text: str, encoding: str = "utf-8") -> Path:
    path = tmp_path / "labels.csv"
    path.write_bytes(text.encode(encoding))
    return path


def said(text: str) -> Reading:
    return Reading("ok", text, ()) if text else Reading("rejected", "", (), Reason.NOT_A_DIGIT)


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_labels_are_read_as_spreadsheets_write_them(tmp_path: Path, delimiter: str, encoding: str) -> None:
    lines = [
        ["File ", "LABEL", "Group"],
        ["a.png", "1974", "Zoë"],
        ["b/c.png", " 12 34 ", ""],
        ["d.png", "", "Zoë"],
        ["", "", ""],
    ]
    text = "\r\n".join(delimiter.join(line) for line in lines)
    labels = read_labels(written(tmp_path, text, encoding))
    assert labels.entries == (
        Label("a.png", "1974", "Zoë"),
        Label("b/c.png", "1234"),
        Label("d.png", "", "Zoë"),
    )
    assert labels.unused == ()


def test_the_order_of_columns_is_free_and_others_are_named(tmp_path: Path) -> None:
    labels = read_labels(written(tmp_path, 'note,label,file\n"a, b",7,a.png\n'))
    assert labels.entries == (Label("a.png", "7"),)
    assert labels.unused == ("note",)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "expected one column 'file', found nothing; write a header  file,label"),
        ("a.png,7\n", "expected one column 'file', found a.png, 7; write a header"),
        ("file,file,label\na,b,7\n", "expected one column 'file'"),
        ("file,label\n", "expected a line for each picture, found none"),
        (
            "file,label\na.png,3.975,00\n",
            "line 2: expected 2 columns, found 3; put fields with a , between quotes",
        ),
        ('file,label\na.png,"3.975,00"\n', "expected digits as the label, found '3.975,00'; write 397500"),
        ("file,label\na.png,seven\n", "line 2: expected digits as the label, found 'seven'; leave it empty"),
        ("file,label\na.png,7\na.png,7\n", "line 3: 'a.png' has a label already; keep one of them"),
        ("file,label\n,7\n", "line 2: expected the name of a picture, found none; remove the line"),
    ],
)
def test_a_file_of_labels_that_cannot_be_used_is_one_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError) as caught:
        read_labels(written(tmp_path, text))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_labels_in_another_encoding_and_labels_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="expected CSV in UTF-8, found another encoding; save it as UTF-8"):
        read_labels(written(tmp_path, "file,label\nä.png,7\n", "latin-1"))
    with pytest.raises(DataError, match=r"nothing\.csv: cannot be read: No such file or directory"):
        read_labels(tmp_path / "nothing.csv")


def test_pictures_may_be_named_from_the_labels_from_the_folder_or_in_full(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    names = [str(folder / name) for name in ("a.png", "b.png", "c.png")]
    labels = [Label("in/a.png", "1"), Label("b.png", "2"), Label(names[2], "3"), Label("d.png", "4")]
    found, missing = match_labels(labels, names, [tmp_path, folder])
    assert {name: label.text for name, label in found.items()} == dict(zip(names, "123", strict=True))
    assert missing == [labels[3]]


@pytest.mark.parametrize(
    ("label", "text", "expected"),
    [
        ("1974", "1974", Outcome.READ),
        ("0316654321", "031\n6654321", Outcome.READ),
        ("1974", "197", Outcome.WRONG),
        ("1974", "197?", Outcome.REFUSED),
        ("1974", "", Outcome.REFUSED),
        ("", "", Outcome.REFUSED),
        ("", "7", Outcome.WRONG),
    ],
)
def test_a_picture_is_read_wrong_or_refused(label: str, text: str, expected: Outcome) -> None:
    assert outcome(said(text), Label("a.png", label)) is expected


def test_scores_are_by_group_and_pictures_without_a_number_are_counted_apart() -> None:
    answers = [
        (Label("a", "12", "Ann"), said("12")),
        (Label("b", "34", "Ann"), said("3")),
        (Label("c", "56", "Bob"), said("5?")),
        (Label("d", "78", "Bob"), said("87")),
        (Label("e", "", "Bob"), said("")),
    ]
    scores = {(one.group, one.numbers): one for one in score(answers)}
    assert list(scores) == [("Ann", True), ("Bob", True), ("all", True), ("Bob", False)]
    assert scores["Ann", True] == Score("Ann", True, (Outcome.READ, Outcome.WRONG), shorter=1)
    assert scores["Bob", True] == Score("Bob", True, (Outcome.REFUSED, Outcome.WRONG), shorter=0)
    values = scores["all", True].to_values()
    assert (values["n"], values["read"]["count"], values["wrong"]["share"]) == (4, 1, 0.5)
    assert values["read"]["interval"] == pytest.approx([0.0456, 0.6994], abs=1e-3)
    assert scores["Bob", False].count(Outcome.REFUSED) == 1
