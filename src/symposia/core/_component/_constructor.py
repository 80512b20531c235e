"""The parameters of a constructor, and the arguments that an instance was constructed with."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import wraps
from typing import (
    TYPE_CHECKING,
    Any,
    Final,
    NamedTuple,
    NotRequired,
    Required,
    Self,
    TypeAlias,
    TypeVar,
    Unpack,
    cast,
    get_args,
    get_origin,
    get_type_hints,
)

from symposia.core.exceptions import ComponentError

TypeForm: TypeAlias = Any
"""An annotation: a class, `list[int]`, `int | None`, `Annotated`, … No type of today's checkers holds them all."""

_GIVEN: Final = "_given_arguments"
_CHANGEABLE: Final = frozenset({list, dict})  # copied, since their owner may change them later
_NO_DEFAULT: Final = inspect.Parameter.empty


T = TypeVar("T")


def kept_with_class(derive: Callable[[type], T]) -> Callable[[type], T]:
    """Derive a value from a class once, and keep it in the class for as long as the class exists.

    `lru_cache` holds on to classes that a function has made and dropped, and forgets others after some number.
    """
    key = f"_component_{derive.__name__.strip('_')}"

    @wraps(derive)
    def kept(cls: type) -> T:
        if key not in vars(cls):
            derived = derive(cls)
            try:
                setattr(cls, key, derived)
            except TypeError:  # a built-in class, among the bases of a component
                return derived
        return vars(cls)[key]

    return kept


class Argument(NamedTuple):
    """One argument of a constructor: a parameter, or a key of its ``**options``.

    Attributes:
        kind: How it is passed; an option is a keyword.
        annotation: Its type; that of the items, where it is ``*items``.
        required: Whether it has to be given.
        default: What it is when it is not given; None where that cannot be determined.
    """

    kind: inspect._ParameterKind
    annotation: TypeForm
    required: bool
    default: object


class Constructor(NamedTuple):
    """The arguments that a class can be constructed with.

    Attributes:
        arguments: By name, in the order of the signature.
        open_ended: Whether it takes keywords that it does not name.
    """

    arguments: Mapping[str, Argument]
    open_ended: bool

    def call(self, cls: type, values: Mapping[str, object]) -> object:
        """Construct `cls` with values by name."""
        positional: list[object] = []
        keywords = dict(values)
        for name, argument in self.arguments.items():
            if name in values and argument.kind is inspect.Parameter.POSITIONAL_ONLY:
                positional.append(keywords.pop(name))
            elif name in values and argument.kind is inspect.Parameter.VAR_POSITIONAL:
                items = cast("Iterable[object]", keywords.pop(name))
                positional = [*self._before(name, keywords), *items]
        return cls(*positional, **keywords)

    def _before(self, items: str, keywords: dict[str, object]) -> Iterator[object]:
        """Take out of `keywords` what has to be passed by position, since ``*items`` follow it."""
        for name, argument in self.arguments.items():
            if name == items:
                return
            yield keywords.pop(name, argument.default)


class RecordsArguments:
    """Remembers what each instance was constructed with."""

    if not TYPE_CHECKING:  # a checker is to see the signature of `__init__`

        def __new__(cls, *args: object, **kwargs: object) -> Self:
            # `object.__new__` makes this check only for classes that do not override it.
            if (args or kwargs) and cls.__init__ is object.__init__:
                raise TypeError(f"{cls.__name__}() takes no arguments")
            # By the exact type: the `copy` of a subclass may give another type, or do more than copy. Arguments by
            # position are a new tuple only where one of them is copied, since most constructors are given none.
            for name, value in kwargs.items():
                if type(value) in _CHANGEABLE:
                    kwargs[name] = value.copy()
            if not _CHANGEABLE.isdisjoint(map(type, args)):
                args = tuple(value.copy() if type(value) in _CHANGEABLE else value for value in args)
            self = super().__new__(cls)
            self.__dict__[_GIVEN] = (args, kwargs)
            return self

        class _Signature:
            """Shows the signature of `__init__`: `inspect` would show that of `__new__`."""

            def __get__(self, instance: object, owner: type) -> inspect.Signature:
                if instance is not None:
                    raise AttributeError("__signature__")
                return _signature_of(owner)

        __signature__ = _Signature()


