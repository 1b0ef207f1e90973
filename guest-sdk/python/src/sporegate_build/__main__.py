"""Makes a component of a module: `python -m sporegate_build chat.py -o chat.wasm`.

Needs componentize-py, which `pip install sporegate` brings. What is beside the module can be imported by
it, and with `--path` what is in other directories; all of it is imported when the component is built, and
nothing can be imported afterwards. What it needs of the gateway is read off what it imports.
"""

import argparse
import ast
import importlib.util
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from modulefinder import ModuleFinder
from pathlib import Path

_HERE = Path(__file__).resolve().parent

TOOL = [sys.executable, "-c", "from componentize_py import script; script()"]
"""componentize-py of this interpreter: its own script stops working when a virtual environment is moved."""


@dataclass(frozen=True)
class Needs:
    """What a module takes of the gateway besides the world `listener`."""

    stateful: bool = False
    http: bool = False
    config: bool = False
    keyvalue: bool = False


def main(arguments: list[str] | None = None) -> int:
    """Runs the command; returns its exit code."""
    options = _parser().parse_args(arguments)
    module: Path = options.module
    output: Path = options.output or module.with_suffix(".wasm")
    if module.suffix != ".py" or not module.is_file():
        print(f"{module}: no such Python file", file=sys.stderr)
        return 2
    if not _has_tool():
        print("componentize-py is missing: pip install componentize-py==0.25.0", file=sys.stderr)
        return 3
    try:
        needs = needs_of(module, options.path)
    except SyntaxError as error:
        print(f"{error.filename}:{error.lineno}: {error.msg}", file=sys.stderr)
        return 1
    output.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "world.wit").write_text(world(needs))
        command = [*TOOL, "--quiet", "--full-names", "--wit-path", str(wit_directory())]
        command += ["--wit-path", folder, "--world", "sporegate:python/module"]
        command += ["componentize", module.stem, "--output", str(output)]
        for path in (module.parent, _HERE.parent, *options.path):
            command += ["--python-path", str(path)]
        return subprocess.run(command, check=False).returncode


def needs_of(module: Path, path: list[Path]) -> Needs:
    """Follows the imports of a module, also of those beside it and in `path`, without running any.
    `SyntaxError`: the module is no Python; what it imports is told of when it is imported."""
    finder = ModuleFinder([str(folder) for folder in (module.parent, _HERE.parent, *path)])
    finder.run_script(str(module))
    files = [Path(file) for it in finder.modules.values() if (file := getattr(it, "__file__", None))]
    own = [file for file in files if _HERE.parent / "sporegate" not in file.parents]
    return Needs(
        stateful=any("StatefulListener" in _names(file) for file in own),
        http="sporegate.http" in finder.modules,
        config="sporegate.config" in finder.modules,
        keyvalue="sporegate.keyvalue" in finder.modules,
    )


def _names(file: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(file.read_bytes(), str(file))))
    names = {node.id for node in nodes if isinstance(node, ast.Name)}
    names |= {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    return names | {node.name for node in nodes if isinstance(node, ast.alias)}


def world(needs: Needs) -> str:
    """The WIT of the world that a module targets: the gateway's own, and what it imports besides. One
    world, since componentize-py 0.25.0 panics when it joins some of several."""
    lines = ["include sporegate:gateway/stateful-listener@1.0.0;"] * needs.stateful
    lines += ["include sporegate:gateway/listener@1.0.0;"] * (not needs.stateful)
    lines += ["import wasi:http/outgoing-handler@0.2.12;"] * needs.http
    lines += ["import wasi:config/store@0.2.0-rc.1;"] * needs.config
    for interface in ("store", "atomics", "batch"):
        lines += [f"import wasi:keyvalue/{interface}@0.2.0-draft;"] * needs.keyvalue
    return "package sporegate:python;\n\nworld module { " + " ".join(lines) + " }\n"


def wit_directory() -> Path:
    """The interface: in the installed package, or in the repository."""
    installed = _HERE / "wit"
    return installed if installed.is_dir() else _HERE.parents[3] / "wit"


def _has_tool() -> bool:
    return importlib.util.find_spec("componentize_py") is not None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sporegate_build", description=__doc__)
    parser.add_argument("module", type=Path, help="the Python file with the exported listener")
    parser.add_argument("-o", "--output", type=Path, help="the component; beside the module if not given")
    parser.add_argument("--path", type=Path, action="append", default=[], help="more to import from")
    return parser


if __name__ == "__main__":
    sys.exit(main())
