"""The key figures of the charging network, each as a name, a share and what it is of."""

import duckdb
import pandas as pd

from ev_charging.experiment.wording import percent
from ev_charging.warehouse import read_mart

_QUERY = """
    with

    stations as (

        select
            coalesce(sum(sessions_succeeded), 0) as succeeded,
            coalesce(sum(sessions_known), 0) as known
        from reliability.station_reliability

    ),

    verdicts as (

        select
            count_if(verdict = 'worse') as worse,
            count_if(verdict = 'better') as better
        from reliability.station_comparison

    ),

    attempts as (

        select
            coalesce(max(finished_attempts), 0) as finished,
            coalesce(max(power_delivery_attempts), 0) as with_power,
            coalesce(max(valid_stops), 0) as valid_stops,
            max(charge_start_seconds_p50) as wait
        from reliability.charge_success_kpis
        where scope = 'total' and month_start_date is null and attempt_mode = 'pooled'

    ),

    visits as (

        select
            coalesce(sum(first_attempt_visits), 0) as at_first,
            coalesce(sum(after_retries_visits), 0) as after_retries,
            coalesce(sum(failed_visits), 0) as failed
        from reliability.site_visits_daily

    ),

    last_months as (

        select *
        from reliability.port_uptime_monthly
        qualify row_number() over (partition by port_key order by month_start_date desc) = 1

    ),

    uptime as (

        select
            count(*) as ports,
            count_if(not is_compliant) as ports_below,
            coalesce(sum(outage_minutes_12m - excluded_minutes_12m), 0) as outage_minutes,
            coalesce(sum(denominator_minutes_12m), 0) as minutes,
            max(month_start_date) as last_month
        from last_months

    )

    select * from stations, verdicts, attempts, visits, uptime
"""


def network_figures(connection: duckdb.DuckDBPyConnection) -> list[tuple[str, str, str]]:
    """Return name, share and remark of sessions, attempts, visits and uptime, where there are any.

    Uptime is that of all ports over the twelve months that end with the last one of each.
    """
    totals = read_mart(connection, _QUERY).iloc[0]
    figures = []
    if totals.known > 0:
        remark = (
            f"of {totals.known:,.0f} with a known outcome succeeded;"
            f" stations reliably worse {totals.worse:,.0f}, better {totals.better:,.0f}"
        )
        figures.append(("sessions", percent(totals.succeeded / totals.known), remark))
    if totals.finished > 0:
        wait = "" if pd.isna(totals.wait) else f", half of them within {totals.wait:,.0f} s"
        remark = (
            f"of {totals.finished:,.0f} succeeded;"
            f" {percent(totals.with_power / totals.finished)} got power{wait}"
        )
        figures.append(("attempts", percent(totals.valid_stops / totals.finished), remark))
    visits = totals.at_first + totals.after_retries + totals.failed
    if visits > 0:
        remark = (
            f"of {visits:,.0f} succeeded at the first attempt,"
            f" {percent(totals.after_retries / visits)} after retries,"
            f" {percent(totals.failed / visits)} failed"
        )
        figures.append(("visits", percent(totals.at_first / visits), remark))
    if totals.minutes > 0:
        remark = (
            f"of {totals.ports:,.0f} ports to {totals.last_month:%B %Y};"
            f" below what is required {totals.ports_below:,.0f}"
        )
        figures.append(("uptime", percent(1 - totals.outage_minutes / totals.minutes), remark))
    return figures
