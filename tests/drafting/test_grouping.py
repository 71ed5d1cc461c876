from wav2patch.drafting.grouping import find_blocks
from wav2patch.parameters import Categorical, Continuous, Parameter


def blocks(*names: str, others: tuple[Parameter, ...] = ()) -> dict[str, tuple[str, tuple[str, ...]]]:
    found = find_blocks([*(Continuous(name) for name in names), *others])
    assert sorted(n for block in found for n in block.parameters) == sorted([*names, *(p.name for p in others)])
    assert len({block.name for block in found}) == len(found)
    return {block.name: (block.kind, block.parameters) for block in found}


def test_numbered_families_have_the_same_layout() -> None:
    found = blocks("osc1_saw", "osc1_level", "osc2_saw", "osc2_level", "osc3_level", "cutoff")
    assert found["osc_1"] == ("osc", ("osc1_saw", "osc1_level"))
    assert found["osc_2"] == ("osc", ("osc2_saw", "osc2_level"))
    # A third of which only a level is there is no third of the kind.
    assert ("osc", ("osc3_level",)) not in found.values()


def test_letters_and_numbers_at_the_end() -> None:
    found = blocks("filter_a_cutoff", "filter_b_cutoff", "filter_a_drive", "filter_b_drive", "pan1", "pan2", "pan3")
    assert found["filter_b"] == ("filter", ("filter_b_cutoff", "filter_b_drive"))
    assert [found[f"pan_{i}"] for i in (1, 2, 3)] == [("pan", (f"pan{i}",)) for i in (1, 2, 3)]


def test_envelopes_by_their_stages() -> None:
    stages = ("attack", "decay", "sustain", "release")
    found = blocks(*stages, *(f"filter_{s}" for s in stages), *(f"mod{s}" for s in stages[:3]))
    assert found["envelope"][1] == stages
    assert found["envelope"][0] == found["filter_envelope"][0]
    assert found["mod_envelope"][0] != found["envelope"][0]


def test_blocks_of_one_kind_take_each_others_values() -> None:
    wave = (Categorical("osc1_wave", ("a", "b")), Categorical("osc2_wave", ("a", "b", "c")))
    found = blocks("osc1_level", "osc2_level", others=wave)
    assert found["osc_1"] == ("osc", ("osc1_level",))
    assert found["osc_2"] == ("osc", ("osc2_level",))


def test_sections_and_single_parameters() -> None:
    found = blocks("reverb_size", "reverb_wet", "cutoff", "drive")
    assert found["reverb"] == ("reverb", ("reverb_size", "reverb_wet"))
    assert found["cutoff"] == ("cutoff", ("cutoff",))
