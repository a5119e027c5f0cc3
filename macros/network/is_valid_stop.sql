{#- Whether a transaction ended as it should by the ChargeX/INL key figures: its reason to stop is one that a driver, a
    vehicle or a limit gives. -#}
{% macro is_valid_stop(stop_reason) -%}
    lower({{ stop_reason }}) in (
        'energylimitreached',
        'soclimitreached',
        'local',
        'remote',
        'stoppedbyev',
        'localoutofcredit',
        'timelimitreached',
        'evdisconnected'
    )
{%- endmacro %}
