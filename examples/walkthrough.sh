#!/bin/sh
# A walk through Lodge's External API with curl.
#
#   LODGE_URL=http://127.0.0.1:8080 LODGE_KEY=lodge_ext_... sh examples/walkthrough.sh
#
# Without the two variables it talks to `lodge demo` on its usual port, with the published demo key of Mira Kessler.
# Needs a POSIX shell, curl, sed and grep; no jq. It says what it does, and stops with exit code 1 at the first answer
# that is not the expected one.
#
# It works on the newest open, unlocked ticket that the key's agent sees: it writes a reply and a note there, likes the
# reply, changes labels, closes and reopens. Labels and status are as before afterwards; the reply and the note stay.

set -eu

LODGE_URL=${LODGE_URL:-http://127.0.0.1:8080}
LODGE_KEY=${LODGE_KEY:-lodge_ext_q3nWFhlXIIDZ4Ai5JMQCeQH3IzdRXUpVxxsJULi4RLM4c0lOP}
api=${LODGE_URL%/}/api/v1/external

# Ticket texts come in every script; sed is to match bytes and not to care.
LC_ALL=C
export LC_ALL

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
head=$work/head
body=$work/body

step() { printf '\n== %s\n' "$1"; }
say() { printf '   %s\n' "$1"; }
fail() {
  printf 'walkthrough: %s\n' "$1" >&2
  exit 1
}

# call STATUS METHOD PATH [curl arguments]: sends a request and stops unless it is answered with STATUS.
# The answer's head is in $head and its body in $body until the next call.
call() {
  expected=$1 method=$2 path=$3
  shift 3
  : >"$head"
  : >"$body"
  got=$(curl --silent --show-error --max-time 30 --request "$method" --header "X-API-KEY: $LODGE_KEY" \
    --dump-header "$head" --output "$body" --write-out '%{http_code}' "$@" "$api$path") ||
    fail "$method $path: no answer from $LODGE_URL (is Lodge running? try: lodge demo)"
  if [ "$got" != "$expected" ]; then
    cat "$body" >&2
    fail "$method $path: expected $expected, got $got"
  fi
  say "$method $path -> $got"
}

# send STATUS METHOD PATH JSON [curl arguments]: the same with a JSON body.
send() {
  json=$4 expected=$1 method=$2 path=$3
  shift 4
  call "$expected" "$method" "$path" --header 'Content-Type: application/json' --data "$json" "$@"
}

# header NAME: a header of the last answer.
header() { tr -d '\r' <"$head" | grep -i "^$1:" | sed -n '1s/^[^:]*: *//p'; }

# number NAME: the first number with this name in the last body. Inside a JSON string a quote is escaped, so "name":
# is always a name and never part of somebody's text.
number() { grep -o "\"$1\":[0-9][0-9]*" "$body" | sed -n 1p | sed 's/.*://'; }

# labels: the ids of the labels of the ticket in the last body, as 1,2,3.
labels() {
  sed -n 's/.*"labels":\[\(.*\)\],"assigned_to":.*/\1/p' "$body" | grep -o '"id":[0-9]*' | sed 's/.*://' |
    tr '\n' ',' | sed 's/,$//'
}

# strings NAME: every string with this name in the last body, a line each.
strings() { grep -o "\"$1\":\"[^\"]*\"" "$body" | sed "s/^\"$1\":\"//; s/\"\$//"; }

# has TEXT: whether the last body contains exactly this.
has() { grep -qF -e "$1" "$body"; }

# must TEXT: stops unless it does.
must() { has "$1" || fail "$(cat "$body") does not contain $1"; }

step 'Does the key work?'
call 200 GET /connection-check
must '"status":true'
say "$(cat "$body")"

step 'The desk at a glance'
call 200 GET /dashboard
say "$(cat "$body")"

step 'The newest tickets, three a page'
call 200 GET '/tickets?per_page=3'
strings reference_id | sed 's/^/     /'
say "in all: $(number total)"
say "Link: $(header link)"

step 'Only open ones, most urgent first'
call 200 GET '/tickets?status=open&sort=-priority&per_page=3'
if has '"status":"closed"'; then fail 'a filter let a closed ticket through'; fi
strings priority | sed 's/^/     /'

step 'A filter that does not exist is refused, and the answer says which field is wrong'
call 422 GET '/tickets?status=sleeping'
must '"code":"validation_failed"'
say "$(cat "$body")"

step 'Looking for an open ticket that is not locked'
page=1
while :; do
  call 200 GET "/tickets?status=open&per_page=1&page=$page"
  has '"data":[]' && fail 'this agent has no open, unlocked ticket to walk through'
  has '"is_locked":false' && break
  page=$((page + 1))
done
ticket=$(number id)
[ -n "$ticket" ] || fail 'the ticket has no id'

step "Ticket $ticket, with its ETag"
call 200 GET "/tickets/$ticket"
etag=$(header etag)
[ -n "$etag" ] || fail 'the ticket has no ETag'
say "$(strings reference_id): $(strings title | sed -n 1p)"
say "ETag: $etag"
own=$(labels)
say "labels: ${own:-none}"

step 'Asked again with If-None-Match: nothing has changed, so there is no body'
call 304 GET "/tickets/$ticket" --header "If-None-Match: $etag"

step 'A reply, sent twice with the same Idempotency-Key: written once'
call 200 GET "/tickets/$ticket/messages?per_page=1"
before=$(number total)
once=walkthrough-$(date +%Y%m%d%H%M%S)-$$
reply='{"content":"Thank you for the details. We are looking into it and will write again today."}'
send 201 POST "/tickets/$ticket/messages" "$reply" --header "Idempotency-Key: $once"
message=$(number id)
cp "$body" "$work/first"
send 201 POST "/tickets/$ticket/messages" "$reply" --header "Idempotency-Key: $once"
[ "$(header idempotent-replayed)" = true ] || fail 'the repeat was not marked as one'
cmp -s "$body" "$work/first" || fail 'the repeat was answered differently'
call 200 GET "/tickets/$ticket/messages?per_page=1"
[ "$(number total)" -eq $((before + 1)) ] || fail "expected $((before + 1)) messages, there are $(number total)"
say "message $message; $before messages before, $(number total) now"

step 'The same Idempotency-Key with another text is a mistake, and is refused'
send 422 POST "/tickets/$ticket/messages" '{"content":"Something else."}' --header "Idempotency-Key: $once"
must '"code":"idempotency_key_reused"'

step 'An internal note, which the customer never sees'
send 201 POST "/tickets/$ticket/messages" '{"content":"Walk-through was here.","is_internal":true}'
must '"is_internal":true'

step 'A like for the reply'
call 200 POST "/tickets/$ticket/messages/$message/like"
must '"liked":true'
say "$(cat "$body")"

step 'A label, set only if the ticket is still as we saw it'
call 200 GET /labels
label=
for id in $(grep -o '"id":[0-9]*' "$body" | sed 's/.*://'); do
  label=$id
  # One that the ticket does not have yet.
  case ,$own, in *,"$id",*) ;; *) break ;; esac
