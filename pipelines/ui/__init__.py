"""A web page on this machine that shows pipelines, their executions and what they made."""
