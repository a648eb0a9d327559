"""The service: the Open Inference Protocol, an HTTP API and web pages."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)
