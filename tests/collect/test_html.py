"""HTML of posts becomes the text that people read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitor.collect.html import text_of

LINK = (
    '<a href="https://a.example/1"><span class="invisible">https://</span><span class="ellipsis">a.example/1</span></a>'
)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>first<br>second<br/>third</p><p>fourth</p>", "first\nsecond\nthird\nfourth"),
        ("<div>one</div><div>two</div>", "one\ntwo"),
        ("fish &amp; chips &lt;3 &#39;now&#39;", "fish & chips <3 'now'"),
        ('<p><span class="h-card"><a href="x">@<span>ann</span></a></span> says</p>', "@ann says"),
        ('<p>at <a rel="tag">#<span>harbour</span></a></p>', "at #harbour"),
        (f"<p>see {LINK}</p>", "see a.example/1"),
        ("<p>kept</p><script>act()</script><style>p{}</style>", "kept"),
        ("<p>a\n  b</p>\n\n<p>c</p>", "a b\nc"),
        ("line\nbreaks of the source", "line breaks of the source"),
        ("<p>پنجشیر</p>", "پنجشیر"),
        ("1 < 2", "1 < 2"),
        ("", ""),
        ("<![x[ open", ""),
        ("<p>open <b>for ever", "open for ever"),
    ],
)
def test_html_reads_as_text(html: str, text: str) -> None:
    assert text_of(html) == text


@given(html=st.text(alphabet=st.sampled_from(list("<>/&;!-[]='\" \n\0\x1eabp")), max_size=60) | st.text(max_size=60))
def test_any_text_reads_as_some_text(html: str) -> None:
    said = text_of(html)
    assert said == said.strip()
    assert "\x1e" not in said


def test_markup_nested_without_end_is_read_to_a_bound() -> None:
    assert text_of("<b>" * 10_000 + "deep" + "<i>" * 1_000_000) == "deep"
