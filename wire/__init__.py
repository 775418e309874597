"""Shared by the servers of gateway and ui: how fast requests must arrive and answers must be read. Imports neither."""
