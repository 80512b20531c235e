"""Programs written for AutoGen, rewritten to Symposia's names and interface: what `symposia migrate` does.

::

    plan = plan_migration([Path("project")])
    for change in plan.changes:
        print(change.diff())
        change.write()
    for finding in plan.findings:
        print(finding)

Nothing is written before `FileChange.write`. `report_on` only reads, and says what would run as it is.
"""

from typing import TYPE_CHECKING

from symposia._lazy import lazy_names

if TYPE_CHECKING:
    from symposia.migration._findings import Finding, FindingKind, Use
    from symposia.migration._plan import FileChange, MigrationPlan, plan_migration
    from symposia.migration._python import MigratedText, MigrationTarget, migrate_text
    from symposia.migration._report import MigrationReport, report_on
else:
    __getattr__, __dir__ = lazy_names(
        __name__,
        {
            "_findings": ["Finding", "FindingKind", "Use"],
            "_plan": ["FileChange", "MigrationPlan", "plan_migration"],
            "_python": ["MigratedText", "MigrationTarget", "migrate_text"],
            "_report": ["MigrationReport", "report_on"],
        },
    )

__all__ = [
    "FileChange",
    "Finding",
    "FindingKind",
    "MigratedText",
    "MigrationPlan",
    "MigrationReport",
    "MigrationTarget",
    "Use",
    "migrate_text",
    "plan_migration",
    "report_on",
]
