"""Tools with which a model lists, reads, searches, writes and edits the files of one folder."""

from typing import TYPE_CHECKING

from symposia._lazy import explained_names
from symposia.ext.tools.files._folder import ConfinedFolder, FolderEntry
from symposia.ext.tools.files._folder_workbench import FolderWorkbench
from symposia.ext.tools.files._workbench import FileWorkbench

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = ["ConfinedFolder", "FileWorkbench", "FolderEntry", "FolderWorkbench"]
