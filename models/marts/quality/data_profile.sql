with

{% for name in feed_names() -%}
{{ name }} as (

    {{ feed_profile(name) }}

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
