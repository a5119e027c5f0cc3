"""The load profiles of the marts in schema load, and what each of them says."""

LOAD_PROFILES = {
    "synthetic_3_6": "charging at 3.6 kW from the plug-in on",
    "synthetic_7_2": "charging at 7.2 kW from the plug-in on",
    "flex_3_6": "energy that could still be shifted at 3.6 kW",
    "flex_7_2": "energy that could still be shifted at 7.2 kW",
}

# The dbt var default_load_profile names the same one.
DEFAULT_LOAD_PROFILE = "synthetic_7_2"
