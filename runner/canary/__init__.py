"""The probe of the sandbox's walls: what it tries, what it expects, when it is asked, and its command."""
