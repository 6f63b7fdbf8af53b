"""Vectors of a data set as one matrix, kept in memory and read from the database when it changed.

The matrix is only a copy: every search first compares its size and time stamp with the database.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import numpy as np
from argilla_server.models import Vector
from sqlalchemy import String, func, select, type_coerce
from sqlalchemy.ext.asyncio import AsyncConnection

MAX_MATRICES = 4
READ_AT_ONCE = 1000

_State = tuple[int, datetime | None]


@dataclass(frozen=True)
class Matrix:
    """Unit vectors (n, dim) as float32, and which record (id as 32 hex digits) each row is of."""

    rows: np.ndarray
    ids: list[str]
    state: _State

    def index(self) -> dict[str, int]:
        return {id: row for row, id in enumerate(self.ids)}


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
            matrix = await _read(connection, vector_settings_id, (count, changed))
            _matrices[vector_settings_id] = matrix
        _matrices.move_to_end(vector_settings_id)
        while len(_matrices) > MAX_MATRICES:
            _matrices.popitem(last=False)
        return matrix


async def _read(connection: AsyncConnection, vector_settings_id: UUID, state: _State) -> Matrix:
    ids: list[str] = []
    parts: list[np.ndarray] = []
    texts = await connection.stream(
        select(type_coerce(Vector.record_id, String), type_coerce(Vector.value, String)).where(
            Vector.vector_settings_id == vector_settings_id
        )
    )
    async for rows in texts.partitions(READ_AT_ONCE):
        ids += [id for id, _ in rows]
        # In a thread, so that others are answered in the meantime.
        parts.append(await asyncio.to_thread(_parse, [text for _, text in rows]))
    matrix = np.concatenate(parts) if parts else np.zeros((0, 0), dtype=np.float32)
    return Matrix(rows=matrix, ids=ids, state=state)


def _parse(texts: list[str]) -> np.ndarray:
    """Parse JSON lists of numbers into unit vectors; a vector of zeros stays as it is."""
    joined = ",".join(text.strip("[] ") for text in texts)
    values = np.fromstring(joined, sep=",", dtype=np.float64).reshape(len(texts), -1)
    norms = np.linalg.norm(values, axis=1, keepdims=True)
    return (values / np.where(norms == 0, 1, norms)).astype(np.float32)
