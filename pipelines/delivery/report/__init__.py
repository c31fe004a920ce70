"""The report of a run for people: Markdown and HTML, both made of one model of the facts."""
