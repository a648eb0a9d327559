"""Picture files from untrusted sources: their kinds, their frames, and the one decoder."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
