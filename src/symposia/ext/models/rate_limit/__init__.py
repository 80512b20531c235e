"""A client that keeps to a vendor's rate limit, together with all others of its name."""

from typing import TYPE_CHECKING

from symposia._lazy import explained_names
from symposia.ext.models.rate_limit._client import RateLimitedClient
from symposia.ext.models.rate_limit._meters import Load, LocalMeters, Meters, Rates
from symposia.ext.models.rate_limit._redis import RedisMeters

if not TYPE_CHECKING:
    __getattr__ = explained_names(__name__)

__all__ = ["Load", "LocalMeters", "Meters", "RateLimitedClient", "Rates", "RedisMeters"]
