"""Where the console keeps its files: four private folders."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from .errors import ConfigError

__all__ = ["Paths"]


@dataclass(frozen=True, slots=True)
class Paths:
    """The four folders: settings, what must last (journal, history, log), what can be rebuilt, and fleets' data."""

    config: Path
    state: Path
    cache: Path
    data: Path

    @classmethod
    def default(cls, env: Mapping[str, str]) -> Paths:
        """The platform's folders; with MDM_TUI_HOME set, `config state cache data` below it."""
        home = env.get("MDM_TUI_HOME", "")
        if home:
            # Made absolute here: a child process may run in another folder.
            root = Path(os.path.abspath(os.path.expanduser(home)))
            return cls(root / "config", root / "state", root / "cache", root / "data")
        from platformdirs import PlatformDirs

        dirs = PlatformDirs("mdm-tui", appauthor=False)
        return cls(
            Path(dirs.user_config_dir), Path(dirs.user_state_dir), Path(dirs.user_cache_dir), Path(dirs.user_data_dir)
        )

    @property
    def config_file(self) -> Path:
        """The settings and the connections."""
        return self.config / "config.toml"

    @property
    def journal(self) -> Path:
        """The commands: what was asked, sent and answered."""
        return self.state / "journal.db"

    @property
    def history(self) -> Path:
        """Reports that differ, drafts, policy versions."""
        return self.state / "history.db"

    @property
    def mirror(self) -> Path:
        """What was last seen; may be deleted at any time."""
        return self.cache / "mirror.db"

    @property
    def log(self) -> Path:
        """JSON lines; nothing is ever logged to the terminal."""
        return self.state / "mdm-tui.log"

    @property
    def server_log(self) -> Path:
        """What the demo's server says."""
        return self.state / "demo-server.log"

    @property
    def demo(self) -> Path:
        """The demo fleets, one folder for each set of devices, seed and scenario."""
        return self.data / "demo"

    @staticmethod
    def ensure(folder: Path) -> Path:
        """Create `folder` for its owner alone (0700), whatever the umask; an existing one is closed to others."""
        try:
            # Parents that are missing are made private too: who may rename a parent may swap the folder.
            for missing in reversed([parent for parent in folder.parents if not parent.exists()]):
                missing.mkdir(mode=0o700, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
            if os.name == "posix":
                found = folder.stat()
                if found.st_uid != os.getuid():
                    raise ConfigError(
                        f"the folder {folder} belongs to another user",
                        allowed="a folder of your own; set MDM_TUI_HOME to one",
                    )
                if found.st_mode & 0o077:
                    folder.chmod(0o700)
        except OSError as error:
            raise ConfigError(
                f"the folder {folder} cannot be used: {error.strerror or error}",
                allowed="a folder you may write; set MDM_TUI_HOME to one",
            ) from None
        return folder
