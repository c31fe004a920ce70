"""Endpoints on this machine: their configurations, and a process of its own for each that serves it."""
