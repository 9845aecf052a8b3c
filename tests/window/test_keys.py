import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monitor.window.keys import DAY, SeenKeys

SEEN = st.lists(st.tuples(st.integers(0, 20 * DAY), st.integers(0, 30)), max_size=60)


def first_of_a_week(pairs: list[tuple[int, int]]) -> list[bool]:
    """What SeenKeys promises, the slow way: a key counts again once seven whole days lie between."""
    counted: dict[int, int] = {}
    flags = []
    for tick, key in pairs:
        day = tick // DAY
        flags.append(key not in counted or day - counted[key] > 7)
        if flags[-1]:
            counted[key] = day
    return flags


def add(keys: SeenKeys, pairs: list[tuple[int, int]]) -> list[bool]:
    ticks, values = (np.array(part, np.int64) for part in zip(*pairs, strict=True))
    return list(keys.add(ticks, values.astype(np.uint64)))


@given(SEEN, st.integers(0, 60))
def test_a_key_is_new_once_in_a_week_however_the_calls_are_cut(pairs: list[tuple[int, int]], cut: int) -> None:
    pairs.sort()
    keys = SeenKeys()
    found = [flag for part in (pairs[:cut], pairs[cut:]) if part for flag in add(keys, part)]
    wanted = [pair[1] or 1 for pair in pairs]
    assert found == first_of_a_week([(pair[0], key) for pair, key in zip(pairs, wanted, strict=True)])


@given(SEEN, st.integers(0, 60), st.integers(1, 12))
def test_a_full_generation_ends_at_the_same_tick_however_the_calls_are_cut(
    pairs: list[tuple[int, int]], cut: int, room: int
) -> None:
    pairs.sort()
    whole, parts = SeenKeys(room=room), SeenKeys(room=room)
    found = [flag for part in (pairs[:cut], pairs[cut:]) if part for flag in add(parts, part)]
    assert found == (add(whole, pairs) if pairs else [])


def test_memory_is_bounded_by_generations_and_their_room() -> None:
    keys = SeenKeys(life=3, room=1_000)
    rng = np.random.default_rng(0)
    for second in range(200):
        keys.add(np.full(500, second), rng.integers(1, 1 << 62, 500).astype(np.uint64))
    assert len(keys) < 16_000


def test_many_keys_are_told_apart() -> None:
    keys = SeenKeys()
    values = np.random.default_rng(1).permutation(1 << 18).astype(np.uint64) << np.uint64(20)
    assert keys.add(np.zeros(values.size, np.int64), values).all()
    assert not keys.add(np.zeros(values.size, np.int64), values).any()
