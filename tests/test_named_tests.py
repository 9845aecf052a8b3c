"""The pages that name a test for what they promise name one that is there."""

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]
NAMED = re.compile(r"`((?:tests|deploy)[\w./-]*|test_\w+\.py)`")


@pytest.mark.parametrize("page", ["privacy.md", "threat-model.md"])
def test_every_named_test_is_there(page: str) -> None:
    known = {path.name for path in (REPOSITORY / "tests").rglob("test_*.py")}
    named = NAMED.findall((REPOSITORY / "docs" / page).read_text("utf-8"))
    assert len(named) > 5
    missing = [name for name in named if not ((REPOSITORY / name).exists() if "/" in name else name in known)]
    assert missing == []
