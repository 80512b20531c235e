"""Programs written for AutoGen: the import hook, and the names that it resolves."""