done
if [ -n "$label" ]; then
  more="{\"labels\":[${own:+$own,}$label]}"
  send 412 PUT "/tickets/$ticket" "$more" --header "If-Match: $etag"
  say 'refused: our own reply has changed the ticket since, so we look again'
  call 200 GET "/tickets/$ticket"
  etag=$(header etag)
  send 200 PUT "/tickets/$ticket" "$more" --header "If-Match: $etag"
  case ,$(labels), in
    *,"$label",*) say "labels: $(labels)" ;;
    *) fail "label $label is not on the ticket" ;;
  esac
  send 200 PUT "/tickets/$ticket" "{\"labels\":[$own]}"
  [ "$(labels)" = "$own" ] || fail 'the ticket did not get its own labels back'
else
  say 'this desk has no labels: skipped'
fi

step 'Closed, and opened again'
call 200 POST "/tickets/$ticket/close"
must '"status":"closed"'
must '"is_resolved":true'
send 200 PUT "/tickets/$ticket" '{"status":"open"}'
must '"status":"open"'
must '"closed_at":null'

step 'The knowledge base: every word, anywhere in a title, excerpt or text'
call 200 GET /knowledge-base/search --get --data-urlencode 'q=reset password'
strings title | sed 's/^/     /'

step 'Canned responses'
call 200 GET /canned-responses
strings shortcut | sed 's/^/     /'

step 'Notifications'
call 200 GET /notifications/unread-count
unread=$(number unread_count)
say "unread: $unread"
call 200 GET '/notifications?unread=true&per_page=1'
if has '"data":[]'; then
  say 'nothing to mark as read'
else
  call 200 POST "/notifications/$(number id)/read"
  must '"is_read":true'
  say "$(strings title)"
fi

printf '\nEverything answered as expected.\n'
