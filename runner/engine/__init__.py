"""The engine and the containers in it: every call to Docker, and the options of whatever is started."""
