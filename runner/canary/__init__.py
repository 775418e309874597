"""The probe of the sandbox's walls: what it tries, what it expects, when it runs, and its command."""
