"""Which vehicles of the raw feeds a released row can be about."""

import numpy as np
import pandas as pd

from attacks.cells import is_value, step_of
from attacks.releases import PSEUDONYM


class Fits:
    """Released rows of vehicles held against all raw charging sessions.

    ids are the vehicles, in the order in which all boolean arrays name them.
    """

    def __init__(self, table: pd.DataFrame, sessions: pd.DataFrame) -> None:
        self.columns = [column for column in table.columns if column != PSEUDONYM]
        self.codes, self.ids = pd.factorize(sessions["vehicle_id"])
        clients = sessions.drop_duplicates("vehicle_id")["client_id"]
        self.clients = clients.fillna("").to_numpy()
        self.records = {
            (place, text): is_value(sessions, column, text, step_of(table[column]))
            for place, column in enumerate(self.columns)
            for text in table[column].unique()
        }
        self.known: dict[tuple, np.ndarray] = {}

    def vehicles(self, row: tuple, columns: tuple[int, ...]) -> np.ndarray:
        """Vehicles with a charge that has the values of a row in some columns."""
        key = (columns, tuple(row[place] for place in columns))
        if key not in self.known:
            charges = np.logical_and.reduce([self.records[place, row[place]] for place in columns])
            self.known[key] = np.bincount(self.codes[charges], minlength=len(self.ids)) > 0
        return self.known[key]

    def clients_of(self, vehicles: np.ndarray) -> int:
        """How many known clients some vehicles belong to."""
        return len(set(self.clients[vehicles]) - {""})
