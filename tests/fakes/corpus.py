"""Alerts from short to extreme in all scripts, and strings that would like to act. All made up."""

from datetime import timedelta
from random import Random

from monitor.marks import AckMark, FactCheck, GapMark, Status, StatusMark
from monitor.records import Alert, AlertState, Series
from tests.fakes.alerts import AT, a_piece, an_alert

SCRIPTS = {
    "latin": "The valley has fallen, says a voice",
    "dari": "دره سقوط کرده است، می‌گویند مردم",
    "pashto": "دره نيول شوې ده، خلک وايي",
    "urdu": "وادی گر گئی ہے، لوگ کہتے ہیں",
    "arabic": "سقط الوادي، يقول الناس",
    "hebrew": "העמק נפל, אומרים אנשים",
    "cyrillic": "Долина пала, говорят люди",
    "greek": "Η κοιλάδα έπεσε, λένε",
    "chinese": "山谷已经陷落人们这样说",
    "japanese": "谷が落ちたと人々は言う",
    "korean": "계곡이 무너졌다고 말한다",
    "hindi": "घाटी गिर गई है, लोग कहते हैं",
    "thai": "หุบเขาแตกแล้วผู้คนพูดกัน",
    "amharic": "ሸለቆው ወደቀ ይላሉ ሰዎች",
    "tamil": "பள்ளத்தாக்கு வீழ்ந்தது என்கிறார்கள்",
    "emoji": "🏔️👨‍👩‍👧‍👦🇦🇫🇩🇪👍🏽🔥⚠️",
    "marks": "v\u0301\u0302\u0303\u0304\u0305\u0306a\u0301\u0302l\u0327l e\u0323y",
    "markup": "&&&&<<<>>>\"\"''**__~~||``##[[]](())!!--",
}
LENGTHS = (0, 1, 12, 60, 199, 240, 2_000)

_ACTS = (
    "<!channel>",
    "<!here>",
    "<!everyone>",
    "<!subteam^S123|desk>",
    "<@U123ABC>",
    "<#C123|general>",
    "<@!123>",
    "<@&123>",
    "<@everyone>",
    "@everyone",
    "@here",
    "@channel",
    "@all",
    "@room",
    "@desk:test.local",
    "@bot",
    "<at>Desk</at>",
    "<https://example.com|your bank>",
    "[your bank](https://example.com)",
    "[x](<javascript:alert(1)>)",
    "![x](https://example.com/pixel.png)",
    "[a]: https://example.com",
    "<a href='https://example.com'>bank</a>",
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "</b></a><b>",
    "<!--",
    "]]>",
    "<tg-spoiler>x",
    '<a href="tg://user?id=1">x</a>',
    "tg://resolve?domain=x",
    "<mx-reply>x</mx-reply>",
    "&lt;!channel&gt;",
    "&#64;here",
    "&amp;lt;!here&amp;gt;",
    "\u202ereversed\u202c",
    "\u2066isolated\u2069",
    "\u200fmark",
    "\u200b\u200c\u200d",
    "z\u200be\u200br\u200bo",
    "@\u200beveryone",
    "@\u2060here",
    "\ufeff@channel",
    "＠everyone",
    "<\u200b!channel>",
    "\u2028line",
    "two\nlines",
    "\r\nSubject: x",
    "\x00\x07\x1b[31m",
    "\x1b]8;;https://example.com\x07x",
    ":partyparrot:",
    ":rotating_light::rotating_light:",
    "<:pwn:123456>",
    "<a:pwn:123456>",
    "<t:0:R>",
    "*bold* _it_ ~no~ `code`",
    "**bold** __u__ ~~no~~ ||spoiler||",
    "```\nblock\n```",
    "> quote",
    ">>> all",
    "# title",
    "## title",
    "- item",
    "1. item",
    "---",
    "===",
    "| a | b |",
    "\\*",
    "\\\\[x](y)",
    "\\",
    "$$x$$",
    "~town-square",
    "#hashtag",
    "/delete",
    "/start@bot",
    "$CASH",
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(1)",
    "\t=1",
    "{{7*7}}",
    "${x}",
    "%s%n",
    "{0.__class__}",
    "https://example.com/login",
    "http://xn--80ak6aa92e.com",
    "example.com",
    "user:pw@example.com",
    "https://example.com@evil.test/",
    "javascript:alert(1)",
    "data:text/html,x",
    "mailto:x@example.com",
    "\ud83d",
    "a" * 999,
    "é" * 300,
    "e\u0301" * 600,
    "\u0301" * 50,
    "👨‍👩‍👧‍👦" * 300,
    "🇦🇫" * 333,
    "ﷺ" * 400,
    "\U000e0041\U000e0042",
    "￿",
    "\ue000",
    "UNCONFIRMED",
    "CONFIRMED, as the desk set it",
)


def hostile() -> list[str]:
    """Strings that would like to act, alone, between words, and behind markup that is left open."""
    return [text for one in _ACTS for text in (one, f"so {one} they", f"[{one}](x) **{one}")]


def alerts(count: int, seed: int) -> list[Alert]:
    """Alerts of every script, length and fullness."""
    chance = Random(seed)
    return [_alert(chance, number) for number in range(count)]


def _alert(chance: Random, number: int) -> Alert:
    def text() -> str:
        script = SCRIPTS[chance.choice(sorted(SCRIPTS))]
        length = chance.choice(LENGTHS)
        return (f"{script} " * (length // len(script) + 1))[:length]

    pieces = tuple(
        a_piece(
            n,
            text=text(),
            cues=chance.choice([None, text()]),
            url=chance.choice([None, f"https://example.org/{n}", f"https://example.org/{'x' * 470}"]),
        )
        for n in range(chance.choice([0, 1, 3, 6]))
    )
    gaps = tuple(
        GapMark(source=f"s{n}", begins=AT - timedelta(minutes=n + 1), ends=AT, why=text())
        for n in range(chance.choice([0, 1, 8]))
    )
    said = StatusMark(at=AT, event="fall", narrative="n", status=Status.DENIED, by=text(), evidence=text())
    sides = [
        tuple(chance.randint(0, (number * 37) % 9_999) for _ in range(chance.choice([1, 30, 180]))) for _ in range(3)
    ]
    series = Series(begins=AT - timedelta(hours=3), claims=sides[0], denials=sides[1], celebrations=sides[2])
    return an_alert(
        series=chance.choice([None, series]),
        id=f"a{number}",
        label=text(),
        proposition=text() or "p",
        event=text()[:80] or "e",
        status=chance.choice(list(Status)),
        state=chance.choice(list(AlertState)),
        claims=chance.choice([0, 41, 10**9]),
        reason=chance.choice(["claims_outrun_denials", "x" * 500]),
        numbers={
            f"number_{n}": chance.random() * 10 ** chance.randrange(-9, 300) for n in range(chance.choice([0, 4, 60]))
        },
        evidence=pieces,
        blind=gaps,
        said=chance.choice([None, said]),
        checks=tuple(a_check(text(), text()) for _ in range(chance.choice([0, 1, 3]))),
        acknowledged=chance.choice([None, AckMark(at=AT, alert=f"a{number}", by=text() or "A", comment=text())]),
    )


def a_check(text: str, url: str) -> FactCheck:
    """A fact check with a string wherever a stranger's text can stand."""
    return FactCheck(
        at=AT, event="fall", claim=text, by=text, rating=text, url=url, title=text, claimant=text, language=text
    )
