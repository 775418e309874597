"""The step before a run that installs what a submission's requirements.txt asks for."""
