"""Programs that leave no usable `metrics.json` in their output directory, and what the submitter is told of each."""

from __future__ import annotations

START = "import os, pathlib, sys\nout = pathlib.Path(sys.argv[4])\n"
WRITE = '.write_text(\'{"params": {}, "metrics": {"image_auc": 0.5}}\')\n'

MISPLACED = {
    "one level down": (
        START + "(out / 'Padim' / 'v0').mkdir(parents=True)\n(out / 'Padim' / 'v0' / 'metrics.json')" + WRITE,
        "There is Padim/v0/metrics.json: write it to --output itself.",
    ),
    "below a name that is no text": (
        START + "d = out / os.fsdecode(b'\\xff\\n\\x1b')\nd.mkdir()\n(d / 'metrics.json')" + WRITE,
        "‹U+000A›‹U+001B›/metrics.json: write it to --output itself.",
    ),
    "in capitals": (START + "(out / 'Metrics.JSON')" + WRITE, "There is Metrics.JSON: call it metrics.json"),
    "another name": (START + "(out / 'results.json')" + WRITE, "There is results.json: call it metrics.json"),
    "another name, one level down": (
        START + "(out / 'v0').mkdir()\n(out / 'v0' / 'metrics.json.txt')" + WRITE,
        "There is v0/metrics.json.txt: write it to --output itself, and call it metrics.json",
    ),
    "the working directory": (
        START + "pathlib.Path('metrics.json')" + WRITE,
        "main.py, line 3, names a metrics.json in another folder than --output, which went with the run. Write",
    ),
    "nothing": (START, "Write it there: os.path.join(args.output, 'metrics.json')"),
    "a folder": (START + "(out / 'metrics.json').mkdir()\n", "write the numbers into a file of this name itself"),
    "a link": (
        START + "(out / 'v0').mkdir()\n(out / 'v0' / 'metrics.json')" + WRITE
        + "os.symlink('v0/metrics.json', out / 'metrics.json')\n",
        "write the numbers into a file of this name itself",
    ),
}  # fmt: skip
