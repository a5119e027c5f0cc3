{{ damage_scores(
    injected=ref('stg_network__injected_damage'),
    detected=ref('message_damage'),
    key=['charger_id', 'reference'],
) }}
