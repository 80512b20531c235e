from tests.support.telemetry_fixtures import events, spans

__all__ = ["events", "spans"]
