{#- Whether the back end refused a token. ConcurrentTx says that it is in use elsewhere, and no answer says nothing. -#}
{% macro is_token_rejected(token_status) -%}
    coalesce(lower({{ token_status }}) not in ('accepted', 'concurrenttx'), false)
{%- endmacro %}
