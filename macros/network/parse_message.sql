{#- The fields of an OCPP message that the warehouse reads, out of the JSON text of its payload: one struct, parsed once,
    with the names that both versions of OCPP give them. Every value is text, because chargers write numbers as text and
    text as numbers. What is missing or has another shape is NULL; so is the whole of a text that is no JSON object. -#}
{% macro parse_message(payload) -%}
    {{ return(adapter.dispatch('parse_message')(payload)) }}
{%- endmacro %}

{% macro default__parse_message(payload) -%}
    case
        when starts_with(ltrim({{ payload }}, e' \t\r\n'), '{') and json_valid({{ payload }})
            then json_transform({{ payload }}, '{{ tojson(message_fields()) }}')
    end
{%- endmacro %}


{#- The fields by their names and types. -#}
{% macro message_fields() %}
    {%- set text = 'VARCHAR' -%}
    {%- set readings = [{
        'timestamp': text,
        'sampledValue': [{
            'value': text, 'context': text, 'measurand': text, 'phase': text, 'location': text, 'unit': text,
            'unitOfMeasure': {'unit': text, 'multiplier': text},
        }],
    }] -%}
    {{ return({
        'timestamp': text,
        'connectorId': text,
        'evseId': text,
        'evse': {'id': text},
        'status': text,
        'connectorStatus': text,
        'errorCode': text,
        'idTag': text,
        'idToken': {'idToken': text},
        'idTagInfo': {'status': text},
        'idTokenInfo': {'status': text},
        'transactionId': text,
        'transactionInfo': {'transactionId': text, 'chargingState': text, 'stoppedReason': text, 'remoteStartId': text},
        'remoteStartId': text,
        'eventType': text,
        'triggerReason': text,
        'seqNo': text,
        'offline': text,
        'reason': text,
        'meterStart': text,
        'meterStop': text,
        'meterValue': readings,
        'transactionData': readings,
    }) }}
{% endmacro %}
