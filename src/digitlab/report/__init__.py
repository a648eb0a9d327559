"""Tables, verdicts, figures and the page of a study."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitlab.lazy import lazy_exports

if TYPE_CHECKING:
    from digitlab.report.drawing import draw_error_by_level, draw_learning_curves, draw_misread
    from digitlab.report.figures import error_by_level, learning_curves, most_misread
    from digitlab.report.page import write_report
    from digitlab.report.tables import TextTable, notes, study_table
    from digitlab.report.verdicts import lead

__getattr__ = lazy_exports(
    __name__,
    {
        "draw_error_by_level": "drawing",
        "draw_learning_curves": "drawing",
        "draw_misread": "drawing",
        "error_by_level": "figures",
        "learning_curves": "figures",
        "most_misread": "figures",
        "write_report": "page",
        "TextTable": "tables",
        "notes": "tables",
        "study_table": "tables",
        "lead": "verdicts",
    },
)

__all__ = [
    "TextTable",
    "draw_error_by_level",
    "draw_learning_curves",
    "draw_misread",
    "error_by_level",
    "lead",
    "learning_curves",
    "most_misread",
    "notes",
    "study_table",
    "write_report",
]
