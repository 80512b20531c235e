"""The host's side of a sandbox's network: understands the requests of blocks, decides, connects and carries bytes."""
