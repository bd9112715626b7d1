"""Retrievers: the embedded index, Elasticsearch, loading, encoding, fusion."""
