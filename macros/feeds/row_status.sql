{#- Where a row ends, as far as it can be said from the row alone; settle_repeated_rows has the last word on accepted
    ones. Blank lines are no rows: they are kept only because the numbers of the rows behind them depend on them. -#}
{% macro row_status() -%}
    case
        when rejection_reason is null then 'accepted'
        when rejection_reason = 'blank_line' then 'blank'
        else 'rejected'
    end
{%- endmacro %}
