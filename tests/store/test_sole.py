"""One monitor per store."""

from pathlib import Path

import pytest

from monitor.errors import StoreError
from monitor.store.sole import sole


def test_a_second_monitor_on_the_same_file_is_refused_until_the_first_ends(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/new/m.sqlite"
    first = sole(url)
    with pytest.raises(StoreError, match=r"another monitor \(process \d+\) works on it") as refused:
        sole(url)
    assert not refused.value.passes
    first.close()
    sole(url).close()


def test_a_link_to_the_file_is_the_same_store(tmp_path: Path) -> None:
    (tmp_path / "link.sqlite").symlink_to(tmp_path / "m.sqlite")
    first = sole(f"sqlite:///{tmp_path}/m.sqlite")
    with pytest.raises(StoreError, match="another monitor"):
        sole(f"sqlite:///{tmp_path}/link.sqlite")
    first.close()


@pytest.mark.parametrize("url", ["sqlite://", "postgresql://host/name", "nonsense"])
def test_what_is_no_file_is_not_guarded(url: str) -> None:
    sole(url).close()
