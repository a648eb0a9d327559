"""Where results are kept unless another place is asked for."""

from __future__ import annotations

from pathlib import Path

DEFAULT_STORE = Path("digitlab-results") / "store.sqlite"
"""The SQLite file; reports, networks and exports lie beside it."""
