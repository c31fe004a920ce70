"""Measurements that anyone can run: `python -m benchmarks.<name>`."""

import sys
from pathlib import Path

# The container scripts import each other as top-level modules, as in a container.
sys.path.append(str(Path(__file__).parent.parent / "pipelines" / "fraud" / "steps"))
