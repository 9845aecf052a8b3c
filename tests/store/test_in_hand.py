"""What is in hand outlives a crash; poison is set aside, and nothing else is."""

import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from monitor.arrivals import Payload
from monitor.errors import StoreError
from monitor.store.in_hand import CONVICTED, InHand

A, B = Payload("posts", b"a", "1"), Payload("posts", b"b", "2")
NOTE = "in-hand.json"


def died(folder: Path, *payloads: Payload) -> None:
    """A run that ends without a trace while these are in hand."""
    in_hand = InHand(folder)
    with in_hand.walked(noted(in_hand, payloads)):
        pass
    os.close(in_hand._file)  # noqa: SLF001 -- nothing of an orderly end


def failed(folder: Path, *payloads: Payload) -> None:
    """A run that ends by an error in the walk of these."""
    in_hand = InHand(folder)
    with suppress(ZeroDivisionError, StoreError), in_hand.walked(noted(in_hand, payloads)):
        raise ZeroDivisionError
    in_hand.close()


def noted(in_hand: InHand, payloads: Sequence[Payload]) -> dict[str, int]:
    return {InHand.digest(one): in_hand.points(InHand.digest(one)) or 0 for one in payloads}


def points(folder: Path, *payloads: Payload) -> list[int | None]:
    """What the next run knows of them; it says nothing itself."""
    in_hand = InHand(folder)
    try:
        return [in_hand.points(InHand.digest(one)) for one in payloads]
    finally:
        os.close(in_hand._file)  # noqa: SLF001 -- the note stays as it was


@pytest.fixture
def in_hand(tmp_path: Path) -> Iterator[InHand]:
    made = InHand(tmp_path)
    yield made
    made.close()


def test_after_an_orderly_run_there_are_no_suspects(tmp_path: Path) -> None:
    in_hand = InHand(tmp_path)
    digest = InHand.digest(A)
    with in_hand.walked({digest: 0}):
        pass
    in_hand.release([digest])
    in_hand.close()
    assert points(tmp_path, A) == [None]


def test_a_run_that_ends_for_another_reason_suspects_nobody(tmp_path: Path) -> None:
    in_hand = InHand(tmp_path)
    with in_hand.walked({InHand.digest(A): 0}):
        pass
    in_hand.close()  # walked, never committed: the store, a receiver, the web failed
    assert points(tmp_path, A) == [None]


def test_after_a_death_without_a_trace_all_are_suspects_and_nothing_speaks_against_one(tmp_path: Path) -> None:
    died(tmp_path, A, B)
    assert points(tmp_path, A, B) == [0, 0]


def test_four_deaths_with_it_alone_in_hand_convict(tmp_path: Path) -> None:
    for deaths in range(1, 5):
        died(tmp_path, A)
        assert points(tmp_path, A, B) == [deaths, None]
    assert deaths == CONVICTED


def test_an_error_speaks_against_all_in_hand_and_two_in_a_row_convict(tmp_path: Path) -> None:
    failed(tmp_path, A, B)
    assert points(tmp_path, A, B) == [2, 2]
    failed(tmp_path, A)
    assert points(tmp_path, A) == [CONVICTED]


def test_suspects_of_a_death_go_in_groups_and_those_of_an_error_alone(tmp_path: Path) -> None:
    many = [Payload("posts", b"%d" % number, None) for number in range(100)]
    died(tmp_path, *many)
    in_hand = InHand(tmp_path)
    assert in_hand.at_once == 7
    in_hand.close()
    failed(tmp_path, *many)
    in_hand = InHand(tmp_path)
    assert in_hand.at_once == 1
    in_hand.close()


def test_a_suspect_that_was_committed_is_none_any_more(tmp_path: Path) -> None:
    died(tmp_path, A, B)
    in_hand = InHand(tmp_path)
    with in_hand.walked({InHand.digest(A): 0}):
        pass
    in_hand.release([InHand.digest(A)])
    assert in_hand.points(InHand.digest(A)) is None
    assert in_hand.points(InHand.digest(B)) == 0
    in_hand.close()


def test_the_same_bytes_of_two_sources_are_two_payloads() -> None:
    assert InHand.digest(A) != InHand.digest(A._replace(source="other"))
    assert InHand.digest(A) == InHand.digest(A._replace(resume="9"))


