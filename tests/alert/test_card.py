from datetime import timedelta

from classifiers.tags import TAGS
from monitor.alert import words
from monitor.alert.card import Card, card, fitted, plain, step, update
from monitor.marks import GapMark, Status, StatusMark
from tests.fakes.alerts import AT, a_piece, an_alert
from tests.fakes.corpus import a_check
from tests.fakes.desk import LINKS


def a_full_card() -> Card:
    gaps = tuple(GapMark(source=f"s{n}", begins=AT, ends=AT + timedelta(minutes=n), why="w" * 90) for n in range(5))
    pieces = tuple(a_piece(n, text=f"long text {n} " * 30) for n in range(5))
    return card(an_alert(evidence=pieces, blind=gaps, label="claim " * 60, proposition="other " * 60))


def within(limit: int) -> str:
    return fitted(a_full_card(), plain, lambda text: len(text) <= limit)


def test_a_card_that_fits_is_left_as_it_is() -> None:
    assert within(10_000) == plain(a_full_card())


def test_posts_go_first_and_the_card_says_how_many() -> None:
    shorter = within(2_000)
    assert "Posts left out here:" in shorter
    assert "s4 blind" in shorter
    assert words.CHANGE in shorter


def test_parts_of_a_source_that_are_blind_are_one_line_and_whole_sources_come_before_them() -> None:
    def gap(source: str, minutes: int, *, goes_on: bool = False) -> GapMark:
        return GapMark(source=source, begins=AT, ends=AT + timedelta(minutes=minutes), why="no", goes_on=goes_on)

    wholes = [gap(f"s{n}", n) for n in range(3)]
    parts = [gap(f"rss: <b>@all{n}", 9, goes_on=True) for n in range(9)]
    shown = card(an_alert(blind=(*wholes, *parts, gap("rss: over", 10), gap("tg: a", 11)))).blind
    assert [line.partition(" ")[0] for line in shown] == ["s0", "s1", "s2", "rss:", "tg:"]
    assert shown[3].endswith("; 9 more of its parts are or were blind")
    assert "<" not in shown[3]
    assert "@all" not in shown[3]
    assert len(card(an_alert(blind=(*(gap(f"s{n}", n) for n in range(7)), *parts))).blind) == 5


def test_numbers_and_the_reason_never_go() -> None:
    least = within(1)
    for said in ("41 claims against 3 denials", "Celebration reports: 17. Questions: 5.", "threshold 3", "s0 blind"):
        assert said in least
    assert len(least) < 1_100
    assert "long text" not in least


def test_every_limit_gives_the_longest_card_that_fits() -> None:
    before = 0
    for limit in range(1_100, len(plain(a_full_card())), 100):
        assert before <= len(within(limit)) <= limit
        before = len(within(limit))


def test_a_short_update_names_the_alert_and_links_one_post() -> None:
    text = plain(update(a_full_card()))
    assert "Update of an earlier message: Alert a1" in text
    assert text.count("https://") == 1
    assert "41 claims against 3 denials" in text


def test_a_short_update_leads_to_the_page_that_shows_the_alert() -> None:
    acts = LINKS.of(an_alert(), "desk")
    assert update(a_full_card()._replace(actions=acts)).above()[0].link == acts[0].url
    assert update(a_full_card()).above()[0].link is None


def test_the_parts_stand_in_the_order_of_the_newsroom() -> None:
    said = StatusMark(at=AT, event="fall", narrative="n1", status=Status.DENIED, by="A", evidence="b")
    alert = an_alert(status=Status.DENIED, said=said, change="status_set", checks=(a_check("c", ""),))
    text = plain(card(alert))
    parts = (
        "DENIED", "Claim:", "First shown here:", "Now:", "Celebration reports:", "Told because:", "Status set",
        "Fact check", "Posts:", "Why it fired:", "Holds since:", "Confidence:", "telegram blind",
        "What would change it:",
    )  # fmt: skip
    places = [text.index(part) for part in parts]
    assert places == sorted(places)
    assert text.splitlines()[1].startswith("Claim:")


def test_a_registered_voice_is_named_and_nobody_else() -> None:
    voiced, plain_one = a_piece(0, voice="Radio Valley"), a_piece(1, tag="denial")
    shown = card(an_alert(evidence=(voiced, plain_one)))
    assert shown.first == "Radio Valley, a registered voice, x, 2021-09-03 13:30 UTC"
    assert [post.where.startswith("Radio Valley, ") for post in shown.posts] == [True, False]
    assert "author-" not in plain(shown)


def test_every_tag_of_a_post_has_its_word() -> None:
    assert set(words.TAG) == set(TAGS)
    (shown,) = card(an_alert(evidence=(a_piece(0, tag="<b>"),))).posts
    assert shown.tag == "‹b›"


def test_a_possible_repeat_is_said_right_under_the_title() -> None:
    assert plain(card(an_alert(), repeat=True)).splitlines()[1] == words.REPEAT


def test_the_first_post_is_the_one_posted_first_and_says_when_it_was_seen_much_later() -> None:
    late = a_piece(0, posted_at=AT - timedelta(hours=3), seen_at=AT - timedelta(hours=1))
    soon = a_piece(1, posted_at=AT - timedelta(hours=2), seen_at=AT - timedelta(hours=2))
    assert card(an_alert(evidence=(soon, late))).first == (
        "x, 2021-09-03 11:30 UTC; the monitor saw it 2021-09-03 13:30 UTC"
    )
    assert card(an_alert(evidence=(soon,))).first == "x, 2021-09-03 12:30 UTC"


def test_an_id_of_bluesky_is_a_link_to_the_post_and_never_stands_where_one_is_expected() -> None:
    post = "at://did:plc:abc/app.bsky.feed.post/3kxyz"
    page = "https://bsky.app/profile/did:plc:abc/post/3kxyz"
    for url in (None, post):
        shown = card(an_alert(evidence=(a_piece(0, platform="bluesky", id=post, url=url),)))
        assert (shown.first_link, shown.posts[0].link) == (page, page)
    said = StatusMark(
        at=AT, event="fall", narrative="n1", status=Status.DENIED, by="A", evidence=f"bluesky:{post}", voice=True
    )
    assert page in card(an_alert(said=said)).said
    assert card(an_alert(evidence=(a_piece(0, id=post, url=None, text=""),))).posts[0].link is None
    assert card(an_alert(evidence=(a_piece(0, id="at://x", url="at://x"),))).posts[0].link is None


def test_what_has_changed_is_one_line() -> None:
    assert step(card(an_alert())).startswith("UNCONFIRMED · firing · fall. 41 claims against 3 denials")
    assert "\n" not in step(card(an_alert()))


def test_the_reason_says_times_in_minutes_and_leaves_readings_to_the_api() -> None:
    numbers = {"log_e": 4.2, "lag_s": 26_010.0, "claims_100_s": 33_170.0, "denials_1500_s": 9.0}
    why = card(an_alert(numbers=numbers)).why
    assert "first denial after 434 min" in why
    assert "33" not in why
    assert "1500" not in why
