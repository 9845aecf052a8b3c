"""Counts → findings, each with a reason and its numbers."""
