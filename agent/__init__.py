"""hoptree: multi-hop question answering over your own documents."""
