"""One file per schema version; written once, never changed after a release."""
