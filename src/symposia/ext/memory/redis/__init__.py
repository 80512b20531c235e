"""A memory in a Redis server of any version, without its search module."""

from typing import TYPE_CHECKING

from symposia._lazy import explained_names
from symposia.ext.memory.redis._memory import RedisMemory, RedisMemoryConfig

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = ["RedisMemory", "RedisMemoryConfig"]
