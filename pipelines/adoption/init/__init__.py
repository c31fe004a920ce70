"""A fresh copy of this repository as a team's own project: its settings, its data's schema, its one CI provider."""
