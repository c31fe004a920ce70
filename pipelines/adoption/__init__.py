"""Adopting this repository: its project template in an account, a copy as a team's own, and the way out."""
