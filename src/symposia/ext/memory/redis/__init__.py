"""A memory in a Redis server of any version, without its search module."""

from symposia.ext.memory.redis._memory import RedisMemory as RedisMemory
from symposia.ext.memory.redis._memory import RedisMemoryConfig as RedisMemoryConfig

__all__ = ["RedisMemory", "RedisMemoryConfig"]
