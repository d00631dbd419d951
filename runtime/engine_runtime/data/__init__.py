"""From files as a user hands them over to histories: columns, ingest, rejects."""
