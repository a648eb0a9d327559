"""Frozen, validated specs of recipes, trials and studies, in TOML and JSON; and the plan of a study."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
