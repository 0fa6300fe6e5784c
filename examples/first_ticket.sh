#!/bin/sh
# From an empty file to the first answered ticket: a department, an agent, a customer and a ticket, then the agent's own key
# and the conversation, over HTTP alone.
#
#   lodge serve --db lodge.db
#   LODGE_KEY=$(lodge key create --db lodge.db --type internal --special) sh examples/first_ticket.sh
#
# LODGE_KEY is a special internal key. LODGE_URL is the server, http://127.0.0.1:8080 if it is not set. Needs a POSIX shell,
# curl 7.76, sed and grep; no jq. Prints the last four answers, and stops with exit code 1 at the first refusal, which it prints.
# Meant for a new desk: on a second run the agent's address is taken.

set -eu

# The rest, as far as the last line, stands in the README as well and can be pasted into a terminal.
api=${LODGE_URL:-http://127.0.0.1:8080}/api/v1

# ask KEY METHOD PATH [JSON]: the answer to a request, or an error.
ask() {
  got=$(curl -sS --fail-with-body -X "$2" -H "X-API-KEY: $1" -H 'Content-Type: application/json' \
    ${4:+--data "$4"} "$api/$3") && echo "$got" || { echo "$got" >&2; return 1; }
}
admin() { ask "$LODGE_KEY" "$1" "internal/$2" "${3:-}"; }
ada() { ask "$key" "$1" "external/$2" "${3:-}"; }
id_of() { grep -o '"id":[0-9]*' | sed -n '1s/.*://p' | grep .; }

department=$(admin POST departments '{"name":"Support"}' | id_of)
agent=$(admin POST agents '{"name":"Ada Example","email":"ada@desk.example","password":"a phrase to remember",
  "departments":['"$department"']}' | id_of)
customer=$(admin POST customers '{"name":"John Doe","email":"john@customer.example"}' | id_of)
ticket=$(admin POST tickets '{"customer_id":'"$customer"',"department_id":'"$department"',"assigned_to":'"$agent"',
  "title":"Cannot sign in","content":"It says wrong password."}' | id_of)
key=$(admin POST api-keys '{"name":"Ada","type":"external","agent_id":'"$agent"'}' | grep -o 'lodge_ext_[0-9A-Za-z]*')
ada POST "tickets/$ticket/messages" '{"content":"Here is a link to set a new one. Does it work?"}'
admin POST "tickets/$ticket/messages" '{"customer_id":'"$customer"',"content":"It does, thank you!"}'
ada POST "tickets/$ticket/close"
ada GET "tickets/$ticket"
