#!/usr/bin/env bash
# Plays a whole visit to the sample shop with curl and checks each step: on two instances that share one Redis, as behind a load balancer,
# and then on one with its embedded server. Builds nothing: run `dotnet build -c Release samples/Shop` before it.
# Needs redis-server, redis-cli and curl. Starts its own processes on free loopback ports and ends them, and only them.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../samples/Shop" # wwwroot and appsettings.json are found from here
readonly shop=bin/Release/net10.0/Shop.dll
readonly patience=60 # seconds: the checks are about what is answered, and the machine may be busy with something else
readonly products=(mug teapot notebook pencil lamp plant)

# What the caller's shell says about sessions is not about these.
unset "${!SESSION_@}" "${!RedisHashSession_@}" ASPNETCORE_URLS ASPNETCORE_HTTP_PORTS ASPNETCORE_ENVIRONMENT DOTNET_ENVIRONMENT

work=$(mktemp -d)
readonly work
jar=$work/cookies
pids=()
checks=0

end_all() {
    local pid
    for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
    for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
    rm -rf "$work"
}
trap end_all EXIT
trap 'exit 130' INT TERM

ok() {
    checks=$((checks + 1))
    echo "ok: $*"
}

fail() {
    echo "FAILED: $*" >&2
    local log
    for log in "$work"/*.log; do
        [[ -e $log ]] || continue
        echo "--- the end of $(basename "$log"):" >&2
        tail -n 20 "$log" >&2
    done
    exit 1
}

# expect WHAT COMMAND...: the command succeeds, or WHAT did not happen.
expect() {
    local what=$1
    shift
    "$@" || fail "$what"
    ok "$what"
}

# poll SECONDS COMMAND...: until the command succeeds; false when it does not in time.
poll() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < deadline)) || return 1
        sleep 0.1
    done
}

redis() { redis-cli -h 127.0.0.1 -p "$redis_port" "$@"; }

redis_answers() { kill -0 "${pids[-1]}" && [[ $(redis ping) == PONG ]]; }

start_redis() {
    # redis-server does not choose a port by itself, and another process may be quicker: so try.
    for _ in {1..10}; do
        redis_port=$((12000 + RANDOM % 8000))
        redis-server --bind 127.0.0.1 --port "$redis_port" --save '' --appendonly no --dir "$work" >"$work/redis.log" 2>&1 &
        pids+=($!)
        if poll 3 redis_answers; then return; fi
        kill "${pids[-1]}" 2>/dev/null || true
    done
    fail "redis-server does not start"
}

# start_shop NAME ARGUMENTS...: starts an instance on a port that it chooses itself; says where in $url. Each has a home of its own, as on a
# machine of its own: data-protection keys kept there would not be shared.
start_shop() {
    local name=$1 log=$work/$1.log
    shift
    mkdir "$work/$name"
    HOME=$work/$name dotnet "$shop" --urls http://127.0.0.1:0 "$@" >"$log" 2>&1 &
    pids+=($!)
    poll $patience grep -q 'Now listening on: ' "$log" || fail "$name does not start"
    url=$(grep -o -m 1 'http://127\.0\.0\.1:[0-9]*' "$log")
    poll $patience curl --silent --fail --max-time 5 "$url/shop.css" || fail "$name does not answer at $url"
}

# with BROWSER COMMAND...: in another browser, which has cookies of its own.
with() {
    local jar=$work/$1.cookies
    shift
    "$@"
}

# The browser: keeps its cookies, and its address has no port to a cookie, so all instances get the same ones.
browse() { curl --silent --show-error --max-time $patience --cookie "$jar" --cookie-jar "$jar" "$@"; }

# visit URL: the shop front, as $page, with the antiforgery token for the next form, as $token.
visit() {
    page=$(browse --fail "$1/") || fail "GET $1/"
    [[ $page =~ __RequestVerificationToken\"\ type=\"hidden\"\ value=\"([^\"]+)\" ]] || fail "there is no antiforgery token on the page"
    token=${BASH_REMATCH[1]}
}

# submit_status URL HANDLER FIELD...: posts one of the forms of the last page; says the status.
submit_status() {
    local target="$1/?handler=$2" field fields=()
    shift 2
    for field in "$@"; do fields+=(--data-urlencode "$field"); done
    post "$target" "${fields[@]}" --data-urlencode "__RequestVerificationToken=$token"
}

# The same; succeeds when it is answered with a redirect to the front, or not at all.
submit() { [[ $(submit_status "$@") == 302 ]]; }
submit_in_vain() { [[ $(submit_status "$@") == 404 ]]; }

# sign_in URL NAME: also shows the page that follows.
sign_in() {
    visit "$1"
    submit "$1" SignIn "name=$2" || return 1
    visit "$1"
}

# post URL ARGUMENTS...: says the status.
post() { browse --output /dev/null --write-out '%{http_code}' --request POST "$@"; }

readonly one_more=(--header 'Content-Type: application/json' --data '{"quantity": 1}')
add_by_script() { post "$1/api/cart/$2" "${one_more[@]}"; }

page_has() { grep -qF -- "$1" <<<"$page"; }
page_lacks() { ! page_has "$1"; }

# The panel's own words: a field of the hash, the key's name, what is left of its life and of the field that has one of its own.
panel_has_field() { page_has "<th scope=\"row\">$1</th>"; }
panel_lacks_field() { ! panel_has_field "$1"; }
panel_key() { [[ $page =~ HGETALL\ \<b\>([^\<]+)\</b\> ]] && echo "${BASH_REMATCH[1]}"; }
panel_ttl() { [[ $page =~ \<p\ class=\"ttl\"\>\<b\>([0-9]+)\</b\> ]] && echo "${BASH_REMATCH[1]}"; }

panel_field_ttl() { [[ $page =~ \<span\ class=\"ttl\"\>expires\ in\ \<b\>([0-9]+)\</b\> ]] && echo "${BASH_REMATCH[1]}"; }

# "Your sessions" on the last page: their ids, and those without the one of the page.
sessions() { grep -oP 'name="id" value="\K[^"]+' <<<"$page" || true; }
other_sessions() { sessions | grep -vxF -- "$(this_session)" || true; }
this_session() { local key && key=$(panel_key) && echo "${key##*:}"; }
sessions_are() { [[ $(sessions | sort) == "$(printf '%s\n' "$@" | sort)" ]]; }
session_lives() { [[ $(redis exists "shop:sessions:$1") == 1 ]]; }
session_is_gone() { [[ $(redis exists "shop:sessions:$1") == 0 ]]; }

between() { [[ $2 =~ ^[0-9]+$ ]] && (($1 <= $2 && $2 <= $3)); }

# cart_holds KEY PRODUCT=QUANTITY...
cart_holds() {
    local key=$1 line
    shift
    for line in "$@"; do
        [[ $(redis hget "$key" "cart:${line%=*}") == "${line#*=}" ]] || return 1
    done
}

panel_has_whole_cart() {
    local product
    for product in "${products[@]}"; do
        panel_has_field "cart:$product" || return 1
    done
}

# at_once ARGUMENT... -- URL...: all of them at the same time. The cookie jar is only read: curl would write it in the middle of another's
# reading.
at_once() {
    local arguments=() asking=() target
    while [[ $1 != -- ]]; do
        arguments+=("$1")
        shift
    done
    shift
    for target in "$@"; do
        curl --silent --fail --max-time $patience --cookie "$jar" --output /dev/null "${arguments[@]}" "$target" &
        asking+=($!)
    done
    local ask failed=0
    for ask in "${asking[@]}"; do wait "$ask" || failed=1; done
    return $failed
}

# One of each product on each of the two instances.
add_in_parallel() {
    local product targets=()
    for product in "$@"; do targets+=("$one/api/cart/$product" "$two/api/cart/$product"); done
    at_once "${one_more[@]}" -- "${targets[@]}"
}

visit_in_parallel() { at_once -- "$one/" "$two/" "$one/" "$two/" "$one/" "$two/" "$one/" "$two/"; }

knows_field_expiry() { [[ $(redis hpttl none fields 1 none 2>&1) != *"unknown command"* ]]; }

page_code() { [[ $page =~ class=\"code\"\>([0-9]{6})\< ]] && echo "${BASH_REMATCH[1]}"; }


# A renewal leaves at the old key, for a while, that the session has ended there; and, under a key with braces that no cookie leads to, what
# it held.
is_ended() { session_is_dead "$(redis hget "$1" @gen)"; }
session_is_dead() { [[ -z $1 || $1 == "~"* ]]; }
is_only_session() {
    local other
    for other in $(redis --scan --pattern 'shop:sessions:*'); do
        [[ $other == "$1" || $other == *"{"* ]] || is_ended "$other" || return 1
    done
}
code_is_gone() { [[ $(redis hexists "$1" discount-code) == 0 ]]; }

# codes URL URL: discount codes that one instance makes and the other redeems. Where this Redis cannot let them expire, the page says so.
codes() {
    local code wrong key
    visit "$1"
    key=$(panel_key) || fail "the Redis panel names no key"
    local asked=$SECONDS
    expect "asking for a discount code" submit "$1" MakeCode
    visit "$2"
    if ! knows_field_expiry; then
        expect "the page says what this Redis cannot do" page_has "this Redis cannot let a single session key expire"
        expect "there is no code that would stay" code_is_gone "$key"
        visit "$2"
        expect "it says so once" page_lacks "this Redis cannot"
        return
    fi

    code=$(page_code) || fail "there is no code on the page"
    expect "redis-cli reads the code on the page" test "$(redis hget "$key" discount-code)" == "$code"
    expect "the Redis panel shows that it lives for a minute" between $((50000 - 1000 * (SECONDS - asked))) "$(panel_field_ttl)" 60000
    printf -v wrong '%06d' $(((10#$code + 1) % 1000000))
    expect "trying another code" submit "$2" Redeem "code=$wrong"
    visit "$1"
    expect "it is not good" page_has "That code is not good"
    visit "$1"
    expect "the page says so once" page_lacks "That code is not good"
    expect "and the right one is used up" code_is_gone "$key"

    expect "asking for another one" submit "$1" MakeCode
    visit "$2"
    code=$(page_code) || fail "there is no code on the page"
    expect "the minute is over in the wink of an eye" test "$(redis hpexpire "$key" 200 fields 1 discount-code)" == 1
    expect "the code disappears by itself" poll $patience code_is_gone "$key"
    visit "$2"
    expect "the Redis panel does not show it" panel_lacks_field discount-code
    expect "the session goes on" panel_has_field visits
    expect "trying it all the same" submit "$1" Redeem "code=$code"
    visit "$2"
    expect "it is not good any more" page_has "That code is not good"

    expect "asking for a third one" submit "$1" MakeCode
    visit "$2"
    code=$(page_code) || fail "there is no code on the page"
    expect "redeeming it" submit "$2" Redeem "code=$code"
    visit "$1"
    expect "it is good" page_has "10 % off, with our thanks."
    expect "the cart is cheaper" page_has "Discount, 10 %"
    expect "redeeming it once more" submit "$1" Redeem "code=$code"
    visit "$2"
    expect "it was good once" page_has "That code is not good"
}

# The operators' page: $page, and the status is said.
visit_sessions() {
    local answer
    answer=$(browse --write-out '\n%{http_code}' "${@:2}" "$1/sessions") || fail "GET $1/sessions"
    page=${answer%$'\n'*}
    sessions_status=${answer##*$'\n'}
}

sessions_answer() { visit_sessions "$@" && [[ $sessions_status == 200 ]]; }
sessions_refused() { visit_sessions "$@" && [[ $sessions_status == 403 ]] && page_has "This page is closed"; }

# press_end ID: the button of the page that ends a session.
press_end() {
    [[ $page =~ name=\"__RequestVerificationToken\"\ value=\"([^\"]+)\" ]] || fail "there is no antiforgery token on the sessions page"
    [[ $(post "$1/sessions" --data-urlencode "end=$2" --data-urlencode "__RequestVerificationToken=${BASH_REMATCH[1]}") == 303 ]]
}

ends_on_request() {
    kill "$1" && wait "$1"
}

[[ -e $shop ]] || fail "$shop is not there: dotnet build -c Release samples/Shop"

echo "Two instances, one Redis"
start_redis
settings=(--session-redis "redis://127.0.0.1:$redis_port/0" --session-redis-prefix shop --session-cookie-id shop-session --session-expire 600)
start_shop one "${settings[@]}"
one=$url
start_shop two "${settings[@]}"
two=$url
ok "instances at $one and $two, redis-server at port $redis_port"

visit "$one"
expect "instance 1 greets a first visit" page_has "Your first visit"
expect "the cookie has the name of --session-cookie-id" grep -q $'\tshop-session\t' "$jar"
visit "$two"
expect "instance 2 accepts the cookie and counts on" page_has "Visit 2"
visit "$one"
expect "instance 1 counts what instance 2 counted" page_has "Visit 3"

expect "a form without antiforgery token is refused" test "$(post "$one/?handler=SignIn" --data name=Eve)" == 400
visit "$one"
before=$(panel_key) || fail "the Redis panel names no key"
expect "signing in on instance 1" submit "$one" SignIn "name=Ada <Lovelace>"
expect "the key from before is dead" is_ended "$before"
visit "$two"
expect "instance 2 greets by name, HTML encoded" page_has "Hello, <strong>Ada &lt;Lovelace&gt;</strong>"
expect "the cart is empty" page_has "Nothing here yet."

expect "12 parallel adds on both instances are accepted" add_in_parallel "${products[@]}"
visit "$one"
expect "each of the ${#products[@]} products has arrived" panel_has_whole_cart
key=$(panel_key) || fail "the Redis panel names no key"
expect "two of each" cart_holds "$key" "${products[@]/%/=2}"
expect "a form of instance 1 posted to instance 2 adds too" submit "$two" Add product=mug
expect "removing a product" submit "$one" Remove product=lamp
visit "$two"
expect "instance 2 does not show it any more" page_lacks '<th scope="row">cart:lamp</th>'
expect "an unknown product is not found" test "$(add_by_script "$two" unicorn)" == 404
expect "the script interface takes JSON only" test "$(post "$two/api/cart/mug" --data quantity=1)" == 415
expect "the script interface adds it again" test "$(add_by_script "$two" lamp)" == 200

visit "$one"
key=$(panel_key) || fail "the Redis panel names no key"
expect "the Redis panel shows the key with prefix and public id" grep -qE '^shop:sessions:[A-Za-z0-9_-]{43}$' <<<"$key"
expect "the Redis panel shows the name" panel_has_field name
expect "the Redis panel shows the counter" panel_has_field visits
expect "the Redis panel shows a TTL within --session-expire" between 590000 "$(panel_ttl)" 601000
expect "redis-cli sees a hash" test "$(redis type "$key")" == hash
expect "redis-cli sees its TTL" between 590000 "$(redis pttl "$key")" 601000
expect "redis-cli reads the counter that the page shows" page_has "<p>Visit $(redis hget "$key" visits)</p>"
expect "redis-cli finds every product" cart_holds "$key" mug=3 teapot=2 notebook=2 pencil=2 lamp=1 plant=2
expect "there is one session and no other" is_only_session "$key"

expect "without a policy the operators' page is closed in Production" sessions_refused "$one"
expect "whatever is asked of it" sessions_refused "$one" --get --data "session=${key##*:}" --data values=shown

echo "- at the same time"
mapfile -t often < <(yes plant | head -n 20)
expect "40 parallel adds of one product on both instances are accepted" add_in_parallel "${often[@]}"
expect "none is lost" cart_holds "$key" plant=42
expect "40 more are accepted" add_in_parallel "${often[@]}"
expect "and 40 more, with which there would be more than 99" add_in_parallel "${often[@]}"
expect "there are 99" cart_holds "$key" plant=99
visits=$(redis hget "$key" visits)
expect "8 parallel visits of both instances" visit_in_parallel
expect "all are counted" test "$(redis hget "$key" visits)" == $((visits + 8))

echo "- a code that expires"
codes "$one" "$two"

echo "- sessions of one user"
desk=${key##*:}
expect "Ada signs in with another browser on instance 2" with phone sign_in "$two" "Ada <Lovelace>"
phone=$(this_session)
expect "it lists both sessions" sessions_are "$desk" "$phone"
expect "one is marked" test "$(grep -cF '<b>this one</b>' <<<"$page")" == 1
expect "Eve signs in" with eve sign_in "$one" Eve
eve=$(this_session)
expect "she has one session" sessions_are "$eve"
expect "a forged id is not found" with eve submit_in_vain "$one" SignOutOne "id=$phone"
expect "nor is one that nobody has" with eve submit_in_vain "$two" SignOutOne "id=$(printf 'A%.0s' {1..43})"
expect "signing out everywhere else is for her own sessions" with eve submit "$two" SignOutOthers
with nobody visit "$two"
expect "without signing in it is not found either" with nobody submit_in_vain "$two" SignOutOne "id=$phone"
expect "nor is there an everywhere else" with nobody submit "$two" SignOutOthers
expect "without antiforgery token it is refused" test "$(post "$one/?handler=SignOutOne" --data "id=$phone")" == 400
expect "Ada's session lives" session_lives "$phone"
with phone visit "$two"
expect "and greets her" page_has "Hello,"

visit "$one"
expect "the first browser lists both on instance 1" sessions_are "$desk" "$phone"
expect "the other one is $phone" test "$(other_sessions)" == "$phone"
expect "signing it out" submit "$one" SignOutOne "id=$phone"
expect "redis-cli sees that it is gone" session_is_gone "$phone"
with phone visit "$two"
expect "instance 2 has forgotten who that is" page_lacks "Hello,"
expect "and begins with nothing" page_has "Your first visit"
visit "$two"
expect "the first browser stays signed in" page_has "Hello,"
expect "and is the only one" sessions_are "$desk"
expect "so there is no everywhere else" page_lacks "Sign out everywhere else"

expect "signing in with the phone again" with phone sign_in "$one" "Ada <Lovelace>"
phone=$(this_session)
expect "and with a tablet" with tablet sign_in "$two" "Ada <Lovelace>"
tablet=$(this_session)
visit "$one"
expect "all three are listed" sessions_are "$desk" "$phone" "$tablet"
expect "signing out everywhere else" submit "$one" SignOutOthers
expect "redis-cli sees that the phone's is gone" session_is_gone "$phone"
expect "and the tablet's" session_is_gone "$tablet"
with tablet visit "$one"
expect "the tablet is signed out at once" page_lacks "Hello,"
expect "this session lives" session_lives "$desk"
expect "and Eve's" session_lives "$eve"
with eve visit "$one"
expect "she ends her own in the list" with eve submit "$one" SignOutOne "id=$eve"
expect "it is gone" session_is_gone "$eve"
expect "its cookie too" test "$(grep -c $'\tshop-session\t' "$work/eve.cookies")" == 0

echo "- on and out"
expect "instance 1 ends when asked to" ends_on_request "${pids[-2]}"
start_shop again "${settings[@]}"
visit "$url"
expect "one that starts in its place knows the cookie and the visitor" page_has "Hello, <strong>Ada"
one=$url

expect "signing out on instance 2" submit "$two" SignOut
expect "redis-cli sees that the session is gone" test "$(redis exists "$key")" == 0
visit "$one"
expect "instance 1 has forgotten the name" page_lacks "Hello,"
expect "instance 1 has forgotten the cart" page_has "Nothing here yet."
expect "instance 1 counts from the beginning" page_has "Your first visit"

echo "One instance with its embedded server"
rm "$jar"
start_shop embedded
redis_port=$(grep -oP 'embedded Redis server \(Garnet\) at 127\.0\.0\.1:\K[0-9]+' "$work/embedded.log") || fail "it does not say where"
expect "the console names the embedded server in one line" test "$(grep -c 'embedded Redis server (Garnet) at 127.0.0.1:' "$work/embedded.log")" == 1
visit "$url"
visit "$url"
expect "it counts" page_has "Visit 2"
expect "where it says" test "$(redis hget "$(panel_key)" visits)" == 2
expect "adding to the cart" submit "$url" Add product=teapot
expect "signing in" submit "$url" SignIn name=Grace
visit "$url"
expect "it greets by name" page_has "Hello, <strong>Grace</strong>"
expect "the Redis panel shows the cart" panel_has_field cart:teapot
expect "the Redis panel shows the default TTL" between 1190000 "$(panel_ttl)" 1201000
expect "the embedded server lets single keys expire" knows_field_expiry
codes "$url" "$url"
expect "signing in with another browser" with phone sign_in "$url" Grace
expect "it lists both sessions" test "$(sessions | wc -l)" == 2
expect "signing out everywhere else" with phone submit "$url" SignOutOthers
visit "$url"
expect "the first browser is signed out" page_lacks "Hello,"
expect "it ends when asked to" ends_on_request "${pids[-1]}"

echo "One instance in Development, with the operators' page"
rm "$jar"
ASPNETCORE_ENVIRONMENT=Development start_shop developed
redis_port=$(grep -oP 'embedded Redis server \(Garnet\) at 127\.0\.0\.1:\K[0-9]+' "$work/developed.log") || fail "it does not say where"
visit "$url"
expect "signing in" submit "$url" SignIn name=Grace
visit "$url"
expect "the shop links to the page" page_has 'href="/sessions"'
grace=$(this_session)
expect "it answers on this machine" sessions_answer "$url"
expect "and lists the session" page_has "?session=$grace"
expect "with its user" page_has '<a href="?q=Grace">Grace</a>'
expect "not to what comes through a proxy" sessions_refused "$url" --header 'X-Forwarded-For: 127.0.0.1'
expect "nor under a name that somebody has pointed here" sessions_refused "$url" --header 'Host: shop.example'
expect "a form without antiforgery token is refused" test "$(post "$url/sessions" --data "end=$grace")" == 400
expect "and the session lives" test "$(redis exists "sessions:$grace")" == 1
sessions_answer "$url"
expect "ending it" press_end "$url" "$grace"
expect "redis-cli sees that it is gone" test "$(redis exists "sessions:$grace")" == 0
visit "$url"
expect "the browser is signed out" page_lacks "Hello,"
expect "it ends when asked to" ends_on_request "${pids[-1]}"

echo "$checks sample checks passed"
