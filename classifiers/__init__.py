"""Tags a post as claim, denial, celebration, question or other; knows nothing of the monitor."""
