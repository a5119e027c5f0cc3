"""Audits rows under pseudonyms: each pseudonym is the partner's, and none stands alone."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from ev_charging.release.extract_table import Row
from ev_charging.release.known import Known, Owner
from ev_charging.release.partner_list import PSEUDONYM, Delivery
from ev_charging.release.refusals import ExitCode, Refusal, failed_audit


def audit_pseudonyms(
    files: Iterable[tuple[Delivery, Sequence[Row]]], partner: str, known: Known
) -> None:
    """Refuse pseudonyms of unknown vehicles, and sets of rows that too few vehicles share.

    All rows of a pseudonym can be put together, whatever file they are in: what tells one vehicle
    from the others is their whole set.

    Args:
        files: deliveries with their rows; those without pseudonyms don't count.
        partner: who receives them.
        known: vehicles behind pseudonyms, and how many must share a set.

    Raises:
        Refusal: a pseudonym isn't one of the partner's, or a set has too few vehicles or clients.
    """
    owners = known.owners.get(partner, {})
    sets: dict[Owner, set[tuple]] = defaultdict(set)
    for delivery, rows in files:
        if delivery.has_pseudonyms:
            place = delivery.columns.index(PSEUDONYM)
            for row in rows:
                if row[place] not in owners:
                    raise Refusal(
                        ExitCode.STALE_PSEUDONYMS,
                        f"{delivery.extract} has pseudonyms of {partner} that are of another build"
                        " than int_extracts__pseudonyms: run dbt build again",
                    )
                values = (*row[:place], *row[place + 1 :])
                sets[owners[row[place]]].add((delivery.extract, values))
    _check_sets(sets, partner, known)


def _check_sets(sets: dict[Owner, set[tuple]], partner: str, known: Known) -> None:
    alike: dict[frozenset, list[Owner]] = defaultdict(list)
    for owner, rows in sets.items():
        alike[frozenset(rows)].append(owner)
    for group in alike.values():
        vehicles = {owner.vehicle_id for owner in group}
        clients = {owner.client_id for owner in group} - {None}
        if len(vehicles) < known.min_vehicles or len(clients) < known.min_clients:
            raise failed_audit(
                partner,
                f"{len(vehicles)} vehicles of {len(clients)} clients share the rows of a"
                " pseudonym, which are too few",
            )
