"""Uploads of at most 1 MB, each built to cost far more than its size: as files, and as a raw form."""
