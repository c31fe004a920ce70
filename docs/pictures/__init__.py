"""The pictures of the documentation, drawn from the definition and from a run."""
