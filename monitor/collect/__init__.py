"""Sources → payloads → posts."""
