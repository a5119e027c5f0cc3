{{ damage_scores(
    injected=ref('stg_telematics__injected_damage'),
    detected=ref('telematics_damage'),
    key=['vehicle_id', 'reference'],
) }}
