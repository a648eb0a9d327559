from .executors.base import Executor as Executor
from .executors.inline import InlineExecutor as InlineExecutor
from .executors.processes import ProcessExecutor as ProcessExecutor
from .executors.ray import RayExecutor as RayExecutor
from .planning import plan_study as plan_study
from .runner import read_table as read_table
from .runner import run_plans as run_plans
from .runner import run_study as run_study
