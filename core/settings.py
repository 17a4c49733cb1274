"""Settings: environment variables (``TIEBREAK_…``), then ``tiebreak.toml`` in the workspace, then defaults."""

from __future__ import annotations

import tomllib
from pathlib import Path

from pydantic import Field, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    SettingsError,
    TomlConfigSettingsSource,
)

from core.errors import InputError

DEFAULT_WORKSPACE = Path(__file__).resolve().parent.parent / "data" / "workspace"
SETTINGS_FILE = "tiebreak.toml"


class Settings(BaseSettings):
    """All settings of one workspace; each can be set as ``TIEBREAK_<NAME>``."""

    model_config = SettingsConfigDict(env_prefix="TIEBREAK_", extra="ignore", frozen=True)

    workspace: Path = Field(DEFAULT_WORKSPACE, description="Folder that holds everything.")
    database_url: str = Field(
        "", description="PostgreSQL URL of the record; empty: SQLite in the workspace."
    )
    demo: bool = Field(False, description="Show one-click sign-in; only honoured on loopback.")
    demo_seed: int = Field(7, description="Seed of the demo set.")

    image_max_bytes: int = Field(200_000_000, description="Largest image file taken, bytes.")
    image_max_pixels: int = Field(90_000_000, description="Largest image taken, pixels.")
    archive_max_bytes: int = Field(
        20_000_000_000, description="Most bytes an archive may unpack to."
    )
    archive_max_entries: int = Field(200_000, description="Most files an archive may hold.")
    allowed_sources: tuple[str, ...] = Field(
        (), description="fsspec protocols imports may read from, s3 for example; none by default."
    )

    import_roots: tuple[Path, ...] = Field(
        (),
        description="Folders of the server the datasets page may import from, beside the workspace's 'incoming'.",
    )

    lease_seconds: float = Field(600.0, description="How long a claim of an item lasts.")
    lease_cap: int = Field(120, description="Most items one person may hold at once.")
    idle_seconds: float = Field(60.0, description="Pauses beyond this are not active time.")
    session_hours: float = Field(12.0, description="How long a sign-in lasts.")
    use_shares: tuple[float, float, float] = Field(
        (0.8, 0.1, 0.1), description="Shares of items for train, certify and evaluate."
    )

    backbone: str = Field("mobilenet_v2", description="torchvision model that embeds the images.")
    offline: bool = Field(False, description="Never try to download weights.")
    self_training_seconds: float = Field(
        45.0,
        description="How long a network of the project's own is taught where no weights are at hand.",
    )
    job_lost_seconds: float = Field(
        60.0, description="A worker silent for longer is taken for dead."
    )
    processes: int = Field(
        0, description="Processes that share a fine-tuning on this machine; 0: one a GPU, else one."
    )
    nodes: int = Field(1, description="Machines that share a fine-tuning.")
    rendezvous: str = Field(
        "", description="host:port where several machines meet; empty: this machine alone."
    )
    query_seconds: float = Field(10.0, description="An analytics query is interrupted after this.")
    smallest_group: int = Field(
        10, ge=2, description="Groups of fewer statements are never shown in figures by slice."
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read the file of the workspace that the arguments or the environment name."""
        named = init_settings().get("workspace") or env_settings().get("workspace")
        folder = Path(named) if named else DEFAULT_WORKSPACE
        toml = TomlConfigSettingsSource(settings_cls, folder / SETTINGS_FILE)
        return (init_settings, env_settings, toml)


def load_settings(workspace: Path | None = None) -> Settings:
    """Return the settings of a workspace (default: the environment's, else ``data/workspace``).

    Raises:
        InputError: A setting will not do, or the file cannot be read.
    """
    try:
        return Settings(workspace=workspace) if workspace is not None else Settings()  # type: ignore[call-arg]
    except ValidationError as error:
        first = error.errors()[0]
        name = ".".join(str(p) for p in first["loc"])
        raise InputError(
            f"The setting '{name}' will not do: {first['msg']}, found {first['input']!r}.",
            f"Correct it in {SETTINGS_FILE} or in TIEBREAK_{name.upper()}.",
        ) from error
    except (tomllib.TOMLDecodeError, SettingsError) as error:
        raise InputError(
            f"The settings cannot be read: {error}.", f"Correct {SETTINGS_FILE}."
        ) from error
