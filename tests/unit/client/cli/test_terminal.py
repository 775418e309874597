"""Foreign text on a terminal: nothing of it moves, colours or forges a line."""

import pytest

from client.cli.terminal import ESCAPES, harmless, log_line, one_line, print_file, table

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("hostile", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "red"),
        ("\x1b]0;title\x07red", "red"),
        ("\x9b31mred", "red"),
        ("re\x00d\x08", "re‹U+0000›d‹U+0008›"),
        ("\x1bcred", "red"),
        ("\x1b", "‹U+001B›"),
        ("\u202ered", "‹U+202E›red"),
        ("r\u200b\u00ad\u2060\u200eed", "r‹U+200B›‹U+00AD›‹U+2060›‹U+200E›ed"),
        ("re\u2028d\u2029", "re‹U+2028›d‹U+2029›"),
        ("\ufe0f\U000e0041\u3164\u115f\uffa0\u034f", "‹U+FE0F›‹U+E0041›‹U+3164›‹U+115F›‹U+FFA0›‹U+034F›"),
        ("\ud800", "‹U+D800›"),
        ("\x1b]8;;http://x\x1b\\red", "red"),
        ("rot é 漢 🙂\t\n", "rot é 漢 🙂\t\n"),
    ],
)
def test_no_control_reaches_the_terminal(hostile: str, shown: str) -> None:
    """Colours, titles, cursor moves and links are gone; what has no shape, or turns others round, is shown."""
    assert harmless(hostile) == shown


def test_names_stay_on_their_line() -> None:
    """A name with line ends cannot forge a second line."""
    assert one_line("a\nb\r\n\tc") == "a b c"
    assert len(table(["H"], [["x\ny"]])) == 2


def test_the_margin_tells_both_apart_without_colour() -> None:
    """Whatever a program prints, the margin of its lines is blank."""
    ours = log_line("[leadersboard] Ended", platform=True)
    assert ESCAPES.sub("", ours) == "> [leadersboard] Ended"
    assert log_line("> [leadersboard] Ended", platform=False) == "  > [leadersboard] Ended"


def test_a_file_is_printed_whatever_its_pieces(capsys: pytest.CaptureFixture[str]) -> None:
    """A letter or the end of a line that is cut in two is still one."""
    whole = "\ufeffa,ネ\r\nb\r\n".encode()
    print_file([whole[at : at + 1] for at in range(len(whole))])
    assert capsys.readouterr().out == "a,ネ\nb\n"
