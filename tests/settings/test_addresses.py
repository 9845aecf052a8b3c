"""An address that is a secret beside another one."""

from pathlib import Path

from monitor.alert.receivers.webhook import WebhookSettings
from monitor.app.build import addressed
from monitor.settings import load

EVENT = 'name = "bridge"\nproposition = "The harbour bridge has collapsed"\nany = ["bridge"]\n'


def test_a_webhook_may_have_an_address_that_is_a_secret_beside_the_one_that_signs(tmp_path: Path) -> None:
    (tmp_path / "events").mkdir()
    (tmp_path / "events" / "bridge.toml").write_text(EVENT, "utf-8")
    toml = '[[receiver]]\nkind = "webhook"\nname = "desk"\nurl_env = "HOOK"\nsecret_env = "DESK_SECRET"\n'
    (tmp_path / "monitor.toml").write_text(toml, "utf-8")
    hook = "https://chat.example.org/hook/0123456789"
    settings = load(tmp_path, {"HOOK": hook, "DESK_SECRET": "hunter2"})
    (desk,) = settings.monitor.receivers
    assert isinstance(desk, WebhookSettings)
    told = addressed(desk, settings)
    assert (desk.url, getattr(told, "url", None)) == (None, hook)
    assert settings.receiver_secrets["desk"].reveal() == "hunter2"
    assert hook not in repr(settings)
