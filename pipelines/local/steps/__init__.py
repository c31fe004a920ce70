"""What each type of pipeline step does: from its arguments to its result."""
