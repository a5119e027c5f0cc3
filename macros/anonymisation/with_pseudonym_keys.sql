{#- The CTE `pseudonym_keys`: the pads of a key for every partner and month of a relation. A key is HMAC-SHA256(master, 'partner', partner,
    epoch, month). Written out once (materialized), so that a pseudonym costs two hashes and no key. -#}
{% macro with_pseudonym_keys(partner_months) -%}
master_key as materialized (

    select cast({{ pseudonym_variable('pseudonym_master_key') }} as blob) as master_key

),

master_pads as materialized (

    select
        {{ hmac_pad('master_key', '36') }} as inner_pad,
        {{ hmac_pad('master_key', '5c') }} as outer_pad
    from master_key

),

partner_keys as materialized (

    select
        partner_months.partner,
        partner_months.month,
        unhex({{ hmac_sha256('master_pads.inner_pad', 'master_pads.outer_pad', hmac_message([
            "'partner'",
            'partner_months.partner',
            dbt.string_literal(var('extract_epoch')),
            'partner_months.month',
        ])) }}) as partner_key
    from {{ partner_months }} as partner_months
    cross join master_pads

),

pseudonym_keys as materialized (

    select
        partner,
        month,
        {{ hmac_pad('partner_key', '36') }} as inner_pad,
        {{ hmac_pad('partner_key', '5c') }} as outer_pad
    from partner_keys

)
{%- endmacro %}
