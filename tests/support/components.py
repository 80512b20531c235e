"""Components of all kinds."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal, Required, Self, Unpack

from pydantic import BaseModel, SecretStr
from typing_extensions import TypedDict

from symposia.core import Component, ComponentBase, ComponentFromConfig, ComponentLoader

HERE = __name__


def a_function(text: str) -> str:
    return text


class Pen(Component):
    """Writes.

    With ink.
    """

    component_type = "pen"

    def __init__(self, colour: str, width: float = 0.5) -> None:
        self.ink = colour
        self.width = width


class Half(ComponentLoader, ComponentFromConfig[BaseModel]):
    """Can be loaded, and not saved."""


class Desk(Component):
    def __init__(
        self,
        owner: str,
        /,
        pens: Sequence[Pen] = (),
        *,
        best: Pen | None = None,
        labels: Mapping[str, Pen] | None = None,
        motto: str | None = "Write!",
    ) -> None:
        self.owner = owner
        self.pens = list(pens)
        self.best = best
        self.labels = labels
        self.motto = motto


class Box(Component):
    def __init__(self, *pens: Pen, lid: bool = True) -> None:
        self.pens = pens
        self.lid = lid


class Options(TypedDict, total=False):
    size: Required[int]
    colour: str
    paper: Literal["a4", "a5"]


class Printer(Component):
    def __init__(self, name: str, **options: Unpack[Options]) -> None:
        self.name = name
        self.options = options


class RedPen(Pen):
    def __init__(self, width: float) -> None:
        super().__init__("red", width=width)


class NamedPen(Pen):
    def __init__(self, name: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.name = name


@dataclass(frozen=True)
class Stamp(Component):
    text: str
    times: int = 1


class Answer(BaseModel):
    text: str
    score: float = 0


class Reader(Component):
    def __init__(
        self, kind: type[BaseModel], folder: Path | str, wait: float | timedelta = 1, mode: Literal["a", "b"] = "a"
    ) -> None:
        self.kind = kind
        self.folder = Path(folder)
        self.wait = wait
        self.mode = mode


class Caller(Component):
    def __init__(self, call: Callable[[str], str] | None = None, anything: Any = None) -> None:
        self.call = call
        self.anything = anything


class Vault(Component):
    def __init__(self, api_key: str | None = None, password: SecretStr | None = None) -> None:
        self.api_key = api_key
        self.password = password


class Locked(Component):
    def __init__(self, password: SecretStr) -> None:
        self.password = password


class Renewed(Component):
    component_version = 3

    def __init__(self, width: int) -> None:
        self.width = width

    @classmethod
    def _from_config_past_version(cls, config: dict[str, Any], version: int) -> "Renewed":
        return cls(config.pop("breadth") * version)


class OldConfig(BaseModel):
    number: int
    secret: SecretStr | None = None
    note: str | None = None


class InAutogensWay(ComponentBase[OldConfig], Component[OldConfig]):
    component_type = "old"
    component_config_schema = OldConfig
    component_provider_override = f"{HERE}.InAutogensWay"
    component_description = "Of old."
    component_label = "Old"

    def __init__(self, anything: object) -> None:
        self.number = len(repr(anything))

    def _to_config(self) -> OldConfig:
        return OldConfig(number=self.number, secret=SecretStr("hidden"))

    @classmethod
    def _from_config(cls, config: OldConfig) -> "InAutogensWay":
        made = cls(None)
        made.number = config.number
        return made


class WithSchema(Component[OldConfig]):
    component_config_schema = OldConfig

    def __init__(self, number: int) -> None:
        self.number = number


class TooLittleSchema(WithSchema):
    def __init__(self, number: int, colour: str) -> None:
        super().__init__(number)
        self.colour = colour


class Unrecorded(Pen):
    def __new__(cls, colour: str, width: float = 0.5) -> Self:
        return object.__new__(cls)


class Word(BaseModel):
    text: str


class LongWord(Word):
    syllables: int


class Speaker(Component):
    def __init__(self, word: Word) -> None:
        self.word = word
