from .costs import Cost as Cost
from .costs import cost as cost
from .network import build as build
