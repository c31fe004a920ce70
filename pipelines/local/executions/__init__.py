"""Executions of pipelines: started, recorded, stopped, retried, and recovered after a crash."""
