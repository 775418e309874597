"""Names of files that people, libraries and other scripts give, each of them a name to be kept."""

from __future__ import annotations

ODD_NAMES = (
    "a#b.png", "100%.png", "a%41.png", "%2e%2e", "50%25.txt", "what?.png", "ends with?", "a;b;", "semi;", "a&b=c+d.png",
    '"quoted".txt', "it's.txt", "a b.png", " leading and trailing ", "two  blanks.png",
    "full\u3000width\u00a0blank.png", "a\\b.png", "\\\\server\\share", "C:drive.txt", "C:/folder/x", "file:x.txt",
    "-rf", "--help", ".hidden", "...",
    "..twice/x.png", "....png", ".artifact.uploading.x", "ネジ.png", "ヒートマップ/良品_001.png", "cafe\u0301.png",
    "caf\u00e9.png", "😀.png", "👩\u200d👩\u200d👧.png", "x\ufe0f.png", "\u202egnp.exe", "a.TXT", "A.txt", "a.txt",
    "epoch=12-step=300.ckpt", "~23.txt", "~~" + "ab" * 16, "tilde~", "a:b|c<d>e*f.png", "[x]{y}$z^.png", "nul", "x.",
    "n" * 255, "#" * 255, "ネ" * 85, "%" * 251 + ".png", "\U0010fffd.png", "line\u2028end.png", "logs/own.log", "Logs",
)  # fmt: skip
REFUSED_NAMES = ("..", ".", "a/../b", "a//b", "", "/etc/x", "a\nb", "tab\t", "\x1b[31m", "c1\x85", "del\x7f", "n" * 256,
                 "\udcff", "d/" * 32 + "x")  # fmt: skip
