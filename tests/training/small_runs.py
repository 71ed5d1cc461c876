"""The experiments at a size for tests."""

from __future__ import annotations

from typing import Any

from wav2patch.configs.composing import laid_over
from wav2patch.training.reading_settings import plain_settings, read_settings
from wav2patch.training.settings import RunSettings

SMALL: dict[str, dict[str, Any]] = {
    "spectrogram_transformer": {"layers": 1, "heads": 2, "hidden": 16},
    "cnn_1d": {"widths": [4, 4, 4, 4], "out": 8, "hidden": 16},
    "cnn_2d": {"widths": [4, 4, 4, 4], "blocks": [1, 1, 1, 1], "hidden": 16},
    "keyed_cnn": {"widths": [8, 8], "hidden": 16},
    "strided_cnn": {"widths": [4, 4, 8], "mixed": 8, "hidden": 16},
    "assigned_transformer": {"width": 16, "layers": 1, "heads": 2, "hidden": 16},
    "equivariant_transformer": {"width": 16, "layers": 1, "heads": 2, "hidden": 16},
    "parameter_transformer": {"width": 16, "layers": 1, "heads": 2, "hidden": 16},
    "mlp": {"width": 16, "blocks": 1},
}
SMALL_KINDS: dict[str, dict[str, Any]] = {
    "flow_matching": {"width": 16, "sampler": {"name": "euler", "steps": 2}},
    "regression": {"width": 16, "hidden": 16, "blocks": 1},
    "classification": {"width": 16, "hidden": 16, "blocks": 1},
    "inversynth": {"width": 16, "hidden": 16, "blocks": 1, "decoder_width": 8},
    "vae_flow": {"width": 16, "hidden": 16, "decoder_width": 8, "latent_layers": 2, "regression_layers": 2},
    "contrastive": {
        **{"width": 16, "hidden": 16, "size": 8, "draws": 40},
        "preset_encoder": {"name": "highway"},
    },
    "proxy": {"draws": 40},
    "estimator": {"width": 16, "hidden": 16},
    "masked_unet": {"base": 8, "multipliers": [1, 2], "blocks": 1},
    "masked_transformer": {
        **{"width": 16, "layers": 1, "heads": 2, "hidden": 16, "decoder_layers": 1, "keys": 8, "most": 16},
    },
    "nearest_neighbour": {},
}
SMALL_PRESET_ENCODERS: dict[str, dict[str, Any]] = {
    **{name: {"hidden": 16, "blocks": 2} for name in ("mlp_raw", "mlp_oh", "rn_oh", "hn_oh", "hn_pt", "highway")},
    "hn_ptgru": {"inputs": {"name": "recurrent_tokens", "token": 8, "states": 8}, "hidden": 16, "blocks": 2},
    "gru_oh": {"states": 8},
    "tfm": {"width": 16, "layers": 1, "heads": 2, "hidden": 16},
}


def shrunk(settings: RunSettings, **changes: Any) -> RunSettings:
    """The same experiment at a size for tests, which keeps every name and every other setting."""
    inverter = laid_over(settings.inverter, SMALL_KINDS[settings.inverter["kind"]])
    for part in ("encoder", "field"):
        if part in inverter:
            inverter[part] = laid_over(inverter[part], SMALL[inverter[part]["name"]])
    for part in ("preset_encoder", "proxy"):
        if reads := inverter.get(part):
            inverter[part] = laid_over(reads, SMALL_PRESET_ENCODERS[reads["name"]])
    toy = {
        "inverter": inverter,
        "data": {"batch_size": 4, "val_rows": 6, "workers": 0},
        "trainer": {"max_steps": 3, "val_every": 3, "accelerator": "cpu", "log_every": 1},
        "callbacks": {"audio": 0, "parameter_errors": 4},
        "logging": {"tensorboard": False},
    }
    return read_settings(laid_over(laid_over(plain_settings(settings), toy), changes))
