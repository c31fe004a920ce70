"""Models that answer requests: what a Model is, and the container that serves it."""
