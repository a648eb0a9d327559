from .aggregate import LevelSummary as LevelSummary
from .aggregate import StudyTable as StudyTable
from .aggregate import t_interval as t_interval
from .metrics import score as score
from .record import EpochRecord as EpochRecord
from .record import Result as Result
from .record import Scores as Scores
from .store import Store as Store
