from symposia.core import CacheStore, InMemoryStore


def test_a_store_keeps_the_last_value_under_a_key() -> None:
    store: CacheStore[int] = InMemoryStore()
    store.set("a", 1)
    store.set("a", 2)
    assert store.get("a") == 2


def test_what_is_not_there_is_the_default() -> None:
    store = InMemoryStore[int]()
    assert store.get("a") is None
    assert store.get("a", 3) == 3
