"""The trace viewer: a small web server over the folder of traces.

`run_view` makes typed views from a run's events; the pages and their JSON forms both show these.
"""
