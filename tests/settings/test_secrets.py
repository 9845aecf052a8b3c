"""What is no secret: nothing, several lines, control characters."""

from pathlib import Path

import pytest

from monitor.settings import load
from tests.settings.test_settings import configured, mistakes_of


def test_an_empty_secret_is_no_secret(workplace: Path) -> None:
    directory = configured("small")
    (workplace / "blank").write_text(" \n", "utf-8")
    (directory / "monitor.toml").write_text('[web]\ntoken_file = "blank"\n', "utf-8")
    assert mistakes_of(directory) == (
        "config/monitor.toml: $.web.token_file: blank is empty; write the secret into it",
    )


@pytest.mark.parametrize("held", ["hunter2\nhunter3\n", "hunter\x002", "hunter2\x85x"])
def test_a_secret_of_several_lines_or_with_control_characters_is_refused_and_not_shown(
    workplace: Path, held: str
) -> None:
    directory = configured("small")
    (workplace / "word").write_text(held, "utf-8")
    (directory / "monitor.toml").write_text('[web]\ntoken_file = "word"\n', "utf-8")
    why = "holds a line break or another control character within; write the secret alone, on one line"
    assert mistakes_of(directory) == (f"config/monitor.toml: $.web.token_file: word {why}",)


def test_a_key_may_have_several_lines_and_a_password_any_letters(workplace: Path) -> None:
    directory = configured("small")
    key, password = "c29tZSBrZXkgb2Y=\nbW9yZSBsaW5lcw==", "p\u00a0w\u200dd"
    (workplace / "key").write_text(key + "\n", "utf-8")
    (workplace / "password").write_text(password + "\n", "utf-8")
    (directory / "monitor.toml").write_text(
        '[web]\ntoken_file = "password"\n[store]\nauthor_key_file = "key"\n', "utf-8"
    )
    found = load(directory, {})
    assert found.author_key is not None
    assert found.author_key.reveal() == key
    assert found.web_token is not None
    assert found.web_token.reveal() == password
