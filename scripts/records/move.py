"""Every data set of a workspace copied to another Argilla server."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import argilla as rg
import srsly

from scripts.argilla_server.files import write_private
from scripts.cli.errors import ProjectError
from scripts.records.copy import (
    Side,
    copy_records,
    create,
    differences,
    is_whole,
    settings_of,
    tally,
)
from scripts.records.pool_dataset import pool_name
from scripts.records.rest import Json, all_users, data_sets, page_url, request, user_ids
from scripts.records.swap import MAKING


@dataclass
class Moved:
    """A data set that was copied. counts: What the source has. missing: In what the target differs
    from it, in words. empty_drafts: Drafts without a choice, which Argilla does not take."""

    name: str
    url: str
    counts: dict[str, int]
    missing: list[str]
    empty_drafts: int


def chosen(client: rg.Argilla, workspace: rg.Workspace, names: Sequence[str]) -> list[Json]:
    """The data sets of the workspace that are to be copied: those named with their pools', or all.
    Pools' come first: a copy is of today, and of two answers by one person the later counts, which
    the loop has already (see `loop.found.check_taken`).

    RAISES (ProjectError): One is not there, or none is.
    """
    there = data_sets(client, str(workspace.id))
    if unknown := [name for name in names if name not in there]:
        raise ProjectError(
            f"There is no data set '{unknown[0]}' in the workspace '{workspace.name}'.",
            f"Nothing was copied. There are: {', '.join(there) or 'none'}",
        )
    pools = {pool_name(name) for name in names}
    found = [
        one
        for name, one in there.items()
        # What is in the making is made anew by whoever makes it.
        if name in names
        or ((not names or name in pools) and is_whole(one) and not name.endswith(MAKING))
    ]
    if not found:
        raise ProjectError(f"There is no data set in the workspace '{workspace.name}' to copy.")
    return sorted(found, key=lambda one: not one["name"].endswith(pool_name("")))


def target_workspace(source: rg.Argilla, target: rg.Argilla, name: str) -> Json:
    """The workspace of this name on the target; made if it is not there yet.

    RAISES (ProjectError): The target is the source, or its key is no owner's.
    """
    if (role := request(target, "GET", "/me")["role"]) != "owner":
        raise ProjectError(
            f"The API key given for Argilla at {target.api_url} is no owner's, but of role {role}.",
            "Nothing was copied. Data sets and users are made there: set ARGILLA_TARGET_KEY to an "
            "owner's key.",
        )
    there = {one["id"]: one for one in workspaces(target)}
    if any(one["id"] in there for one in workspaces(source)):
        raise ProjectError(
            "Both addresses lead to the same Argilla server, or to a copy of its database.",
            "Nothing was copied. Give the other server's address and key: see --help",
        )
    for one in there.values():
        if one["name"] == name:
            return one
    return dict(request(target, "POST", "/workspaces", json={"name": name}))


def workspaces(client: rg.Argilla) -> list[Json]:
    return list(request(client, "GET", "/me/workspaces")["items"])


def move_users(
    source: rg.Argilla,
    workspace: rg.Workspace,
    datasets: Sequence[Json],
    target: rg.Argilla,
    there: Json,
    passwords: Path | None,
) -> list[str]:
    """Make the users that the target does not have, with random passwords, and let all of them into
    the workspace: those of the source's workspace and those who said something.

    passwords: A file for them. Each is in it before its user is made, as no second run would make
        the user again.
    RETURNS: The names of those made.
    """
    users = all_users(source)
    members = _members(source, str(workspace.id))
    for one in datasets:
        said = request(source, "GET", f"/datasets/{one['id']}/users/progress")["users"]
        members |= {user["username"] for user in said}
    known, inside = {u["username"]: u for u in all_users(target)}, _members(target, there["id"])
    made: list[str] = []
    for user in users:
        name = user["username"]
        if name not in members:
            continue
        if name not in known:
            password = secrets.token_urlsafe(16)
            if passwords:
                _write_down(passwords, name, password)
            body = {key: user[key] for key in ("username", "first_name", "last_name")}
            # No owner but the one whose server it is.
            role = "annotator" if user["role"] == "annotator" else "admin"
            own = {"role": role, "password": password}
            known[name] = request(target, "POST", "/users", json={**body, **own})
            made.append(name)
        if known[name]["role"] != "owner" and name not in inside:
            path = f"/workspaces/{there['id']}/users"
            request(target, "POST", path, json={"user_id": known[name]["id"]})
    return made


def _write_down(path: Path, name: str, password: str) -> None:
    """RAISES (ProjectError): Something else is in the file."""
    try:
        there = srsly.json_loads((path.exists() and path.read_text()) or "{}")
        text = srsly.json_dumps({**there, name: password}, indent=2)
    except (TypeError, ValueError):
        raise ProjectError(
            f"{path} has something else in it than passwords.",
            "It was not changed. Give another file: --passwords",
        ) from None
    write_private(path, text)


def _members(client: rg.Argilla, workspace_id: str) -> set[str]:
    found = request(client, "GET", f"/workspaces/{workspace_id}/users")["items"]
    return {user["username"] for user in found}


def move(source: rg.Argilla, dataset: Json, target: rg.Argilla, workspace: Json) -> Moved:
    """Copy one data set, with the users that are there; what is there already stays, and where both
    sides differ the later answer counts.

    RAISES (ProjectError): The target has another data set of this name.
    """
    name = dataset["name"]
    there = data_sets(target, workspace["id"]).get(name)
    settings = settings_of(source, dataset)
    if there is not None and not is_whole(there):  # cut short in the making: without records
        request(target, "DELETE", f"/datasets/{there['id']}")
        there = None
    if there is None:
        there = create(target, workspace["id"], name, settings)
    elif _shape(settings_of(target, there)) != _shape(settings):
        raise ProjectError(
            f"The other server has a data set '{name}' with other fields, labels or settings.",
            "It was not changed. Delete or rename it there, then run the same command again.",
        )
    one = Side(source, dataset["id"], user_ids(source))
    other = Side(target, there["id"], user_ids(target))
    copy_records(one, other, lambda record: record, title=name)
    counts = tally(one)
    missing = differences(counts, tally(other))
    of_loop = any(item["name"] == "iteration" for item in settings["properties"])
    url = page_url(target, there["id"], of_loop)
    return Moved(name, url, dict(counts), missing, one.empty_drafts)


def _shape(settings: Json) -> Json:
    """What two data sets have to share to hold the same records."""
    parts = ("fields", "questions", "properties")
    found = {part: {item["name"]: item["settings"] for item in settings[part]} for part in parts}
    return {**found, "vectors": {item["name"]: item["dimensions"] for item in settings["vectors"]}}
