"""Vectors of a data set as one matrix, kept in memory and read from the database when it changed.

The matrix is only a copy: every search first compares its size and time stamp with the database.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import numpy as np
from argilla_server.models import Vector
from sqlalchemy import ColumnElement, String, and_, func, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

MAX_MATRICES = 4
READ_AT_ONCE = 1000
LONGEST_WRITE = timedelta(minutes=1)  # between a time stamp and its commit

_State = tuple[int, datetime | None]


@dataclass(frozen=True)
class Matrix:
    """Unit vectors (n, dim) as float32, and which record (id as 32 hex digits) has which row."""

    rows: np.ndarray
    index: dict[str, int]
    state: _State

    def nearest(
        self,
        vector: list[float],
        ids: Sequence[str] | None,
        *,
        without: str | None,
        farthest: bool,
        n: int,
    ) -> list[tuple[str, float]]:
        """The n records (of those with the given ids, or of all) that are most like a vector.

        Best first, with a score between 0 and 1: how like (or, for the farthest, unlike) they are.
        """
        wanted = [
            id for id in (self.index if ids is None else ids) if id in self.index and id != without
        ]
        if not wanted:
            return []
        scores = (1 + self.rows @ _unit(np.array([vector]))[0] * (-1 if farthest else 1)) / 2
        scores = scores[[self.index[id] for id in wanted]].clip(0, 1)
        best = np.argsort(-scores, kind="stable")[:n]
        return [(wanted[at], float(scores[at])) for at in best]


_matrices: OrderedDict[UUID, Matrix] = OrderedDict()
_lock = asyncio.Lock()


async def load(connection: AsyncConnection, vector_settings_id: UUID) -> Matrix:
    """Give the matrix of all vectors with these settings, as they are in the database now."""
    own = Vector.vector_settings_id == vector_settings_id
    async with _lock:
        found = await connection.execute(
            select(func.count(Vector.id), func.max(Vector.updated_at)).where(own)
        )
        count, changed = found.one()
        matrix = _matrices.get(vector_settings_id)
        if matrix is None or matrix.state != (count, changed):
            matrix = await _read(connection, vector_settings_id, (count, changed), matrix)
            _matrices[vector_settings_id] = matrix
        _matrices.move_to_end(vector_settings_id)
        while len(_matrices) > MAX_MATRICES:
            _matrices.popitem(last=False)
        return matrix


async def _read(
    connection: AsyncConnection, vector_settings_id: UUID, state: _State, known: Matrix | None
) -> Matrix:
    """Read what is not known yet: parsing 50,000 vectors takes seconds, new ones are few."""
    own = Vector.vector_settings_id == vector_settings_id
    id: ColumnElement[str] = type_coerce(Vector.record_id, String)
    joined = ""
    if known is not None and known.state[1] is not None:
        # In one string, as 50,000 rows would keep the event loop busy.
        result = await connection.execute(select(func.group_concat(id)).where(own))
        joined = result.scalar_one() or ""
        own = and_(own, Vector.updated_at >= known.state[1] - LONGEST_WRITE)
    fresh: list[str] = []
    parts: list[np.ndarray] = []
    found = await connection.stream(select(id, type_coerce(Vector.value, String)).where(own))
    async for rows in found.partitions(READ_AT_ONCE):
        fresh += [id for id, _ in rows]
        # In a thread, so that others are answered in the meantime.
        parts.append(await asyncio.to_thread(_parse, [text for _, text in rows]))
    made = await asyncio.to_thread(_join, known, joined, fresh, parts, state)
    return made or await _read(connection, vector_settings_id, state, None)


def _join(
    known: Matrix | None, joined: str, fresh: list[str], parts: list[np.ndarray], state: _State
) -> Matrix | None:
    """Put what is known of all records (joined by commas) and what is fresh into one matrix.

    None if something is missing: it was written long before it was committed.
    """
    kept: list[str] = []
    if known is not None and joined:
        new = set(fresh)
        kept = [id for id in joined.split(",") if id not in new]
        if not all(id in known.index for id in kept):
            return None
        if kept:
            parts = [known.rows[[known.index[id] for id in kept]], *parts]
    matrix = np.concatenate(parts) if parts else np.zeros((0, 0), dtype=np.float32)
    index = {id: row for row, id in enumerate(kept + fresh)}
    return Matrix(rows=matrix, index=index, state=state)


def _parse(texts: list[str]) -> np.ndarray:
    """Parse JSON lists of numbers into unit vectors; a vector of zeros stays as it is."""
    joined = ",".join(text.strip("[] ") for text in texts)
    return _unit(np.fromstring(joined, sep=",").reshape(len(texts), -1))


def _unit(values: np.ndarray) -> np.ndarray:
    """Unit vectors as float32, of any numbers; a vector of zeros stays as it is."""
    values = np.nan_to_num(values)
    # First by the largest number: the square of 1e200 is too large for one.
    values = values / _not_zero(np.abs(values).max(axis=1, keepdims=True))
    values = values / _not_zero(np.linalg.norm(values, axis=1, keepdims=True))
    return values.astype(np.float32)


def _not_zero(values: np.ndarray) -> np.ndarray:
    return np.where(values == 0, 1, values)
