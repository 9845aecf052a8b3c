"""Who posts: per platform and language a pool of invented accounts, a few busy and most not; voices; a troll crew."""

import hashlib
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from monitor.demo.cascades import Floats, Ints
from monitor.demo.platforms import PLATFORMS, WIRE

POSTS_PER_AUTHOR = 1.6
VERIFIED = 0.015
BUSY = 1.7
"""Exponent of the activity of accounts: 1 would be equal shares."""


class Authors(NamedTuple):
    """Account of each post, arrays beside the posts."""

    key: list[str]
    followers: NDArray[np.int64]
    """−1 where the platform does not say."""
    age_days: Floats
    """Age of the account when the scenario begins."""
    verified: NDArray[np.bool_]


def choose(rng: np.random.Generator, platform: Ints, language: Ints, voice: Ints, crew: Ints) -> Authors:
    """Accounts for posts: of `voice` ≥ 0 that voice's, of `crew` ≥ 0 a new account of that number, else any."""
    group = platform * 1000 + language
    number = np.zeros(len(group), dtype=np.int64)
    for code in np.unique(group):
        rows = np.flatnonzero(group == code)
        pool = max(3, int(len(rows) / POSTS_PER_AUTHOR)) if code // 1000 != WIRE else 6
        number[rows] = (pool * rng.random(len(rows)) ** BUSY).astype(np.int64)
    number = group * 100_000 + number
    number = np.where(voice >= 0, 10**12 + voice, number)
    number = np.where(crew >= 0, 2 * 10**12 + crew, number)
    accounts, index = np.unique(number, return_inverse=True)
    size = len(accounts)
    spoken, new = (accounts >= 10**12) & (accounts < 2 * 10**12), accounts >= 2 * 10**12
    followers = np.exp(rng.normal(5.4, 1.7, size)).astype(np.int64)
    followers = np.where(spoken, 200_000 + followers, np.where(new, followers % 40, followers))
    age = np.where(new, rng.uniform(2, 12, size), rng.uniform(20, 4500, size))
    verified = spoken | (rng.random(size) < VERIFIED) & ~new
    keys = np.array([_key(int(account)) for account in accounts], dtype=object)
    silent = np.isin(platform, [WIRE, *_without_followers()])
    return Authors(list(keys[index]), np.where(silent, -1, followers[index]), age[index], verified[index])


def _without_followers() -> list[int]:
    return [code for code, platform in enumerate(PLATFORMS) if platform.name in {"reddit", "youtube", "telegram"}]


def _key(account: int) -> str:
    return hashlib.blake2s(str(account).encode(), digest_size=8, person=b"demo").hexdigest()
