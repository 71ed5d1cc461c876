from __future__ import annotations

from pathlib import Path

import pytest
from tiny_models import TINY, tiny_record

from wav2patch.errors import UserError
from wav2patch.weights.card import Card, read_card, write_card

_FACTS = """
data: 60,000 rows of Dexed's own presets | mutated
steps: 12000
hardware: 2 CPU cores
hours: 11.5
figures: {distance after 64 renders: 7.1 dB}
limits: [one note at a time, nothing above 8 kHz]
"""


def test_a_card_says_what_is_known(tmp_path: Path) -> None:
    (tmp_path / "card.yaml").write_text(_FACTS)
    card = read_card(tmp_path / "card.yaml")
    assert card.limits == ("one note at a time", "nothing above 8 kHz")
    text = write_card(card, tiny_record(TINY["flow"]), parameters=12345)
    for fact in ("12,345", "presets / mutated", "12,000", "2 CPU cores", "11.5", "7.1 dB", "- one note at a time"):
        assert fact in text
    assert "is told the note" in text
    assert all(line.count("|") == 3 for line in text.splitlines() if line.startswith("|"))


def test_what_is_not_known_is_left_out() -> None:
    text = write_card(Card(), tiny_record(TINY["flow"]))
    assert not {"steps", "hardware", "hours", "Figures", "Limits"} & {*text.replace("|", " ").split()}


@pytest.mark.parametrize("text", ["[1, 2]", "colour: red", "figures: 3", "limits: none", "{", None])
def test_a_card_that_is_none_is_refused(tmp_path: Path, text: str | None) -> None:
    path = tmp_path / "card.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UserError, match="card"):
        read_card(path)
