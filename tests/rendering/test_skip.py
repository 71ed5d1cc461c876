import numpy as np

from wav2patch.rendering.skip import SkipList

PATCH, OTHER = np.array([1.0, 2.0]), np.array([1.0, 3.0])


def test_the_second_strike_puts_a_patch_on_the_list() -> None:
    skip = SkipList()
    skip.strike(PATCH, "low note", "crashed")
    assert skip.find(PATCH, "low note") is None
    assert skip.patches == ()
    skip.strike(PATCH, "low note", "hung")
    entry = skip.find(PATCH.copy(), "low note")
    assert entry is not None
    assert entry.reason == "hung"
    assert skip.patches == (entry,)


def test_other_patches_and_other_sounds_are_not_skipped() -> None:
    skip = SkipList()
    for _ in range(3):
        skip.strike(PATCH, "low note", "crashed")
    skip.strike(OTHER, "low note", "crashed")
    assert skip.find(OTHER, "low note") is None
    assert skip.find(PATCH, "high note") is None
    assert len(skip.patches) == 1


def test_an_entry_keeps_its_patch() -> None:
    skip, values = SkipList(), PATCH.copy()
    for _ in range(2):
        skip.strike(values, "low note", "crashed")
    values[:] = 0
    assert list(skip.patches[0].patch) == [1.0, 2.0]
