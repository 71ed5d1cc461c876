"""A data set that a Ray cluster rendered is the one that this machine's cores render, byte for byte."""

from importlib import import_module
from pathlib import Path

import pytest
from test_generate import contents, make, plan_for

from wav2patch.rendering.choose import make_renderer

pytest.importorskip("ray", reason="Ray is an extra: pip install 'wav2patch[ray]'")

# Ray leaves its log files open and a signal handler behind.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning")


def test_ray_changes_no_byte(tmp_path: Path) -> None:
    plan = plan_for()
    make(tmp_path / "here", make_renderer(plan.synth, 1, processes=True), plan)
    make(tmp_path / "there", make_renderer(plan.synth, 2, cluster="local", deadline=120.0), plan)
    import_module("ray").shutdown()
    assert contents(tmp_path / "there") == contents(tmp_path / "here")
