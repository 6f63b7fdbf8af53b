"""An export -> the Hugging Face hub."""

from pathlib import Path

from scripts.cli.errors import ProjectError
from scripts.data.exported import CARD

# The hub needs the rows once; the other formats stay here.
PUSHED = (CARD, "data/*.parquet")


def pushed_files(folder: Path) -> list[tuple[str, int]]:
    """What would be pushed: paths in the repository, and their sizes in bytes."""
    found = sorted(path for pattern in PUSHED for path in folder.glob(pattern))
    return [(path.relative_to(folder).as_posix(), path.stat().st_size) for path in found]


def check_push(name: str, dry_run: bool) -> None:
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
            f"The hub takes no data set named '{name}'.",
            f"{err}\nGive one such as your-name/news, or news for your own.",
        ) from None
    if not dry_run and get_token() is None:
        raise ProjectError(
            "There is no token for the Hugging Face hub; nothing was exported.",
            "Make one with the right to write at https://huggingface.co/settings/tokens, then set "
            "HF_TOKEN or run: hf auth login",
        )


def push(folder: Path, name: str, private: bool) -> str:
    """Push the export in one commit, in place of what was pushed before.

    private: Who may see it: you (or your organisation), or everybody.
    RETURNS: The data set's address.
    RAISES (ProjectError): The hub cannot be reached or refuses it, or the data set is there already
        and everybody may see it, though private was asked for.
    """
    from huggingface_hub import HfApi
    from huggingface_hub.errors import HfHubHTTPError

    api = HfApi()
    try:
        made = api.create_repo(name, repo_type="dataset", private=private, exist_ok=True)
        if private and not api.dataset_info(made.repo_id).private:
            raise ProjectError(
                f"{made} is there already, and everybody may see it. Nothing was pushed.",
                "Make it private on its page, give another name, or push with --public.",
            )
        api.upload_folder(
            repo_id=made.repo_id,
            repo_type="dataset",
            folder_path=folder,
            allow_patterns=list(PUSHED),
            delete_patterns=[PUSHED[1]],  # splits that are gone
            commit_message="Labels from Argilla",
        )
    except HfHubHTTPError as err:
        raise ProjectError(
            f"The hub at {api.endpoint} refused to take '{name}'.",
            f"{_first(err)}\nMay the token write there? The export itself is in {folder}.",
        ) from None
    except OSError as err:  # no network, or an offline setting
        raise ProjectError(
            f"The hub at {api.endpoint} cannot be reached.",
            f"{_first(err)}\nThe export itself is in {folder}: push it later, with the same "
            "command.",
        ) from None
    return str(made)


def _first(err: Exception) -> str:
    lines = str(err).strip().splitlines()
    return lines[0] if lines else type(err).__name__