@pytest.mark.parametrize("torn", [b"", b'{"points":{"a', b"\xff\xfe", b"[]", b"null", b"\0" * 50])
def test_a_torn_note_accuses_nobody(tmp_path: Path, torn: bytes) -> None:
    (tmp_path / NOTE).write_bytes(torn)
    assert points(tmp_path, A) == [None]
    died(tmp_path, A)
    assert points(tmp_path, A) == [1]


def test_a_note_is_overwritten_in_place_and_a_shorter_one_leaves_nothing_of_the_longer(tmp_path: Path) -> None:
    many = [Payload("posts", b"%d" % number, None) for number in range(50)]
    died(tmp_path, *many)
    size = (tmp_path / NOTE).stat().st_size
    died(tmp_path, A)
    assert (tmp_path / NOTE).stat().st_size == size
    assert points(tmp_path, A, many[7]) == [1, None]


def test_quarantine_keeps_the_bytes_for_the_monitors_user_and_group_only(in_hand: InHand, tmp_path: Path) -> None:
    poison = Payload("posts", bytes(range(256)) * 100, "1")
    before = os.umask(0)
    try:
        path = in_hand.quarantine(poison, InHand.digest(poison))
    finally:
        os.umask(before)
    assert path.parent == tmp_path
    assert path.name == f"posts-{InHand.digest(poison)}.payload"
    assert path.read_bytes() == poison.body
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / NOTE).stat().st_mode) & 0o007 == 0


def test_what_is_set_aside_stays_so_until_somebody_takes_the_file_away(in_hand: InHand, tmp_path: Path) -> None:
    path = in_hand.quarantine(A, InHand.digest(A))
    assert points(tmp_path, A, B) == [CONVICTED, None]
    path.unlink()
    assert points(tmp_path, A) == [None]


def test_a_quarantine_that_fails_may_be_repeated(tmp_path: Path) -> None:
    failed(tmp_path, A)
    failed(tmp_path, A)
    in_hand = InHand(tmp_path)
    digest = InHand.digest(A)
    blocking = tmp_path / f"posts-{digest}.payload"
    blocking.mkdir()
    with pytest.raises(StoreError, match="free space, or name another folder") as raised:
        in_hand.quarantine(A, digest)
    assert raised.value.passes
    assert in_hand.points(digest) == CONVICTED
    blocking.rmdir()
    assert in_hand.quarantine(A, digest).read_bytes() == A.body
    in_hand.close()


def test_a_folder_that_cannot_be_made_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StoreError, match=r"file/in-hand: cannot be written \(Not a directory\)") as raised:
        InHand(tmp_path / "file" / "in-hand")
    assert raised.value.passes


def test_a_note_that_cannot_be_written_keeps_the_payload_from_being_walked(tmp_path: Path) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full on this system")
    (tmp_path / NOTE).symlink_to(full)
    in_hand = InHand(tmp_path)
    walked = False
    with pytest.raises(StoreError, match="No space left") as raised, in_hand.walked({"a": 0}):
        walked = True
    assert raised.value.passes
    assert not walked
    in_hand.close()


def test_a_full_disk_does_not_hide_the_bug(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    full = Path("/dev/full")
    if not full.exists():
        pytest.skip("no /dev/full on this system")
    in_hand = InHand(tmp_path)
    handle = in_hand._file  # noqa: SLF001 -- the disk fills up meanwhile

    def walk() -> None:
        os.dup2(os.open(full, os.O_RDWR), handle)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), in_hand.walked({"a": 0}):
        walk()
    assert "cannot be written (No space left" in caplog.text
    in_hand.close()


def test_a_suspect_that_does_not_come_again_at_once_keeps_what_speaks_against_it(tmp_path: Path) -> None:
    failed(tmp_path, A)
    failed(tmp_path, B)
    assert points(tmp_path, A, B) == [2, 2]
    failed(tmp_path, A)
    assert points(tmp_path, A, B) == [CONVICTED, 2]
    in_hand = InHand(tmp_path)
    with in_hand.walked({InHand.digest(B): 2}):
        pass
    in_hand.release([InHand.digest(B)])
    in_hand.close()
    assert points(tmp_path, A, B) == [CONVICTED, None]
