"""What browsers send to events of the pages: a plain call, and a mark that must be seen nowhere."""

from typing import Any

from tests.unit.ui.served import Served

MARK = "planted-7d1f03"


def file_data(path: str) -> dict[str, Any]:
    return {"path": path, "meta": {"_type": "gradio.FileData"}, "orig_name": "a.py"}


def plain(ui: Served, fn_index: int) -> list[Any]:
    """Values that an event takes."""
    example = {"Radio": None, "Dropdown": "b", "Textbox": "t", "Number": 0}
    blocks = ui.site.fns[fn_index].inputs
    return [
        block.choices[0][1] if type(block).__name__ == "Radio" else example[type(block).__name__] for block in blocks
    ]


def called(ui: Served, page: str, name: str, *values: str) -> list[Any]:
    """What an event answers that is a method `name` of `_Show` in the module `page`."""
    index = next(
        index
        for index, function in ui.site.fns.items()
        if getattr(function.fn, "__qualname__", "") == f"_Show.{name}"
        and getattr(function.fn, "__module__", "") == page
    )
    visitor = ui.visitor()
    visitor.join(index, list(values))
    done = next(event for event in visitor.events() if event["msg"] == "process_completed")
    return list(done["output"]["data"])
