"""Mentions → tagged mentions, through `classifiers`."""
