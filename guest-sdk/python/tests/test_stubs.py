"""`stubs/` is what componentize-py makes of the interface. To make it anew, copy what this test makes."""

import subprocess
from pathlib import Path

import pytest
from sporegate_build.__main__ import TOOL, Needs, _has_tool, wit_directory, world

STUBS = Path(__file__).resolve().parents[1] / "stubs"


def test_the_stubs_are_those_of_the_interface(tmp_path: Path) -> None:
    if not _has_tool():
        pytest.skip("componentize-py is not installed")
    everything = Needs(stateful=True, http=True, config=True, keyvalue=True)
    (tmp_path / "world.wit").write_text(world(everything))
    made = tmp_path / "bindings"
    flags = ["--wit-path", str(wit_directory()), "--wit-path", str(tmp_path / "world.wit")]
    world_name = ["--world", "sporegate:python/module"]
    subprocess.run([*TOOL, "-q", "--full-names", *flags, *world_name, "bindings", str(made)], check=True)
    kept = {it.relative_to(STUBS): it.read_text() for it in STUBS.rglob("*.py")}
    assert kept
    for path, text in kept.items():
        assert text == (made / path).read_text(), path
    extra = {it.relative_to(made) for it in (made / "wit_world").rglob("*.py")} - kept.keys()
    assert not extra
