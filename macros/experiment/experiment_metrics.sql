{#- How each metric of an experiment is summed over sessions of int_experiment_sessions: its numerator S and its denominator
    N (none: every assigned user counts as one), the columns of stg_experiment__users that hold the same sums of the period
    before the assignment, and, where N counts sessions one by one, the value that a single session has. A value that is not known is
    left out of both sums of that metric only. Squares are never summed here: the user is the unit that was randomised, so squares
    are taken of a user's sums. -#}
{% macro experiment_metrics() %}
    {{ return([
        {
            'name': 'low_price_share',
            'numerator': 'count(case when is_low_price then 1 end)',
            'denominator': 'count(is_low_price)',
            'pre_numerator': 'pre_low_price_sessions',
            'pre_denominator': 'pre_sessions',
            'session_value': 'cast(is_low_price as integer)',
        },
        {
            'name': 'energy_per_session',
            'numerator': 'sum(energy_kwh)',
            'denominator': 'count(energy_kwh)',
            'pre_numerator': 'pre_energy_kwh',
            'pre_denominator': 'pre_sessions',
            'session_value': 'energy_kwh',
        },
        {
            'name': 'sessions_per_user',
            'numerator': 'count(*)',
            'denominator': none,
            'pre_numerator': 'pre_sessions',
            'pre_denominator': '1',
        },
        {
            'name': 'low_price_energy_share',
            'numerator': 'sum(case when is_low_price then energy_kwh end)',
            'denominator': 'sum(case when is_low_price is not null then energy_kwh end)',
            'pre_numerator': 'pre_low_price_energy_kwh',
            'pre_denominator': 'pre_energy_kwh',
        },
        {
            'name': 'cost_per_kwh',
            'numerator': 'sum(case when energy_kwh is not null then cost_eur end)',
            'denominator': 'sum(case when cost_eur is not null then energy_kwh end)',
            'pre_numerator': 'pre_cost_eur',
            'pre_denominator': 'pre_energy_kwh',
        },
        {
            'name': 'gco2_per_kwh',
            'numerator': 'sum(case when energy_kwh is not null then co2_g end)',
            'denominator': 'sum(case when co2_g is not null then energy_kwh end)',
            'pre_numerator': 'pre_co2_g',
            'pre_denominator': 'pre_energy_kwh',
        },
        {
            'name': 'peak_hour_share',
            'numerator': 'count(case when is_peak_hour then 1 end)',
            'denominator': 'count(*)',
            'pre_numerator': 'pre_peak_sessions',
            'pre_denominator': 'pre_sessions',
            'session_value': 'cast(is_peak_hour as integer)',
        },
    ]) }}
{% endmacro %}
