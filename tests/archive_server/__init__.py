"""A server of ours that stands in for every archive, quirk by quirk, with the archives' true schemas.

    with archive_server(make_catalog()) as server:
        config = IngestionConfig(addresses=server.addresses(), ...)

By hand: `python -m tests.archive_server --port 8400`.
"""
