"""Build a `keras.Model` of standard layers from a model spec, and count its parameters and operations."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
