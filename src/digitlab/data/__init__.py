"""Data sets: loading, importing and checking them, the IDX format and the validation split."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
