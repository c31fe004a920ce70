"""The AWS operations that this machine answers."""
