"""Arrays and images: data sets, the IDX format, the validation split and the decoder of picture files."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
