"""`weights`: what every run finds in /weights."""

from client.cli.commands.jobs import AsJson, show
from client.cli.endings import signed_in
from client.cli.report import weights_lines


def weights(as_json: AsJson = False) -> None:
    """List the weights that the platform has for every run, and what a program writes to use them."""
    with signed_in() as client:
        found = client.weights()
    show(found, weights_lines(found), as_json=as_json)
