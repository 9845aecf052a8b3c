import io

from monitor.alert.message import card_text
from monitor.alert.receivers.terminal import Terminal, TerminalSettings
from tests.fakes.alerts import a_notification, an_alert


async def test_the_card_is_written_with_an_empty_line_behind_it() -> None:
    stream = io.StringIO()
    await Terminal(TerminalSettings(name="desk"), stream).send(a_notification())
    assert stream.getvalue() == card_text(an_alert()) + "\n\n"


async def test_a_terminal_that_cannot_show_a_letter_shows_a_question_mark() -> None:
    plain = io.TextIOWrapper(io.BytesIO(), "ascii")
    await Terminal(TerminalSettings(name="desk"), plain).send(a_notification(alert=an_alert(label="پنجشیر")))
    assert b"Claim: ??????" in plain.buffer.getvalue()
