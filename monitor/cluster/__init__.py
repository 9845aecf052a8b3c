"""Copies to their originals, mentions to the narrative they repeat or contest."""
