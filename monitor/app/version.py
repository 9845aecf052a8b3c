"""Which monitor this is."""

from importlib.metadata import PackageNotFoundError, version


def installed_version() -> str:
    """The installed package's version."""
    try:
        return version("virality-monitor")
    except PackageNotFoundError:
        return "not installed"
