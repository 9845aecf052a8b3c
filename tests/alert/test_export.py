"""Briefs: authors only if asked for, deletions honoured, and no text acts in Markdown or a spreadsheet."""

import csv
import io
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from monitor.alert import words
from monitor.alert.export import Brief, brief
from monitor.alert.export_files import COLUMNS, as_csv, as_json, as_markdown
from monitor.marks import AckMark, FactCheck, Status, StatusMark
from monitor.records import AlertState
from tests.fakes.alerts import AT, a_piece, an_alert
from tests.fakes.corpus import hostile

WHO = "mirwais_kh"
PIECE = a_piece(
    0,
    id=f"at://{WHO}/1",
    author="pseudonym-of-him",
    voice="voice-of-him",
    url=f"https://example.org/@{WHO}/1",
    text=f"@{WHO} and @b.c@social.example say so, see https://example.org/{WHO}/9 (a@b)",
    payload_sha256="ab" * 32,
)


def made(*, authors: bool = False, **fields: Any) -> Brief:  # noqa: ANN401
    fired = an_alert(evidence=(PIECE, a_piece(1, tag="denial")))
    last = an_alert(
        state=AlertState.RESOLVED, at=AT + timedelta(hours=1), claims=90, evidence=(PIECE, a_piece(7)), **fields
    )
    return brief(last, fired, AT + timedelta(hours=2), authors=authors)


def rows(one: Brief) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(as_csv(one).decode("utf-8-sig"), newline="")))


def test_posts_of_the_firing_come_first_and_are_called_frozen() -> None:
    found = rows(made())
    assert [(one["number"], one["frozen"], one["tag"]) for one in found] == [
        ("1", "yes", "claim"),
        ("2", "yes", "denial"),
        ("3", "no", "claim"),
    ]
    assert found[0]["sha256"] == "ab" * 32
    text = as_markdown(made(), chart="chart.png").decode()
    assert "As it fired first, 2021-09-03 14:30:00 UTC" in text
    assert "41 claims against 3 denials" in text
    assert "90 claims against 3 denials" in text
    assert f"![{words.CHART}](chart.png)" in text


def test_nobody_is_named_unless_asked_for() -> None:
    for file in (as_json, as_csv, as_markdown):
        plain, full = file(made()).decode(), file(made(authors=True)).decode()
        for name in (WHO, "pseudonym", "voice-of-him", "b.c@social", "author-1"):
            assert name not in plain
        assert "pseudonym" in full
        assert "https://example.org/" in file(made()).decode().replace("[:]", ":")
    assert rows(made())[0]["text"] == "'＠… and ＠… say so, see https://example.org/ (a＠b)"
    assert words.BRIEF_REDACTED in as_markdown(made()).decode()
    assert words.BRIEF_WITH_AUTHORS in as_markdown(made(authors=True)).decode()


def test_a_label_names_nobody_either() -> None:
    assert WHO not in as_json(made(label=f"@{WHO}: it has fallen")).decode()


@pytest.mark.parametrize(
    ("evidence", "left"),
    [
        (f"bluesky:at://did:plc:{WHO}/app.bsky.feed.post/3k", "bluesky:…"),
        (f"x:1234{WHO}", "x:…"),
        (f"https://x.com/{WHO}/status/1", "https://x.com/"),
        (f"he says so: at://did:plc:{WHO}/x, did:plc:{WHO}, @{WHO}", "he says so: @…, @…, @…"),
    ],
)
def test_whoever_set_a_status_took_it_on_or_was_reviewed_is_not_named(evidence: str, left: str) -> None:
    said = StatusMark(
        at=AT,
        event="fall",
        narrative="n1",
        status=Status.DENIED,
        by=f"{WHO} (U1, Slack)",
        evidence=evidence,
        voice=True,
    )
    taken = AckMark(at=AT, alert="a1", by=WHO, assignee=f"{WHO} 2", comment=f"ask @{WHO}")
    check = FactCheck(at=AT, event="fall", claim=f"@{WHO} won", by="Checks", rating="Misleading", claimant=WHO)
    fields: dict[str, Any] = {"said": said, "acknowledged": taken, "checks": (check,), "subject": f"voice:{WHO}"}
    for file in (as_json, as_markdown):
        assert WHO not in file(made(**fields)).decode()
        assert WHO in file(made(authors=True, **fields)).decode()
    kept = made(**fields).alert
    assert kept.said is not None
    assert (kept.said.evidence, kept.said.status, kept.said.voice) == (left, Status.DENIED, True)
    assert [(one.by, one.rating) for one in kept.checks] == [("Checks", "Misleading")]


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("see (https://x.example/hamid/1), now", "see (https://x.example/), now"),
        ("[here](http://x.example)", "[here] (http://x.example/)"),
        ("by t.me/hamid_k and www.x.example/hamid.", "by t.me/ and www.x.example/."),
        ("write to hamid.k@mail.example.org!", "write to ＠…!"),
        ("u/hamid, /u/hamid and /user/hamid say", "＠…, ＠… and ＠… say"),
        ("3/4 of it, 1.5/2, and/or", "3/4 of it, 1.5/2, and/or"),
    ],
)
def test_no_link_and_no_address_names_somebody(said: str, shown: str) -> None:
    post = a_piece(0, text=said)
    (row,) = rows(brief(an_alert(evidence=()), an_alert(evidence=(post,)), AT, authors=False))
    assert row["text"].removeprefix("'") == shown


@pytest.mark.parametrize("authors", [False, True])
def test_of_a_deleted_post_stays_a_line(authors: bool) -> None:  # noqa: FBT001
    gone = replace(PIECE, text="", author=None, url=None, payload_sha256=None)
    one = brief(an_alert(evidence=()), an_alert(evidence=(gone,)), AT, authors=authors)
    (row,) = rows(one)
    assert (row["deleted"], row["text"], row["tag"]) == ("yes", words.REMOVED, "claim")
    assert words.REMOVED in as_markdown(one).decode().replace("\\", "")


def test_json_comes_back_as_it_was() -> None:
    assert msgspec.json.decode(as_json(made(authors=True)), type=Brief) == made(authors=True)


@pytest.mark.parametrize("text", [*hostile(), "=1+1", "-2+3", "+cmd|' /C calc'!A0", "@SUM(1)", "\t=1", "\r=1", "%0A=1"])
def test_hostile_text_is_text(text: str) -> None:
    alert = an_alert(label=text, evidence=(a_piece(0, text=text, author=text, url=text, id=text, platform="x"),))
    one = brief(alert, alert, AT, authors=True)
    sheet = as_csv(one).decode("utf-8-sig")
    assert len(list(csv.reader(io.StringIO(sheet, newline="")))) == 2
    for row in rows(one):
        assert set(row) == set(COLUMNS)
        for cell in row.values():
            assert not cell.startswith(("=", "+", "-", "@", "＠", "\t", "\r", "|", "%"))
            assert cell.isprintable() or "\u200c" in cell
    markdown = as_markdown(one).decode()
    shown = markdown.replace("\\", "")
    assert "<script" not in shown
    assert "<img" not in shown
    assert "](http" not in markdown
    assert all(line.startswith(("#", "*", " ", "1.", "!", "Made")) or not line for line in markdown.splitlines())
