"""A model's own inference functions in this process: what any server of it does for a request."""

import sys
from pathlib import Path
from typing import Any


class Inference:
    """The functions of an unpacked model.tar.gz: raw claims in, probabilities as CSV out."""

    def __init__(self, folder: str | Path) -> None:
        sys.path.insert(0, str(Path(folder) / "code"))
        import inference  # noqa: PLC0415  the model's own module, which is there from now on

        self._functions: Any = inference
        self.model: Any = inference.model_fn(folder)

    def __call__(self, body: bytes) -> str:
        """Answer a CSV of claims."""
        answer = self._functions.transform_fn(self.model, body, "text/csv", "text/csv")
        if not isinstance(answer, tuple):
            raise TypeError(f"the model refuses the claims: {answer}")
        return str(answer[0])

    def matrix(self, body: bytes) -> Any:
        """Return a CSV's claims as the model's features."""
        return self._functions.claims.read(body, "text/csv", self.model.schema)
