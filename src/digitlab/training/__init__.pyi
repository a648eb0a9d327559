from .engine import Engine as Engine
from .engine import EpochTotals as EpochTotals
from .own_loop import keep_network as keep_network
from .process import native_precision as native_precision
from .run import TrainOutput as TrainOutput
from .run import train_trial as train_trial
from .single import train as train
