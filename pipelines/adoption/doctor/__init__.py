"""The known failures of a set-up, each found by a check, with what mends it."""
