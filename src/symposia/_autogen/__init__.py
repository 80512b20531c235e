"""The import hook: finders for AutoGen's module names, their errors, and the runner of programs."""
