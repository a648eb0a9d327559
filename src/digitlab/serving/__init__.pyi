from .settings import Limits as Limits
from .settings import Settings as Settings
