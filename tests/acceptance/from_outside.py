"""What somebody in another network can do to a site, tried there; prints what was found as JSON.

python from_outside.py '{"host": …, "api": 8010, "ui": 8501, "mlflow": 5010, "tokens": {…}, "runs": {…}, "shut": [...],
                         "chromium": "/usr/bin/chromium"}'
"""

from __future__ import annotations

import json
import socket
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import httpx2
from playwright.sync_api import Page, sync_playwright

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.mlflow_writes import writes

Asked = dict[str, Any]


def main(asked: Asked) -> dict[str, Any]:
    return {
        "open": sorted(port for port in asked["shut"] if is_open(asked["host"], port)),
        "pages": {user: pages(asked, user) for user in asked["tokens"]},
        "seen": seen_in_chromium(asked, "researcher"),
        "writes": {name: sorted(written(asked, name)) for name in (*asked["tokens"], "stranger")},
    }


def is_open(host: str, port: int) -> bool:
    with suppress(OSError), socket.create_connection((host, port), timeout=2):
        return True
    return False


@contextmanager
def browser(asked: Asked, token: str | None) -> Iterator[httpx2.Client]:
    with httpx2.Client(base_url=f"http://{asked['host']}:{asked['mlflow']}", timeout=30, trust_env=False) as client:
        if token:
            client.post("/login", data={"token": token})
        yield client


def pages(asked: Asked, user: str) -> dict[str, Any]:
    """What a user who signs in finds of the run of each: its page's parts, its score, its file, its log."""
    token = asked["tokens"][user]
    found: dict[str, Any] = {}
    api = httpx2.Client(
        base_url=f"http://{asked['host']}:{asked['api']}", headers={"Authorization": f"Bearer {token}"}, trust_env=False
    )
    with browser(asked, token) as signed_in, api:
        found["page"] = "<title>MLflow</title>" in signed_in.get("/").text
        for owner, run in asked["runs"].items():
            query = {"run_id": run["run_id"]}
            found[owner] = [
                signed_in.get("/ajax-api/2.0/mlflow/runs/get", params=query).status_code,
                signed_in.get("/ajax-api/2.0/mlflow/artifacts/list", params=query).status_code,
                signed_in.get("/get-artifact", params={"path": "notes.txt", "run_uuid": run["run_id"]}).status_code,
                api.get(f"/jobs/{run['job_id']}/logs").status_code,
            ]
    return found


def seen_in_chromium(asked: Asked, user: str) -> dict[str, bool]:
    """What that user sees after the sign-in: a run's identifier on its page, and its file, for a run of each."""
    found: dict[str, bool] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=asked["chromium"], args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.goto(run_page(asked, user))
        page.locator("summary").click()
        page.get_by_label("Access token").fill(asked["tokens"][user])
        page.get_by_role("button", name="Sign in with token").click()
        for owner, run in asked["runs"].items():
            found[f"page of {owner}"] = shows(page, run_page(asked, owner), run["run_id"])
            files = run_page(asked, owner, "/artifacts")
            found[f"file of {owner}"] = shows(page, files, "notes.txt", "that you can see")
        browser.close()
    return found


def run_page(asked: Asked, owner: str, tab: str = "") -> str:
    run = asked["runs"][owner]
    return f"http://{asked['host']}:{asked['mlflow']}/#/experiments/{run['experiment_id']}/runs/{run['run_id']}{tab}"


def shows(page: Page, url: str, words: str, else_words: str | None = None) -> bool:
    """Whether the page comes to show these words; where it may refuse them, in which others."""
    page.goto(url)
    wanted = page.get_by_text(words).first
    (wanted.or_(page.get_by_text(else_words).first) if else_words else wanted).first.wait_for(timeout=180_000)
    return wanted.is_visible()


def written(asked: Asked, name: str) -> set[int]:
    """The statuses of every write to a run at MLflow's port and through the API, and of some at places of neither."""
    token = asked["tokens"].get(name)
    seen: Counter[int] = Counter()
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    run = next(iter(asked["runs"].values()))
    with browser(asked, token) as signed_in:
        for method, path, body in writes(run["experiment_id"], run["run_id"]):
            places = [path, f"http://{asked['host']}:{asked['api']}/mlflow{path}"]
            if path.startswith("/api/2.0/mlflow/"):
                places += [f"http://{asked['host']}:{asked[part]}{path}" for part in ("api", "ui")]
            for place in places:
                seen[signed_in.request(method, place, json=body, headers=headers).status_code] += 1
    return set(seen)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(json.loads(sys.argv[1]))))
