"""The seed story: scenario generator and live terminal view."""
