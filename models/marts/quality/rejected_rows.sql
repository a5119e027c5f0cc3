with

{% for name in feed_names() -%}
{{ name }} as (

    {{ rejected_rows_of(name) }}

),

{% endfor -%}
final as (

    {% for name in feed_names() -%}
    select * from {{ name }}
    {%- if not loop.last %}

    union all

    {% endif %}
    {%- endfor %}

)

select * from final
