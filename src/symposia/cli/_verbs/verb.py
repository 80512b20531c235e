"""The classes of the verbs: what they add to the usage errors of typer."""

from __future__ import annotations

from typing import Any

from typer.core import TyperCommand


class Verb(TyperCommand):
    """A verb that shows its usage with every usage error.

    typer shows it only for errors with a context, and its parser makes errors about a missing value without one.
    """

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # Any: click's context, or typer's copy of click's
        try:
            return super().parse_args(ctx, args)
        except Exception as error:
            if getattr(error, "ctx", self) is None:
                vars(error).update(ctx=ctx, cmd=self)
            raise


class TextVerb(Verb):
    """A verb whose argument is a text: says how one of several words is given."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:  # Any: see `Verb`
        left = super().parse_args(ctx, args)
        if ctx.args:  # let through by `allow_extra_args`; the parser's own error does not say what to do
            argument = next(each for each in self.params if each.param_type_name == "argument")
            text = " ".join([str(ctx.params[argument.name]), *ctx.args])
            what = f"The {argument.metavar.lower()} has" if argument.metavar else "It has"
            ctx.fail(f'{what} to be one argument. Put it in quotes: symposia {ctx.info_name} "{text}"')
        return left
