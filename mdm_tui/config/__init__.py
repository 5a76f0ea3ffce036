"""Settings, connections, credentials and places: plain files and dataclasses, nothing of the rest of the house."""
