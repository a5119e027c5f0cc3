{#- Every key that the rows hold exists in another relation; NULL passes. The keys are made distinct before they are
    compared, so that a fact of many rows costs one scan of one column. -#}
{% test refers_to(model, column_name, to, field) %}

with

referring as (

    select distinct {{ column_name }} as key_value
    from {{ model }}
    where {{ column_name }} is not null

)

select referring.key_value
from referring
left join {{ to }} as referred
    on referring.key_value = referred.{{ field }}
where referred.{{ field }} is null

{% endtest %}
