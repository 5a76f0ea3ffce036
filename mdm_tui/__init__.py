"""mdm-tui: a terminal console for fleets of managed Android devices."""

__version__ = "0.1.0"
