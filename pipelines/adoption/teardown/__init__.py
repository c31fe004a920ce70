"""The way out: what a project has made is found by its names, priced, and removed, and nothing else."""
