"""Postgres and S3 as child processes: what `bilten dev` and the tests run on. Never imported in a deployment."""
