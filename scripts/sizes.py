"""Modules stay under 400 lines and classes under 250, so that each can be read in one sitting."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

MODULE, CLASS = 400, 250


def too_large(path: Path) -> list[str]:
    """What in this module is over its limit, one line each."""
    text = path.read_text()
    lines = text.count("\n")
    found = [f"{path}: {lines} lines, at most {MODULE}"] if lines > MODULE else []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ClassDef):
            size = (node.end_lineno or node.lineno) - node.lineno + 1
            if size > CLASS:
                found.append(f"{path}:{node.lineno}: class {node.name} has {size} lines, at most {CLASS}")
    return found


def main() -> int:
    root = Path(__file__).resolve().parent.parent
    found = [line for path in sorted((root / "mdm_tui").rglob("*.py")) for line in too_large(path)]
    print("\n".join(found) or "sizes: every module and class within its limit")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
