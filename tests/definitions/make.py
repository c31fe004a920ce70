"""Make the definitions in this folder again, with the SDK: `python -m tests.definitions.make [FOLDER]`."""

import json
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.definitions.examples import EXAMPLES
from tests.definitions.sdk import pipeline_session

# The SDK names its uploads by the time.
_TIMESTAMP = re.compile(r"-20\d{12,20}\b")


def definition_of(example: Callable[[Any], Any]) -> str:
    """Return the definition that the SDK makes of an example, with constant upload names."""
    with pipeline_session() as session:
        document = json.loads(example(session).definition())
    return _TIMESTAMP.sub("-20250101000000", json.dumps(document, indent=1)) + "\n"


def main(folder: Path) -> None:
    """Write one JSON file an example."""
    for name, example in EXAMPLES.items():
        (folder / f"{name}.json").write_text(definition_of(example))


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent)
