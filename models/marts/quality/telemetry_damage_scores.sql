{{ damage_scores(
    injected=ref('stg_simulator__injected_damage'),
    detected=ref('telemetry_damage'),
    key=['run_id', 'user_id', 'reference'],
) }}
