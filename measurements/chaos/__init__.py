"""Runs jobs of several users while services are killed, paused and restarted at random, then checks all results."""
