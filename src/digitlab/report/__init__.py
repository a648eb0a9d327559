"""Reports of studies: comparisons, verdicts, tables and figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

from digitlab.lazy import lazy_exports

if TYPE_CHECKING:
    from digitlab.report.answers import best_row, lead
    from digitlab.report.drawing import (
        draw_error_by_level,
        draw_kernels,
        draw_learning_curves,
        draw_misread,
    )
    from digitlab.report.evidence import Evidence, evidence_of
    from digitlab.report.figures import error_by_level, first_kernels, learning_curves, most_misread
    from digitlab.report.markdown import write_markdown
    from digitlab.report.material import Material, read_material, report_mark
    from digitlab.report.page import write_report
    from digitlab.report.place import ReportFile, report_file, report_path, write_stored_report
    from digitlab.report.tables import TextTable, evidence_table, notes, study_table
    from digitlab.report.verdicts import sentences

__getattr__ = lazy_exports(
    __name__,
    {
        "Evidence": "evidence",
        "Material": "material",
        "ReportFile": "place",
        "TextTable": "tables",
        "best_row": "answers",
        "draw_error_by_level": "drawing",
        "draw_kernels": "drawing",
        "draw_learning_curves": "drawing",
        "draw_misread": "drawing",
        "error_by_level": "figures",
        "evidence_of": "evidence",
        "evidence_table": "tables",
        "first_kernels": "figures",
        "lead": "answers",
        "learning_curves": "figures",
        "most_misread": "figures",
        "notes": "tables",
        "read_material": "material",
        "report_file": "place",
        "report_mark": "material",
        "report_path": "place",
        "sentences": "verdicts",
        "study_table": "tables",
        "write_markdown": "markdown",
        "write_report": "page",
        "write_stored_report": "place",
    },
)

__all__ = [
    "Evidence",
    "Material",
    "ReportFile",
    "TextTable",
    "best_row",
    "draw_error_by_level",
    "draw_kernels",
    "draw_learning_curves",
    "draw_misread",
    "error_by_level",
    "evidence_of",
    "evidence_table",
    "first_kernels",
    "lead",
    "learning_curves",
    "most_misread",
    "notes",
    "read_material",
    "report_file",
    "report_mark",
    "report_path",
    "sentences",
    "study_table",
    "write_markdown",
    "write_report",
    "write_stored_report",
]
