"""What the hub does by itself, beside answering: one coroutine a file."""
