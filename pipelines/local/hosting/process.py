"""An endpoint's process: `python -m pipelines.local.hosting.process ROOT ENDPOINT-NAME`.

It is started detached, once for an endpoint; a second one ends at once. It serves what the endpoint's document says
was served, carries out what the document wants, and ends when the endpoint is deleted or its root folder is gone.
"""

import sys
from pathlib import Path


def main(arguments: list[str]) -> int:
    """Serve an endpoint of a root folder until it is deleted."""
    _, _ = Path(arguments[0]), arguments[1]
    raise NotImplementedError


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
