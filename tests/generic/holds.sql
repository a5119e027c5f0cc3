{#- A condition holds in every row; a condition that is NULL holds. -#}
{% test holds(model, condition) %}

select *
from {{ model }}
where not ({{ condition }})

{% endtest %}
