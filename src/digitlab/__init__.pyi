__version__: str

from .data import load_dataset as load_dataset
from .recognition import Recognizer as Recognizer
from .studies import run_study as run_study
from .training import train as train
