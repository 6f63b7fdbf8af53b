"""A page on this machine to try a pipeline: scores, and the labelled texts nearest to a text."""
