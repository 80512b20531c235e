"""Running code in the dynamic sessions of Azure Container Apps."""

from typing import TYPE_CHECKING

from symposia._lazy import explained_names
from symposia.ext.code_executors.azure._executor import ACADynamicSessionsCodeExecutor
from symposia.ext.code_executors.azure._sessions import AccessToken, TokenProvider

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = ["ACADynamicSessionsCodeExecutor", "AccessToken", "TokenProvider"]
