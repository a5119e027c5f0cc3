"""The key figures of simulated fleets, each as a name, a share and what it is of."""

import duckdb
import pandas as pd

from ev_charging.experiment.wording import percent
from ev_charging.warehouse import read_mart

_CARS = """
    select count(distinct user_id) as cars, count(distinct run_id) as runs
    from staging.stg_simulator__users
"""
_DISPATCHES = """
    select
        count(*) as cars,
        count_if(status = 'delivered') as delivered,
        sum(delivered_kwh) as delivered_kwh,
        sum(true_delivered_kwh) as true_delivered_kwh,
        sum(rebound_kwh) as rebound_kwh
    from fleet.dispatch_delivery
"""
# The run that saves most.
_CHEAPEST = """
    select
        costs.run_id,
        costs.reference_run_id,
        costs.relative_difference as cost_change,
        peaks.relative_difference as peak_change
    from fleet.controller_comparison as costs
    left join fleet.controller_comparison as peaks
        on costs.run_id = peaks.run_id and peaks.metric = 'fleet_peak_kw'
    where costs.metric = 'cost_eur' and costs.relative_difference is not null
    order by costs.relative_difference, costs.run_id
    limit 1
"""
_VALIDATION = """
    select count_if(passes) as passed, count(passes) as judged
    from fleet.simulation_validation
    where fleet = 'reference_run'
"""
# Two names fit into a line.
_NAME_CHARACTERS = 16


def fleet_figures(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str]]:
    """Return name, figure and remark of each subject that there is."""
    return [
        *_cars(connection),
        *_controllers(connection),
        *_dispatches(connection),
        *_drivers(connection),
    ]


def _cars(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str]]:
    counts = read_mart(connection, _CARS).iloc[0]
    if not counts.cars:
        return []
    remark = "in 1 run"
    if counts.runs > 1:
        remark = f"in {counts.runs:,.0f} runs, each with sessions of its own"
    return [("cars", f"{counts.cars:,.0f}", remark)]


def _controllers(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str]]:
    cheapest = read_mart(connection, _CHEAPEST)
    if cheapest.empty:
        return []
    run = cheapest.iloc[0]
    peak = "" if pd.isna(run.peak_change) else f", peak {_signed(run.peak_change)}"
    names = [run.reference_run_id, run.run_id]
    reference, controller = (name[:_NAME_CHARACTERS] for name in names)
    remark = f"cost of {controller} against {reference}{peak}"
    return [("controller", _signed(run.cost_change), remark)]


def _dispatches(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str]]:
    totals = read_mart(connection, _DISPATCHES).iloc[0]
    if not totals.cars:
        return []
    energies = {
        "by baseline": totals.delivered_kwh,
        "in truth": totals.true_delivered_kwh,
        "rebound": totals.rebound_kwh,
    }
    known = [f"{kwh:,.0f} kWh {name}" for name, kwh in energies.items() if pd.notna(kwh)]
    remark = f"of {totals.cars:,.0f} calls delivered; {', '.join(known) or 'no energy is known'}"
    return [("dispatches", percent(totals.delivered / totals.cars), remark)]


def _drivers(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str]]:
    counts = read_mart(connection, _VALIDATION).iloc[0]
    if not counts.judged:
        return []
    remark = f"of {counts.judged:,.0f} figures of the built-in check fleet are near real ones"
    return [("simulator", percent(counts.passed / counts.judged), remark)]


def _signed(change: float) -> str:
    return f"{100 * change:+.1f} %"
