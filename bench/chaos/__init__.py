"""Jobs of several users while parts are killed, paused and restarted at random; afterwards everything must be right."""