def given_arguments(instance: object) -> dict[str, object]:
    """The arguments that an instance was constructed with, by name, defaults and options included.

    Raises:
        ComponentError: It was not recorded: the class has a `__new__` of its own that does not call its parent's.
    """
    cls = type(instance)
    if _GIVEN not in vars(instance):
        raise ComponentError(
            f"What {cls.__name__} was constructed with is not known, since its __new__ does not call super().__new__. "
            "Let it, or write _to_config and _from_config."
        )
    args, kwargs = vars(instance)[_GIVEN]
    bound = _signature_of(cls).bind(*args, **kwargs)
    bound.apply_defaults()
    given: dict[str, object] = {}
    for name, parameter in bound.signature.parameters.items():
        value = bound.arguments[name]
        given.update(value if parameter.kind is parameter.VAR_KEYWORD else {name: value})
    return given


@kept_with_class
def constructor_of(cls: type) -> Constructor:
    """Read what a class is constructed with.

    ``**options: Unpack[Options]`` counts as the keys of ``Options``. Bare ``**kwargs`` are taken to be passed on to the
    next constructor, so that its parameters count as well.

    Raises:
        ComponentError: A type in the signature cannot be found where the class is defined.
    """
    owner = next((base for base in cls.__mro__ if "__init__" in vars(base)), object)
    hints = _type_hints(cls, owner)
    arguments: dict[str, Argument] = {}
    open_ended = False
    for name, parameter in _signature_of(cls).parameters.items():
        hint = hints.get(name, Any)
        if parameter.kind is not parameter.VAR_KEYWORD:
            arguments[name] = _argument(parameter, hint)
            continue
        open_ended = True
        passed_on = options_of(*get_args(hint)) if get_origin(hint) is Unpack else _passed_on(cls, owner)
        arguments.update({option: argument for option, argument in passed_on.items() if option not in arguments})
    return Constructor(arguments=arguments, open_ended=open_ended)


def options_of(options: TypeForm) -> dict[str, Argument]:
    """The keys of a `TypedDict`, as arguments."""
    hints = get_type_hints(options, include_extras=True)
    return {name: _option(hint, required=name in options.__required_keys__) for name, hint in hints.items()}


def _option(hint: TypeForm, *, required: bool) -> Argument:
    marked = get_origin(hint)  # `__required_keys__` does not see marks in annotations that are text
    return Argument(
        kind=inspect.Parameter.KEYWORD_ONLY,
        annotation=get_args(hint)[0] if marked in {Required, NotRequired} else hint,
        required=marked is Required or (required and marked is not NotRequired),
        default=None,
    )


@kept_with_class
def _signature_of(cls: type) -> inspect.Signature:
    if cls.__init__ is object.__init__:
        return inspect.Signature()
    signature = inspect.signature(cls.__init__)
    _, *parameters = signature.parameters.values()
    return signature.replace(parameters=parameters)


def _type_hints(cls: type, owner: type) -> Mapping[str, TypeForm]:
    if owner is object:
        return {}
    try:
        return get_type_hints(owner.__init__, include_extras=True)
    except NameError as error:
        raise ComponentError(
            f"The configuration of {cls.__name__} cannot be derived from its constructor: {error}. Import that name "
            "where the class is defined, and not only for type checking; or set component_config_schema."
        ) from error


def _argument(parameter: inspect.Parameter, hint: TypeForm) -> Argument:
    items = parameter.kind is parameter.VAR_POSITIONAL
    required = parameter.default is _NO_DEFAULT and not items
    default = None if required else () if items else parameter.default
    return Argument(kind=parameter.kind, annotation=hint, required=required, default=default)


def _passed_on(cls: type, owner: type) -> dict[str, Argument]:
    """The arguments of the next constructor, none of them required: the class may give them itself."""
    rest = cls.__mro__[cls.__mro__.index(owner) + 1 :]
    following = next((base for base in rest if "__init__" in vars(base) and base is not object), None)
    if following is None:
        return {}
    return {
        name: Argument(
            kind=inspect.Parameter.KEYWORD_ONLY, annotation=each.annotation, required=False, default=each.default
        )
        for name, each in constructor_of(following).arguments.items()
        if each.kind in {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}
    }
