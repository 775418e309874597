"""The engine and the containers in it: every call to Docker, and the options of all that is started."""
