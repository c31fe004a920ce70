"""A model package behind an endpoint: released to a stage, tested there, and taken back where the test fails."""
