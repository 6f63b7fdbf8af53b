"""A folder -> the Hugging Face hub: an export as a data set, a package as a model."""

from pathlib import Path
from typing import Literal

from scripts.cli.errors import ProjectError
from scripts.data.exported import CARD

# Of a data set the hub needs the rows once; the other formats stay here.
PUSHED = (CARD, "data/*.parquet")
Kind = Literal["dataset", "model"]  # of a repository
CALLED: dict[Kind, str] = {"dataset": "data set", "model": "model"}


def pushed_files(folder: Path, kind: Kind = "dataset") -> list[tuple[str, int]]:
    """What would be pushed: paths in the repository, and their sizes in bytes."""
    patterns = PUSHED if kind == "dataset" else ("**/*",)
    found = sorted(path for pattern in patterns for path in folder.glob(pattern))
    return [(p.relative_to(folder).as_posix(), p.stat().st_size) for p in found if p.is_file()]


def check_push(name: str, dry_run: bool, kind: Kind = "dataset") -> None:
    """What can be seen without network, before anything is done.

    RAISES (ProjectError): The hub takes no such name, or there is no token.
    """
    from huggingface_hub import get_token
    from huggingface_hub.errors import HFValidationError
    from huggingface_hub.utils import validate_repo_id

    try:
        validate_repo_id(name)
    except HFValidationError as err:
        raise ProjectError(
            f"The hub takes no {CALLED[kind]} named '{name}'.",
            f"{err}\nGive one such as your-name/news, or news for your own.",
        ) from None
    if not dry_run and get_token() is None:
        raise ProjectError(
            "There is no token for the Hugging Face hub; nothing was done.",
            "Make one with the right to write at https://huggingface.co/settings/tokens, then set "
            "HF_TOKEN or run: hf auth login",
        )


def push(folder: Path, name: str, private: bool, kind: Kind = "dataset") -> str:
    """Push the folder in one commit; a data set in place of what was pushed before.

    private: Who may see it: you (or your organisation), or everybody.
    RETURNS: The repository's address.
    RAISES (ProjectError): The hub cannot be reached or refuses it, or the repository is there
        already and everybody may see it, though private was asked for.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    api, data = HfApi(), kind == "dataset"
    try:
        made = api.create_repo(name, repo_type=kind, private=private, exist_ok=True)
        if private and not api.repo_info(made.repo_id, repo_type=kind).private:
            raise ProjectError(
                f"{made} is there already, and everybody may see it. Nothing was pushed.",
                "Make it private on its page, give another name, or let it be public.",
            )
        api.upload_folder(
            repo_id=made.repo_id,
            repo_type=kind,
            folder_path=folder,
            allow_patterns=list(PUSHED) if data else None,
            delete_patterns=[PUSHED[1]] if data else None,  # splits that are gone
            commit_message="Labels from Argilla" if data else "Update spaCy pipeline",
        )
    except HfHubHTTPError as err:
        raise ProjectError(
            f"The hub at {api.endpoint} refused to take '{name}'.",
            f"{_first(err)}\n{_why(err, name)} What was to be pushed is in {folder}.",
        ) from None
    except OSError as err:  # no network, or an offline setting
        raise ProjectError(
            f"The hub at {api.endpoint} cannot be reached.",
            f"{_first(err)}\nWhat was to be pushed is in {folder}: push it later, with the same "
            "command.",
        ) from None
    return str(made)


def _why(err: Exception, name: str) -> str:
    status = getattr(getattr(err, "response", None), "status_code", None)
    owner = name.rpartition("/")[0] or "you"
    if status == 401:
        return "The token is not valid: make another at https://huggingface.co/settings/tokens."
    if status in (403, 404):
        return f"Is there an account or organisation '{owner}', and may the token write there?"
    return "May the token write there?"


def _first(err: Exception) -> str:
    lines = str(err).strip().splitlines()
    return lines[0] if lines else type(err).__name__
