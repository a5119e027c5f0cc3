"""A fleet as the simplest simulation has it: an object per user, a step per minute.

Everybody drives at an even pace between plug-out and plug-in, plugs in at the archetype's time on
as many days as its frequency says, and does what the controller says: charge to the target, drain
to the reserve in the dispatch window. It knows no spread, no weekdays, no taper, no clock change.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from random import Random

from ev_charging.simulation.archetypes import Archetype

MIDNIGHT = datetime(2024, 10, 21)
STEP = timedelta(minutes=1)
DAY = timedelta(days=1)
DISPATCH_STARTS_AT, DISPATCH_ENDS_AT = time(17), time(18)
RESERVE_SOC = 0.2
EFFICIENCY = 0.9


@dataclass
class User:
    """A driver of an archetype, whose car is plugged in, drives or stands."""

    archetype: Archetype
    random: Random
    plug_in_time: time
    plug_out_time: time
    driven_kwh_per_step: float
    soc: float
    is_plugged_in: bool = False
    is_driving: bool = False
    power_kw: float = 0.0
    import_register_kwh: float = 0.0
    export_register_kwh: float = 0.0
    events: list[tuple] = field(default_factory=list)
    telemetry: list[tuple] = field(default_factory=list)

    def step(self, now: datetime, clock: time, controller: "Controller") -> None:
        """Live through one minute."""
        if clock == self.plug_in_time:
            self.is_driving = False
            if self.random.random() < self.archetype.plug_ins_per_day:
                self.is_plugged_in = True
                self.events.append((now, "plug_in", self.soc))
        elif clock == self.plug_out_time:
            self.is_driving = True
            if self.is_plugged_in:
                self.is_plugged_in = False
                self.set_power(now, 0.0)
                self.events.append((now, "plug_out", self.soc))
        if self.is_plugged_in:
            self.set_power(now, controller.power_kw(self, clock))
            self.charge()
            if clock.minute % 30 == 0:
                registers = self.import_register_kwh, self.export_register_kwh
                self.telemetry.append((now, *registers, self.soc))
        elif self.is_driving:
            self.change_soc(-self.driven_kwh_per_step)

    def set_power(self, now: datetime, power_kw: float) -> None:
        """Write down a power that is another than before."""
        if power_kw != self.power_kw:
            self.power_kw = power_kw
            self.events.append((now, f"power {power_kw:g} kW", self.soc))

    def charge(self) -> None:
        """Draw or give the power for one step."""
        energy_kwh = self.power_kw / 60
        if energy_kwh > 0:
            self.import_register_kwh += energy_kwh
            self.change_soc(energy_kwh * EFFICIENCY)
        elif energy_kwh < 0:
            self.export_register_kwh -= energy_kwh
            self.change_soc(energy_kwh / EFFICIENCY)

    def change_soc(self, energy_kwh: float) -> None:
        """Put energy into the battery, or take it out."""
        self.soc = min(max(self.soc + energy_kwh / self.archetype.battery_kwh, 0.0), 1.0)


class Controller:
    """Charges to the target at once, and exports in the dispatch window."""

    def power_kw(self, user: User, clock: time) -> float:
        """Return the power of a user who is plugged in, below zero for export."""
        charger_kw = user.archetype.charger_kw
        if DISPATCH_STARTS_AT <= clock < DISPATCH_ENDS_AT:
            return -charger_kw if user.soc > RESERVE_SOC else 0.0
        return charger_kw if user.soc < user.archetype.target_soc else 0.0


def simulate(archetypes: Sequence[Archetype], users: int, days: int) -> list[User]:
    """Return the users after so many days, shared out over the archetypes."""
    fleet = [_user(number, _archetype_at(archetypes, number / users)) for number in range(users)]
    controller = Controller()
    now = MIDNIGHT
    while now < MIDNIGHT + days * DAY:
        clock = now.time()
        for user in fleet:
            user.step(now, clock, controller)
        now += STEP
    return fleet


def _user(number: int, archetype: Archetype) -> User:
    plug_in, plug_out = (
        MIDNIGHT + timedelta(seconds=after) for after in (archetype.plug_in_s, archetype.plug_out_s)
    )
    kwh_per_day = archetype.miles_per_year / archetype.miles_per_kwh / 365
    steps_away = (plug_in - plug_out) % DAY / STEP
    return User(
        archetype=archetype,
        random=Random(number),
        plug_in_time=plug_in.time(),
        plug_out_time=plug_out.time(),
        driven_kwh_per_step=kwh_per_day / steps_away,
        soc=archetype.target_soc,
    )


def _archetype_at(archetypes: Sequence[Archetype], share: float) -> Archetype:
    """Return the archetype on which a share of the population, 0 to below 1, falls."""
    reached_pct = 0.0
    for archetype in archetypes:
        reached_pct += archetype.population_pct
        if 100 * share < reached_pct:
            break
    return archetype
