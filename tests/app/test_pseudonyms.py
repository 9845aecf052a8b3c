"""Authors are hidden before anything is done with a post, voices are not, and the key is nobody else's."""

from pathlib import Path

import pytest

from monitor.app.pseudonyms import KEY_FILE, Pseudonyms, pseudonyms
from monitor.errors import SettingsError
from monitor.settings import AuthorNames, Settings, load
from monitor.watched import Event, Voice, VoiceKind
from tests.fakes.stream import posts

EVENT = 'name = "fall"\nproposition = "It has fallen"\nany = ["bazarak"]\n'
WIRE = Voice(name="The Agency", kind=VoiceKind.WIRE, accounts=("x:agency",))


def configured(folder: Path, store: str = "", environ: dict[str, str] | None = None) -> Settings:
    (folder / "events").mkdir(parents=True)
    (folder / "events" / "fall.toml").write_text(EVENT, "utf-8")
    (folder / "monitor.toml").write_text(f"[store]\n{store}\n", "utf-8")
    return load(folder, environ or {})


def hidden(by: Pseudonyms, *authors: str | None, platform: str = "x") -> list[str | None]:
    stream = posts(*({"at": n, "id": f"p{n}", "author": who, "platform": platform} for n, who in enumerate(authors)))
    found: list[str | None] = by.hide(stream)["author"].to_list()
    return found


def test_an_author_keeps_one_pseudonym_per_platform_and_key() -> None:
    first, again, other = hidden(Pseudonyms("k" * 32), "ada", "ada", "bo")
    assert first is not None
    assert (first, len(first)) == (again, 16)
    assert (
        len({first, other, *hidden(Pseudonyms("k" * 32), "ada", platform="y"), *hidden(Pseudonyms("j" * 32), "ada")})
        == 4
    )
    assert "ada" not in first


def test_who_has_no_name_has_no_pseudonym() -> None:
    assert hidden(Pseudonyms("k" * 32), None) == [None]


def test_a_registered_voice_is_recognised_because_its_account_stays() -> None:
    by = Pseudonyms("k" * 32)
    by.watch([Event(name="fall", proposition="it fell", any=("fell",), voices=(WIRE,))])
    assert hidden(by, "agency")[0] == "agency"
    assert hidden(by, "agency", platform="y")[0] != "agency"
    by.watch([])
    assert hidden(by, "agency")[0] != "agency"


def test_a_key_is_made_once_for_its_owner_only(tmp_path: Path) -> None:
    settings = configured(tmp_path / "config")
    first = hidden(pseudonyms(settings, tmp_path / "state"), "ada")
    file = tmp_path / "state" / KEY_FILE
    assert file.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in file.parent.iterdir()] == [KEY_FILE]
    assert hidden(pseudonyms(settings, tmp_path / "state"), "ada") == first
    file.unlink()
    assert hidden(pseudonyms(settings, tmp_path / "state"), "ada") != first


def test_a_key_that_the_configuration_names_is_taken_and_none_is_made(tmp_path: Path) -> None:
    settings = configured(tmp_path / "config", 'author_key_env = "KEY"', {"KEY": "k" * 32})
    assert hidden(pseudonyms(settings, tmp_path / "state"), "ada") == hidden(Pseudonyms("k" * 32), "ada")
    assert not (tmp_path / "state").exists()


def test_names_are_kept_only_where_the_operator_says_so(tmp_path: Path) -> None:
    settings = configured(tmp_path / "config", 'authors = "plain"')
    assert settings.monitor.store.authors is AuthorNames.PLAIN
    assert hidden(pseudonyms(settings, tmp_path / "state"), "ada") == ["ada"]
    assert not (tmp_path / "state").exists()


def test_names_that_are_plain_now_are_looked_up_as_they_were_hidden_before(tmp_path: Path) -> None:
    before = hidden(pseudonyms(configured(tmp_path / "before"), tmp_path), "ada")[0]
    plain = configured(tmp_path / "config", 'authors = "plain"')
    assert pseudonyms(plain, tmp_path).names("x", "ada") == ("ada", before)
    assert hidden(pseudonyms(plain, tmp_path), "ada") == ["ada"]
    named = configured(tmp_path / "named", 'authors = "plain"\nauthor_key_env = "KEY"', {"KEY": "k" * 32})
    assert pseudonyms(named, tmp_path).names("x", "ada") == Pseudonyms("k" * 32).names("x", "ada")
    assert hidden(pseudonyms(named, tmp_path), "ada") == ["ada"]


def test_a_key_that_cannot_be_kept_or_was_emptied_is_said(tmp_path: Path) -> None:
    settings = configured(tmp_path / "config")
    (tmp_path / KEY_FILE).write_text("\n", "ascii")
    with pytest.raises(SettingsError, match="is empty; restore the key"):
        pseudonyms(settings, tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match="cannot be kept there"):
        pseudonyms(settings, tmp_path / "file")


def test_an_author_is_known_by_every_name_that_was_ever_kept() -> None:
    by = Pseudonyms("k" * 32)
    before = hidden(by, "agency")[0]
    by.watch([Event(name="fall", proposition="it fell", any=("fell",), voices=(WIRE,))])
    assert set(by.names("x", "agency")) == {before, "agency"}
    assert Pseudonyms(None).names("x", "agency") == ("agency",)
