"""The conversation at the prompt: `hoptree repl`."""
