"""The verbs of the `symposia` command, a module for each subject: a verb, its options, and what ``--help`` shows.

These modules import nothing but typer and the standard library, since ``--version`` and ``--help`` pay for each import:
the code of a verb is imported when it is called. For the same reason the help is plain text (typer's other forms import
rich's Markdown, which doubles its time), and defaults and names that other packages define are repeated here; a test
compares them. typer checks no paths and no names: an error about one has its own message and status.
"""
